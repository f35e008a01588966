"""Faces ready for training: cut out and upright, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facewire_lab.errors import LabError
from facewire_server.inference.digest import digest_of

CHIP: Final = 112
_PIXELS, _FACTS = "faces.npy", "faces.json"


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """Where the faces come from.

    Attributes:
        source: the folder.
        view: share of a chip's side that the tight view of recognition would fill; less shows more around the face.
        pictures: a file for each face, relative to the folder.
        people: for each face the folder it lay in, relative to the source; empty where it lay in none.
    """

    source: str
    view: float
    pictures: list[str]
    people: list[str]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFaces:
    """Faces of a prepared folder.

    Attributes:
        chips: uint8 (n, 112, 112, 3), R, G, B; on disk.
        facts: their origin.
        digest: SHA-256 of the chips' file: which faces these are.
    """

    chips: npt.NDArray[np.uint8]
    facts: FaceFacts
    digest: str

    def __len__(self) -> int:
        return len(self.chips)


def save_faces(folder: Path, chips: npt.NDArray[np.uint8], facts: FaceFacts) -> None:
    """Writes them beside the old ones and takes their place: a training that has those open keeps them.

    Raises:
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new_pixels, new_facts = folder / f"new-{_PIXELS}", folder / f"new-{_FACTS}"
    np.save(new_pixels, chips)
    told = {"sha256": digest_of(new_pixels), **asdict(facts)}
    new_facts.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    new_pixels.replace(folder / _PIXELS)
    new_facts.replace(folder / _FACTS)


def load_faces(folder: Path) -> PreparedFaces:
    """Opens a prepared folder.

    Raises:
        LabError: it is none, or damaged.
    """
    try:
        chips = np.load(folder / _PIXELS, mmap_mode="r")
        told: dict[str, Any] = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        digest = told.pop("sha256", "")
        facts = FaceFacts(**told)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise LabError(
            f"{folder} holds no prepared faces ({error}); make some: facewire lab prepare PICTURES {folder}"
        ) from error
    fits = chips.shape[1:] == (CHIP, CHIP, 3) and chips.dtype == np.uint8 and len(facts.pictures) == len(chips)
    if not fits or digest != digest_of(folder / _PIXELS):
        raise LabError(f"{folder} is damaged: prepare it anew")
    return PreparedFaces(chips, facts, digest)

"""Faces ready for training: cut out and upright, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facewire_lab.errors import LabError

CHIP: Final = 112
_PIXELS, _FACTS = "faces.npy", "faces.json"


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """Where the faces come from.

    Attributes:
        source: the folder.
        view: share of a chip's side that the tight view of recognition would fill; less shows more around the face.
        pictures: a file for each face, relative to the folder.
        people: for each face the folder it lay in; empty where it lay in none.
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
    """

    chips: npt.NDArray[np.uint8]
    facts: FaceFacts

    def __len__(self) -> int:
        return len(self.chips)


def save_faces(folder: Path, chips: npt.NDArray[np.uint8], facts: FaceFacts) -> None:
    """Writes them; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / _PIXELS, chips)
    (folder / _FACTS).write_text(json.dumps(asdict(facts), indent=1) + "\n", encoding="utf-8")


def load_faces(folder: Path) -> PreparedFaces:
    """Opens a prepared folder.

    Raises:
        LabError: it is none, or damaged.
    """
    try:
        chips = np.load(folder / _PIXELS, mmap_mode="r")
        read: dict[str, Any] = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        faces = PreparedFaces(chips, FaceFacts(**read))
    except (OSError, ValueError, TypeError) as error:
        raise LabError(
            f"{folder} holds no prepared faces ({error}); make some: facewire lab prepare PICTURES {folder}"
        ) from error
    if chips.shape[1:] != (CHIP, CHIP, 3) or chips.dtype != np.uint8 or len(faces.facts.pictures) != len(chips):
        raise LabError(f"{folder} is damaged: prepare it anew")
    return faces

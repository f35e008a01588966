"""Faces ready for training: cut out and upright, in one file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facewire_lab.errors import LabError
from facewire_server.inference.digest import digest_of

Rows = npt.NDArray[np.int64]

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

    @property
    def names(self) -> list[str]:
        """For each face its person, or its picture where that is of nobody in particular."""
        # A slash ends no folder's name, so that no person is called like a picture.
        pairs = zip(self.people, self.pictures, strict=True)
        return [person or f"/{picture}" for person, picture in pairs]

    def split(self, share: float) -> tuple[Rows, Rows]:
        """Rows to train on, and rows of people held out: the same people each time, and none on both sides.

        Args:
            share: of the people who are held out; where it is above 0, at least one of two or more.
        """
        names = self.names
        people = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
        count = max(1, round(share * len(people))) if share > 0 and len(people) > 1 else 0
        held = set(people[:count])
        out = np.array([name in held for name in names], dtype=bool)
        return np.flatnonzero(~out), np.flatnonzero(out)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFaces:
    """Faces of a prepared folder.

    Attributes:
        chips: uint8 (n, 112, 112, 3), R, G, B; on disk.
        facts: their origin.
        digest: SHA-256 of the chips' file: which faces these are.
        numbers: int64 (n,): who each is of, counted from 0; one of nobody in particular is of a person of its own.
    """

    chips: npt.NDArray[np.uint8]
    facts: FaceFacts
    digest: str
    numbers: Rows = field(init=False)

    def __post_init__(self) -> None:
        names = self.facts.names
        order = {name: number for number, name in enumerate(dict.fromkeys(names))}
        object.__setattr__(self, "numbers", np.array([order[name] for name in names], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.chips)

    def split(self, share: float) -> tuple[Rows, Rows]:
        """See :meth:`FaceFacts.split`."""
        return self.facts.split(share)

    def with_at_least(self, pictures: int) -> PreparedFaces:
        """Those of people with so many pictures or more."""
        counts = np.bincount(self.numbers)
        kept = np.flatnonzero(counts[self.numbers] >= pictures)
        facts = replace(
            self.facts,
            pictures=[self.facts.pictures[row] for row in kept],
            people=[self.facts.people[row] for row in kept],
        )
        return PreparedFaces(self.chips[kept], facts, self.digest)


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
    fits = (
        chips.shape[1:] == (CHIP, CHIP, 3)
        and chips.dtype == np.uint8
        and len(facts.pictures) == len(facts.people) == len(chips)
    )
    if not fits or digest != digest_of(folder / _PIXELS):
        raise LabError(f"{folder} is damaged: prepare it anew")
    return PreparedFaces(chips, facts, digest)

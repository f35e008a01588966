"""Verification (1:1) on pairs of pictures, in the format and by the protocol of Labeled Faces in the Wild."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.rate import Rate
from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.faces import SeenFaces
from facewire_server.evaluation.rates import (
    ErrorCurve,
    Scores,
    Spread,
    fold_accuracies,
    supports,
    tar_at_far,
)

FARS: Final = (0.1, 0.01, 0.001, 0.0001)
_NO_FACE: Final = -1.0  # the similarity of a pair with a picture without a face


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of pictures.

    Attributes:
        left, right: (n,) each.
        same: whether both show one person, (n,).
        fold: 0 to folds - 1, (n,).
    """

    left: Sequence[Path]
    right: Sequence[Path]
    same: npt.NDArray[np.bool_]
    fold: npt.NDArray[np.intp]

    @property
    def pictures(self) -> set[Path]:
        """Each once."""
        return {*self.left, *self.right}


@dataclass(frozen=True, slots=True, eq=False)
class PairsResult:
    """Error rates of verification.

    Attributes:
        accuracy: over the folds, each at the threshold that is best on the others.
        tar_at_far: as far as there are impostor pairs enough.
        scores: of each pair, -1 where a picture had no face.
        failed: pictures in which no face was found.
    """

    pairs: Pairs
    scores: Scores
    accuracy: Spread
    tar_at_far: Mapping[float, Rate]
    curve: ErrorCurve
    failed: Sequence[Path]


def read_pairs(images: Path, file: Path) -> Pairs:
    """Pairs in LFW's format: a line "folds pairs", then for each fold so many of one person and so many of two.

    Pictures are NAME_0001.jpg in the folder or in a folder of that name.

    Raises:
        InputError: the file is not of that format, or names a picture that is not there.
    """
    try:
        lines = [line.split("\t") if "\t" in line else line.split() for line in file.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    header, rows = lines[0] if lines else [], [line for line in lines[1:] if line]
    if len(header) not in {1, 2} or not all(part.isdecimal() for part in header):
        raise InputError(f"{file}, line 1: expected the number of folds and of pairs a fold, as '10 300'")
    folds, each = (int(header[0]), int(header[1])) if len(header) == 2 else (1, int(header[0]))
    if not folds or not each or len(rows) != 2 * folds * each:
        raise InputError(f"{file}: {folds} folds of {each} same and {each} different pairs make {2 * folds * each} "
                         f"lines, there are {len(rows)}")  # fmt: skip
    left, right, same = [], [], []
    for number, row in enumerate(rows, start=2):
        if len(row) not in {3, 4}:
            raise InputError(f"{file}, line {number}: expected 'name 1 2' or 'name 1 other 2'")
        other = (row[0], row[2]) if len(row) == 3 else (row[2], row[3])
        left.append(_picture(images, row[0], row[1], f"{file}, line {number}"))
        right.append(_picture(images, *other, f"{file}, line {number}"))
        same.append(len(row) == 3)
    return Pairs(left, right, np.array(same), np.arange(len(rows)) // (2 * each))


def _picture(images: Path, person: str, number: str, where: str) -> Path:
    if not number.isdecimal():
        raise InputError(f"{where}: '{number}' is no picture's number")
    stem = f"{person}_{int(number):04d}"
    for folder in (images, images / person):
        for suffix in (".jpg", ".jpeg", ".png", ".webp"):
            if (folder / f"{stem}{suffix}").is_file():
                return folder / f"{stem}{suffix}"
    raise InputError(f"{where}: there is no {stem}.jpg in {images} or in {images / person}")


def evaluate_pairs(pairs: Pairs, seen: Mapping[Path, SeenFaces]) -> PairsResult:
    """Compares the face nearest the middle of each picture with the other's.

    Raises:
        InputError: there are not both kinds of pairs.
    """
    if pairs.same.all() or not pairs.same.any():
        raise InputError("there must be pairs of one person and pairs of two")
    vectors = {path: _middle(faces) for path, faces in seen.items()}
    scores = np.array([_similarity(vectors[a], vectors[b]) for a, b in zip(pairs.left, pairs.right, strict=True)])
    genuine, impostor = scores[pairs.same], scores[~pairs.same]
    return PairsResult(
        pairs=pairs,
        scores=scores,
        accuracy=Spread.of(fold_accuracies(scores, pairs.same, pairs.fold)),
        tar_at_far={far: tar_at_far(genuine, impostor, far) for far in FARS if supports(len(impostor), far)},
        curve=ErrorCurve.of(genuine, impostor),
        failed=sorted(path for path in pairs.pictures if vectors[path] is None),
    )


def _middle(faces: SeenFaces) -> npt.NDArray[np.float32] | None:
    index = faces.nearest_middle()
    return None if index is None else faces.embeddings[index]


def _similarity(a: npt.NDArray[np.float32] | None, b: npt.NDArray[np.float32] | None) -> float:
    return _NO_FACE if a is None or b is None else float(a @ b)

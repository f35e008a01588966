"""How well an embedder tells people apart whom it was not trained on, as the server runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from facewire_lab.embedding import embed_faces
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces, Rows
from facewire_lab.pairs import auc, cosines_of_pairs
from facewire_server.domain.ports import Embedder
from facewire_server.evaluation.rates import supports, tar_at_far

_FARS: Final = (1e-2, 1e-3)


@dataclass(frozen=True, slots=True)
class EmbedderFigures:
    """Of all pairs of pictures.

    Attributes:
        genuine, impostor: how many pairs are of one person, of two.
        auc: how often a genuine pair is more alike than an impostor one.
        tar: true-accept rates at the false-accept rates that so many pairs can tell, by rate.
    """

    genuine: int
    impostor: int
    auc: float
    tar: dict[str, float]


def judge_embedder(
    embedder: Embedder, faces: PreparedFaces, rows: Rows, on_face: Callable[[], object]
) -> EmbedderFigures:
    """The figures of the faces at these rows; ``on_face`` is called after each.

    Raises:
        LabError: no person has two pictures, or there is but one person.
    """
    vectors = embed_faces(embedder, faces, rows, on_face)
    genuine, impostor = cosines_of_pairs(torch.from_numpy(vectors), torch.from_numpy(faces.numbers[rows]))
    if not len(genuine) or not len(impostor):
        raise LabError(
            f"{len(rows)} faces are measured; two people are needed, one with two pictures: prepare more, or, if "
            "the embedder saw none of them, --held-out 1"
        )
    pair = (genuine.numpy().astype(np.float64), impostor.numpy().astype(np.float64))
    rates = {f"{far:g}": tar_at_far(*pair, far).value for far in _FARS if supports(len(impostor), far)}
    return EmbedderFigures(len(genuine), len(impostor), auc(genuine, impostor), rates)

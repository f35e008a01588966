"""Embeddings of prepared faces, by the server's own embedder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from facewire_lab.faces import PreparedFaces, Rows
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.ports import Embedder
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.chips import CHIP, template_of


def chip_face(view: float) -> Faces:
    """Where the face of a chip is: its landmarks at their places."""
    landmarks = template_of(view)[np.newaxis]
    return Faces(np.array([[0, 0, CHIP, CHIP]], np.float32), landmarks, np.ones(1, np.float32))


def embed_chip(embedder: Embedder, chip: Pixels, view: float) -> npt.NDArray[np.float32]:
    """The unit embedding of a chip, (dim,)."""
    encoded = embedder.encode(Frame(np.ascontiguousarray(chip), "rgb"), chip_face(view), StageClock())
    return encoded.embeddings[0]


def embed_faces(
    embedder: Embedder, faces: PreparedFaces, rows: Rows, on_face: Callable[[], object]
) -> npt.NDArray[np.float32]:
    """Unit embeddings of those at these rows, (n, dim); ``on_face`` is called after each."""
    vectors = []
    for row in rows.tolist():
        vectors.append(embed_chip(embedder, np.asarray(faces.chips[row]), faces.facts.view))
        on_face()
    return np.stack(vectors)

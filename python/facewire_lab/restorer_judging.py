"""Whether a restorer restores: beside bicubic enlarging, on faces that are spoilt by a fixed rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from facewire_lab.degradation import Degradation
from facewire_lab.embedding import chip_face, embed_chip
from facewire_lab.faces import PreparedFaces, Rows
from facewire_lab.likeness import psnr, ssim
from facewire_lab.planes import as_planes, sheet_of_rows
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.generation import FaceRestorer
from facewire_server.domain.ports import Embedder
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.chips import CHIP, cut_chips

_SHOWN: Final = 8
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class RestorerFigures:
    """Means over the faces, each of bicubic enlarging and of the restorer.

    Attributes:
        psnr_db, ssim: to the clean face; of bicubic enlarging as bright as that.
        cosine: of the embeddings, to the clean face's.
        cosine_as_cut: the same where the server cuts the spoilt face out of its picture (bilinear), and restores that.
    """

    psnr_db: tuple[float, float]
    ssim: tuple[float, float]
    cosine: tuple[float, float]
    cosine_as_cut: tuple[float, float]


def judge_restorer(
    restorer: FaceRestorer, embedder: Embedder, way: Degradation, faces: PreparedFaces, rows: Rows,
    on_face: Callable[[], object],
) -> RestorerFigures:  # fmt: skip
    """The figures of faces at these rows, spoilt in this way."""
    view = faces.facts.view
    found, as_cut = [], []
    for row in rows.tolist():
        clean, spoilt, restored = _three(restorer, way, faces, row)
        wanted = embed_chip(embedder, clean, view)
        for picture in (_brightened(spoilt, way.light), restored):
            both = [as_planes(torch.from_numpy(each[np.newaxis]), each.shape[0], _CPU) for each in (picture, clean)]
            cosine = float(embed_chip(embedder, picture, view) @ wanted)
            found.append((psnr(*both).item(), ssim(*both).item(), cosine))
        cut = _as_cut(clean, way, row, view)
        pair = (cut, restorer.restore(cut, StageClock()))
        as_cut.append([float(embed_chip(embedder, picture, view) @ wanted) for picture in pair])
        on_face()
    means = np.array(found).reshape(-1, 2, 3).mean(axis=0)
    psnrs, ssims, cosines = ((float(means[0, number]), float(means[1, number])) for number in range(3))
    before, after = np.array(as_cut).mean(axis=0).tolist()
    return RestorerFigures(psnrs, ssims, cosines, (before, after))


def _brightened(spoilt: Pixels, light: float) -> Pixels:
    """As bright as the face was: what turning up a screen does, so that a restorer has to do more."""
    return (spoilt / light).round().clip(0, 255).astype(np.uint8)


def _as_cut(clean: Pixels, way: Degradation, row: int, view: float) -> Pixels:
    """The spoilt face, cut out of its small picture by the server's own alignment."""
    small = np.ascontiguousarray(way.seen(clean, np.random.default_rng(row)))
    face = chip_face(view)
    scale = np.float32(small.shape[0] / CHIP)
    landmarks = ((face.landmarks + np.float32(0.5)) * scale - np.float32(0.5)).astype(np.float32)
    _, chips = cut_chips(Frame(small, "rgb"), Faces(face.boxes * scale, landmarks, face.scores), view)
    return chips[0]


def _three(restorer: FaceRestorer, way: Degradation, faces: PreparedFaces, row: int) -> tuple[Pixels, Pixels, Pixels]:
    """A face: clean, spoilt, restored."""
    clean = np.array(faces.chips[row])
    spoilt = np.array(way.apply(clean, np.random.default_rng(row)))
    return clean, spoilt, restorer.restore(spoilt, StageClock())


def restorer_sheet(restorer: FaceRestorer, way: Degradation, faces: PreparedFaces, rows: Rows) -> bytes:
    """Spoilt faces, restored, clean: a marked PNG."""
    shown = [_three(restorer, way, faces, row) for row in rows[:_SHOWN].tolist()]
    stacked = [torch.from_numpy(np.stack([each[place] for each in shown])) for place in (1, 2, 0)]
    return sheet_of_rows([as_planes(each, each.shape[1], _CPU) for each in stacked])

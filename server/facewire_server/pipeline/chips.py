"""Faces cut out upright, with more around them than recognition needs, and put back into their picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from facewire import kernels
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame, Pixels

CHIP: Final = 112
_BAND: Final = 128  # rows
_CENTRE: Final = (CHIP - 1) / 2
_RGB: Final = kernels.PixelTransform(rgb=True)


def template_of(view: float) -> FloatArray:
    """Where the five landmarks lie on a chip, (5, 2), pixels.

    Args:
        view: 1: ArcFace's template; less: the same smaller, with more around it.
    """
    return np.ascontiguousarray((kernels.ARCFACE_TEMPLATE - _CENTRE) * view + _CENTRE, dtype=np.float32)


def cut_chips(frame: Frame, faces: Faces, view: float) -> tuple[npt.NDArray[np.intp], Pixels]:
    """Which of the faces can be aligned, (m,), and those upright: uint8 (m, 112, 112, 3), R, G, B."""
    planes = np.empty((len(faces), 3, CHIP, CHIP), dtype=np.float32)
    refused = kernels.align_faces(frame.pixels, frame.format, faces.landmarks, template_of(view), planes, _RGB)
    kept = np.flatnonzero(refused == 0)
    return kept, np.ascontiguousarray(planes[kept].transpose(0, 2, 3, 1).round().astype(np.uint8))


def shrink(chip: Pixels, side: int) -> Pixels:
    """A chip of fewer pixels; each is the mean of those it stands for."""
    return np.asarray(Image.fromarray(chip).resize((side, side), Image.Resampling.BILINEAR))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chip lies in its picture: its window (x0, y0, x1, y1), and the map from there to the chip's pixels."""

    window: tuple[int, int, int, int]
    to_chip: npt.NDArray[np.float64]

    @classmethod
    def of(cls, landmarks: FloatArray, view: float, width: int, height: int) -> Place | None:
        """The place of a face; None where nothing of it is within the picture."""
        to_chip = kernels.similarity_transform(landmarks, template_of(view)).astype(np.float64)
        corners = np.array([[0, 0], [CHIP, 0], [0, CHIP], [CHIP, CHIP]], dtype=np.float64) - 0.5
        turn, shift = to_chip[:, :2], to_chip[:, 2]
        outline = (corners - shift) @ np.linalg.inv(turn).T
        low = np.floor(outline.min(axis=0)).astype(int).clip(0)
        high = np.ceil(outline.max(axis=0)).astype(int) + 1
        x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
        if x1 <= low[0] or y1 <= low[1]:
            return None
        return cls((int(low[0]), int(low[1]), x1, y1), to_chip)

    def paste(self, picture: Pixels, chip: Pixels, mask: FloatArray) -> None:
        """Lays a chip of any side over the picture, in place.

        Args:
            picture: uint8 (H, W, 3).
            chip: uint8 (S, S, 3).
            mask: float32 (S, S), 0..1: how much of the chip is seen.
        """
        x0, y0, x1, y1 = self.window
        made, seen, side = Image.fromarray(chip), Image.fromarray(mask), chip.shape[0]
        for top in range(y0, y1, _BAND):  # a large face in floats would take much memory
            bottom = min(y1, top + _BAND)
            over = self._warped(made, side, (x0, top, x1, bottom))
            share = self._warped(seen, side, (x0, top, x1, bottom))[:, :, np.newaxis].clip(0, 1)
            under = picture[top:bottom, x0:x1].astype(np.float32)
            picture[top:bottom, x0:x1] = np.rint(under + (over - under) * share).clip(0, 255).astype(np.uint8)

    def _warped(self, chip: Image.Image, side: int, window: tuple[int, int, int, int]) -> FloatArray:
        """The chip as it lies in a part of the window; nothing (0) outside of it."""
        x0, y0, x1, y1 = window
        scale = side / CHIP
        turn = self.to_chip[:, :2] * scale
        # Pillow's coordinates have pixel centres at halves, the kernels' at whole numbers.
        shift = (self.to_chip[:, :2] @ np.array([x0 - 0.5, y0 - 0.5]) + self.to_chip[:, 2] + 0.5) * scale
        data = (turn[0, 0], turn[0, 1], shift[0], turn[1, 0], turn[1, 1], shift[1])
        size = (x1 - x0, y1 - y0)
        warped = chip.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
        return np.asarray(warped, dtype=np.float32)

"""Best shots: a track's face upright, and with what is around it, as JPEG."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image

from facewire import kernels
from facewire_server.domain.face import FloatArray, Quality
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.stream import BestShot

_ALIGNED_PX: Final = 112
_CONTEXT: Final = 2.2  # side of the surroundings, in sides of the face
_CONTEXT_LONGEST_PX: Final = 640
_JPEG_QUALITY: Final = 90
_CORNERS: Final = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], dtype=np.float32)


def cut_best_shot(
    frame: Frame, track_id: int, box: FloatArray, landmarks: FloatArray, quality: Quality,
    *, context: bool, at_ms: int, sequence: int,
) -> BestShot:  # fmt: skip
    """Cuts the face out of the frame.

    Args:
        box: float32 (4,), pixels.
        landmarks: float32 (5, 2), pixels.
    """
    aligned = _warp(frame, landmarks, np.ascontiguousarray(kernels.ARCFACE_TEMPLATE), _ALIGNED_PX)
    return BestShot(
        track_id=track_id,
        aligned_jpeg=_jpeg(aligned),
        context_jpeg=_jpeg(_surroundings(frame, box)) if context else b"",
        quality=quality,
        at_ms=at_ms,
        sequence=sequence,
    )


def _surroundings(frame: Frame, box: FloatArray) -> Pixels:
    """A square around the face, drawn by the aligner: it reads every pixel format, and black lies outside the frame.

    Five points at fixed places of the square, taken to the same places of the picture, make the map.
    """
    x, y, width, height = (float(v) for v in box)
    side = _CONTEXT * max(width, height)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    pixels = max(32, min(round(side), _CONTEXT_LONGEST_PX))
    source = (_CORNERS * np.float32(side) + np.array([left, top], dtype=np.float32)).astype(np.float32)
    return _warp(frame, source, _CORNERS * np.float32(pixels), pixels)


def _warp(frame: Frame, source: FloatArray, target: FloatArray, size: int) -> Pixels:
    chip = np.empty((1, 3, size, size), dtype=np.float32)
    rgb = kernels.PixelTransform(rgb=True)
    points = np.ascontiguousarray(source, dtype=np.float32)[np.newaxis]
    kernels.align_faces(frame.pixels, frame.format, points, np.ascontiguousarray(target), chip, rgb)
    pixels: Pixels = np.ascontiguousarray(chip[0].transpose(1, 2, 0).round().clip(0, 255).astype(np.uint8))
    return pixels


def _jpeg(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()

"""Pictures in the mirror."""

from __future__ import annotations

from typing import Final

import numpy as np

from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame, Pixels

_SWAPPED: Final = np.array([1, 0, 2, 4, 3])  # landmarks: left and right change places

_SAME_FACE: Final = 0.5  # share of both boxes that they have in common


def mirrored(frame: Frame, faces: Faces) -> tuple[Frame, Faces]:
    """The mirror image of a picture, and where its faces are there."""
    last = frame.width - 1
    boxes = faces.boxes.copy()
    boxes[:, 0] = frame.width - boxes[:, 0] - boxes[:, 2]
    landmarks = faces.landmarks[:, _SWAPPED].copy()
    landmarks[:, :, 0] = last - landmarks[:, :, 0]
    pixels = _mirrored_nv12(frame) if frame.format == "nv12" else np.ascontiguousarray(frame.pixels[:, ::-1])
    return Frame(pixels, frame.format, frame.synthetic), Faces(boxes, landmarks, faces.scores)


def where_found(faces: Faces, found: Faces) -> Faces:
    """The same faces where a detector found them; those it did not find stay where they are."""
    if not len(found):
        return faces
    low = np.maximum(faces.boxes[:, np.newaxis, :2], found.boxes[:, :2])
    high = np.minimum((faces.boxes[:, :2] + faces.boxes[:, 2:])[:, np.newaxis], found.boxes[:, :2] + found.boxes[:, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    overlap = shared / (faces.areas_px[:, np.newaxis] + found.areas_px - shared)
    nearest = overlap.argmax(axis=1)
    same = overlap.max(axis=1) >= _SAME_FACE
    boxes = np.where(same[:, np.newaxis], found.boxes[nearest], faces.boxes)
    landmarks = np.where(same[:, np.newaxis, np.newaxis], found.landmarks[nearest], faces.landmarks)
    return Faces(boxes, landmarks, faces.scores)


def _mirrored_nv12(frame: Frame) -> Pixels:
    pixels = np.empty_like(frame.pixels)
    height = frame.height
    pixels[:height] = frame.pixels[:height, ::-1]
    pairs = frame.pixels[height:].reshape(height // 2, frame.width // 2, 2)
    pixels[height:] = pairs[:, ::-1].reshape(height // 2, frame.width)
    return pixels

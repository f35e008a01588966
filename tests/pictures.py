"""Pictures for tests, made from the sample photographs or from nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def read_bgr(path: Path) -> Pixels:
    """The picture as OpenCV gives it."""
    pixels = cv2.imread(str(path))
    assert pixels is not None, path
    return np.asarray(pixels, dtype=np.uint8)


def to_nv12(bgr: Pixels) -> Pixels:
    """The frame as a camera would give it; sides are cut to even."""
    height, width = bgr.shape[0] // 2 * 2, bgr.shape[1] // 2 * 2
    planar = np.asarray(cv2.cvtColor(bgr[:height, :width], cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
    chroma = planar[height:].reshape(2, -1)
    interleaved = np.stack([chroma[0], chroma[1]], axis=1).reshape(height // 2, width)
    return np.ascontiguousarray(np.vstack([planar[:height], interleaved]))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def blurred(bgr: Pixels, sigma: float) -> Pixels:
    """The picture out of focus."""
    return np.asarray(cv2.GaussianBlur(bgr, (0, 0), sigma), dtype=np.uint8)


def jpeg(bgr: Pixels, quality: int = 90) -> bytes:
    """The frame as a JPEG file's bytes."""
    return encoded(Image.fromarray(bgr[:, :, ::-1]), "JPEG", quality=quality)


def walking(path: Path, count: int, *, face_px: int = 240, speed: int = 20) -> list[Pixels]:
    """A photograph that walks to and fro over a 640 x 480 picture, BGR."""
    photo = Image.open(path).convert("RGB")
    photo.thumbnail((face_px, face_px))
    way = [*range(0, 640 - photo.width, speed)]
    way += way[::-1]
    frames = []
    for number in range(count):
        picture = Image.new("RGB", (640, 480), (120, 125, 130))
        picture.paste(photo, (way[number % len(way)], 120))
        frames.append(np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]))
    return frames

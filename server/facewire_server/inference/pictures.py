"""Pictures as networks take and give them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from facewire_server.domain.frame import Pixels
from facewire_server.domain.ports import Tensor
from facewire_server.inference.specs import InputSpec


def lay_picture(pixels: Pixels, spec: InputSpec, planes: Tensor) -> None:
    """Fills float32 (3, S, S) with uint8 (S, S, 3), R, G, B, as the model takes it."""
    ordered = pixels if spec.colour == "rgb" else pixels[:, :, ::-1]
    mean, scale = (np.array(triple, dtype=np.float32) for triple in (spec.mean, spec.scale))
    planes[...] = ((ordered - mean) * scale).transpose(2, 0, 1)


def picture_of(planes: Tensor, colour: Literal["bgr", "rgb"]) -> Pixels:
    """uint8 (S, S, 3), R, G, B, of float32 (3, S, S), -1..1."""
    ordered = planes if colour == "rgb" else planes[::-1]
    levels = np.rint((ordered.transpose(1, 2, 0) + 1) * 127.5).clip(0, 255)
    return np.ascontiguousarray(levels.astype(np.uint8))

"""A picture in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FrameFormat = Literal["bgr", "rgb", "gray", "nv12"]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """An upright picture.

    Attributes:
        pixels: uint8, shape (H, W, 3) for bgr and rgb, (H, W) for gray, (H*3/2, W) for nv12.
        format: how to read them.
        synthetic: its file says that a model made or changed it.
    """

    pixels: Pixels
    format: FrameFormat
    synthetic: bool = False

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        rows = int(self.pixels.shape[0])
        return rows * 2 // 3 if self.format == "nv12" else rows

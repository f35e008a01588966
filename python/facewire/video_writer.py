"""Writes video files. Needs PyAV, as :mod:`facewire.video`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from facewire.errors import ImageError


class VideoWriter:
    """Writes an MP4 file, frames at the times they were taken. A context manager.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: Any = None
        self._first_s = 0.0
        self._last_pts = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4")
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ImageError(f"video {path} cannot be written: {reason}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def write(self, pixels: npt.NDArray[np.uint8], time_s: float) -> None:
        """Adds a frame, uint8 (H, W, 3) RGB; all must have the first one's size."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        if self._stream is None:
            self._begin(frame, time_s)
        frame.pts = max(self._last_pts + 1, round((time_s - self._first_s) * 1000))
        self._last_pts = frame.pts
        self._container.mux(self._stream.encode(frame))

    def _begin(self, frame: Any, time_s: float) -> None:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=30)
        self._stream.width, self._stream.height = frame.width & ~1, frame.height & ~1
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, 1000)
        if codec == "libx264":
            self._stream.options = {"crf": "20", "preset": "veryfast"}
        self._first_s = time_s

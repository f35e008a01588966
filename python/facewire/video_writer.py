"""Writes video files. Needs PyAV, as :mod:`facewire.video`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from facewire._av import av
from facewire.errors import ImageError

_FRAGMENTS: Final = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


class VideoWriter:
    """Writes an MP4 file, frames at the times they were taken. A context manager.

    The file is in fragments of a second or two: what was written can be played even if the process is killed.

    Args:
        path: of the file; its folder is made where missing.

    Raises:
        ImageError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: Any = None
        self._first_s = 0.0
        self._last_pts = -1
        self._broken = False
        with self._named():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4", options=_FRAGMENTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._broken:
            return  # FFmpeg crashes when it is to finish a file that it could not begin
        with self._named():
            if self._stream is not None:
                self._container.mux(self._stream.encode())
            self._container.close()

    def write(self, pixels: npt.NDArray[np.uint8], time_s: float) -> None:
        """Adds a frame, uint8 (H, W, 3) RGB; one of another size than the first is fitted into it.

        Raises:
            ImageError: the file cannot be written, for instance because the disk is full.
        """
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        if self._stream is None:
            self._begin(frame, time_s)
        frame.pts = max(self._last_pts + 1, round((time_s - self._first_s) * 1000))
        self._last_pts = frame.pts
        with self._named():
            self._container.mux(self._stream.encode(frame))

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            self._broken = True
            reason = getattr(error, "strerror", None) or error
            raise ImageError(f"video {self._path} cannot be written: {reason}") from error

    def _begin(self, frame: Any, time_s: float) -> None:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=30)
        self._stream.width, self._stream.height = frame.width & ~1, frame.height & ~1
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, 1000)
        self._stream.codec_context.gop_size = 30
        if codec == "libx264":
            self._stream.options = {"crf": "20", "preset": "veryfast"}
        self._first_s = time_s

"""Frames from webcams, video files, network cameras and folders. Needs PyAV: ``pip install 'facewire[video]'``."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from facewire._av import av
from facewire.errors import ImageError
from facewire.images import RawFrame

_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_FIRST_BACKOFF_S: Final = 0.5
_LONGEST_BACKOFF_S: Final = 10.0
# FFmpeg gives up on RTSP after about twice the time it is told.
_RTSP_TIMEOUT_US: Final = "2500000"
_HTTP_TIMEOUT_US: Final = "5000000"
_BACKSTOP_S: Final = (10.0, 12.0)
_DEFAULT_FPS: Final = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """A frame.

    Attributes:
        time_s: Unix time in seconds: when it came, or for files where it lies after their beginning.
        image: as it is sent: NV12 pixels, or the bytes of a picture file.
    """

    time_s: float
    image: RawFrame | bytes

    def rgb(self) -> npt.NDArray[np.uint8]:
        """The pixels, uint8 (H, W, 3)."""
        if isinstance(self.image, bytes):
            return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(self.image))).convert("RGB"))
        return _to_rgb(self.image)

    def jpeg(self, quality: int = 90) -> bytes:
        """The frame as the bytes of a JPEG file."""
        if isinstance(self.image, bytes):
            return self.image
        out = io.BytesIO()
        Image.fromarray(self.rgb()).save(out, "JPEG", quality=quality)
        return out.getvalue()


class VideoSource:
    """Where frames come from.

    Args:
        text: a webcam's number or device ("0", "/dev/video0"); a URL (rtsp, http, ...); a video file; a folder of
            pictures, or one picture.
        fps: frames a second: of folders, default 10; of files and cameras at most so many.
        on_trouble: told when a camera is lost, and what is being done.

    Raises:
        ImageError: nothing of the kind; a camera that cannot be opened fails when frames are asked for.
    """

    def __init__(
        self, text: str, *, fps: float | None = None, on_trouble: Callable[[str], None] = lambda text: None
    ) -> None:
        self._text = text
        self._fps = fps
        self._on_trouble = on_trouble
        self._device = f"/dev/video{text}" if text.isdigit() else text if text.startswith("/dev/") else None
        self._path = None if self._device or "://" in text else Path(text)
        if self._path is not None and not self._path.exists():
            raise ImageError(f"{text}: no such file or folder (a URL would begin with rtsp:// or http://)")
        self.live = self._path is None

    @property
    def name(self) -> str:
        """The source in words, without passwords."""
        return _without_password(self._text)

    def frames(self, start_s: float | None = None) -> Iterator[VideoFrame]:
        """The frames; of a camera without end: where it is lost, it is looked for again and again.

        Args:
            start_s: Unix time of a file's beginning; None: now.

        Raises:
            ImageError: it cannot be opened, or holds no video.
        """
        start_s = time.time() if start_s is None else start_s
        if self._path is None:
            frames = self._camera()
        elif self._path.is_dir() or self._path.suffix.lower() in _PICTURES:
            yield from self._pictures(self._path, start_s)
            return
        else:
            frames = self._file(str(self._path), start_s)
        yield from frames if self._fps is None else _at_most(frames, self._fps)

    def _pictures(self, path: Path, start_s: float) -> Iterator[VideoFrame]:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
        if not files:
            raise ImageError(f"{path}: no JPEG, PNG or WebP files in this folder")
        for number, file in enumerate(files):
            try:
                yield VideoFrame(start_s + number / (self._fps or 10.0), file.read_bytes())
            except OSError as error:
                raise ImageError(f"picture {file}: {error.strerror or error}") from error

    def _file(self, path: str, start_s: float) -> Iterator[VideoFrame]:
        with _opened(path, self.name) as container:
            rate = float(container.streams.video[0].average_rate or _DEFAULT_FPS)
            first: float | None = None
            for number, frame in enumerate(_decoded(container, self.name)):
                at_s = number / rate if frame.time is None else float(frame.time)
                first = at_s if first is None else first
                yield VideoFrame(start_s + at_s - first, _nv12(frame))

    def _camera(self) -> Iterator[VideoFrame]:
        seen = lost = False
        backoff_s = _FIRST_BACKOFF_S
        while True:
            try:
                with _opened(self._device or self._text, self.name, v4l2=self._device is not None) as container:
                    for frame in _decoded(container, self.name):
                        if lost:
                            self._on_trouble(f"{self.name} is back")
                        seen, lost, backoff_s = True, False, _FIRST_BACKOFF_S
                        yield VideoFrame(time.time(), _nv12(frame))
                # FFmpeg ends so when an RTSP camera vanishes, as at the end of a file.
                reason = "the connection ended"
            except ImageError as error:
                if not seen:
                    raise  # more likely a wrong address than a camera that was lost
                reason = str(error).removeprefix(f"{self.name}: ")
            lost = True
            self._on_trouble(f"{self.name} is lost ({reason}); trying again in {backoff_s:.1f} s")
            time.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)


def _opened(source: str, name: str, *, v4l2: bool = False) -> Any:
    options: dict[str, str] = {}
    if source.startswith("rtsp"):
        options = {"rtsp_transport": "tcp", "timeout": _RTSP_TIMEOUT_US}
    elif source.startswith("http"):
        options = {"rw_timeout": _HTTP_TIMEOUT_US}
    timeout = _BACKSTOP_S if "://" in source else None
    try:
        container = av.open(source, format="v4l2" if v4l2 else None, options=options, timeout=timeout)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ImageError(f"{name}: cannot be opened: {_reason(error)}") from error
    if not container.streams.video:
        container.close()
        raise ImageError(f"{name}: holds no video")
    container.streams.video[0].thread_type = "AUTO"
    return container


def _decoded(container: Any, name: str) -> Iterator[Any]:
    try:
        yield from container.decode(video=0)
    except (av.error.FFmpegError, OSError) as error:
        raise ImageError(f"{name}: reading failed: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """FFmpeg's words; they repeat the source, passwords included."""
    text = getattr(error, "strerror", None) or str(error).split("'")[0]
    return str(text).strip(" :;") or type(error).__name__


def _without_password(text: str) -> str:
    if "@" not in text or "://" not in text:
        return text
    parts = urlsplit(text)
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def _nv12(frame: Any) -> RawFrame:
    """As the server reads raw frames: BT.601, video range, even sizes."""
    even = frame.reformat(
        width=frame.width & ~1,
        height=frame.height & ~1,
        format="nv12",
        dst_colorspace="ITU601",
        dst_color_range="MPEG",
    )
    return RawFrame(even.to_ndarray(), "nv12")


def _to_rgb(image: RawFrame) -> npt.NDArray[np.uint8]:
    if image.format == "rgb":
        return image.pixels
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image.pixels), format="nv12")
    return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


def _at_most(frames: Iterator[VideoFrame], fps: float) -> Iterator[VideoFrame]:
    """Leaves out frames that come too soon after the last."""
    due = float("-inf")
    for frame in frames:
        if frame.time_s >= due - 1e-3:
            yield frame
            due = max(due + 1 / fps, frame.time_s - 1 / fps) if due > float("-inf") else frame.time_s + 1 / fps

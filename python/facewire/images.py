"""Pictures as the client takes them: paths, bytes of a file, numpy arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from facewire.errors import ImageError
from facewire.v1 import image_pb2

_FORMATS: Final = {
    "bgr": image_pb2.PIXEL_FORMAT_BGR,
    "rgb": image_pb2.PIXEL_FORMAT_RGB,
    "gray": image_pb2.PIXEL_FORMAT_GRAY,
    "nv12": image_pb2.PIXEL_FORMAT_NV12,
}


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """Raw pixels in another order than an array alone would tell.

    Attributes:
        pixels: uint8; (H, W, 3) for bgr and rgb, (H, W) for gray, (H*3/2, W) for nv12.
        format: how to read them.
    """

    pixels: npt.NDArray[np.uint8]
    format: Literal["bgr", "rgb", "gray", "nv12"]


ImageLike = str | os.PathLike[str] | bytes | bytearray | memoryview | npt.NDArray[np.uint8] | RawFrame
"""A path to a JPEG, PNG or WebP file; the bytes of one; a uint8 array (H, W, 3) in B, G, R order, as OpenCV gives
them, or (H, W) grey; or a :class:`RawFrame`."""


class TimedFrame(Protocol):
    """A picture with its capture time, as :class:`facewire.video.VideoFrame` is."""

    @property
    def image(self) -> ImageLike:
        """The picture."""
        ...

    @property
    def time_s(self) -> float:
        """Unix time, seconds."""
        ...


FrameLike = ImageLike | TimedFrame | tuple[ImageLike, float | datetime]
"""A frame of a stream: a picture, one with its capture time, or a pair of both."""


def frame_parts(frame: FrameLike) -> tuple[ImageLike, float | datetime | None]:
    """The picture and its capture time, None where it has none."""
    if isinstance(frame, tuple):
        return frame
    image = getattr(frame, "image", None)
    return (frame, None) if image is None else (image, frame.time_s)  # type: ignore[union-attr, return-value]


def image_message(image: ImageLike) -> image_pb2.Image:
    """The picture on the wire.

    Raises:
        ImageError: the file cannot be read, or the array is no picture.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return image_pb2.Image(encoded=bytes(image))
    if isinstance(image, RawFrame):
        return image_pb2.Image(raw=_raw(image.pixels, image.format))
    if isinstance(image, np.ndarray):
        return image_pb2.Image(raw=_raw(image, "gray" if image.ndim == 2 else "bgr"))
    try:
        return image_pb2.Image(encoded=Path(image).read_bytes())
    except OSError as error:
        raise ImageError(f"picture {os.fspath(image)}: {error.strerror or error}") from error
    except TypeError as error:
        raise ImageError(
            f"a picture must be a path, bytes, a numpy array or a RawFrame, not {type(image).__name__}"
        ) from error


def _raw(pixels: npt.NDArray[np.uint8], format: str) -> image_pb2.RawImage:
    if pixels.dtype != np.uint8:
        raise ImageError(f"an array must have dtype uint8, not {pixels.dtype}")
    colour = format in ("bgr", "rgb")
    if pixels.ndim != (3 if colour else 2) or (colour and pixels.shape[2] != 3) or not pixels.size:
        shape = "(H, W, 3)" if colour else "(rows, W)"
        raise ImageError(f"a {format} array must have shape {shape}, not {pixels.shape}")
    rows, width = pixels.shape[:2]
    if format == "nv12" and (rows % 3 or width % 2):
        raise ImageError(f"an nv12 array must have H*3/2 rows and an even width, not {pixels.shape}")
    return image_pb2.RawImage(
        format=_FORMATS[format],
        width=width,
        height=rows * 2 // 3 if format == "nv12" else rows,
        stride_bytes=width * (3 if colour else 1),
        data=np.ascontiguousarray(pixels).tobytes(),
    )

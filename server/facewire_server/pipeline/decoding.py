"""Compressed pictures to frames. Sizes are checked in the header, before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import replace
from typing import Final

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from facewire.synthetic import says_synthetic
from facewire_server.domain.errors import InvalidImage
from facewire_server.domain.frame import Frame, FrameFormat, Pixels
from facewire_server.pipeline.jpeg_header import PlainJpeg, plain_jpeg

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
# MPO is what many phones write as .jpg: a JPEG with a second picture behind it; Pillow tells them apart itself.
_JPEG_FORMATS: Final = ("JPEG", "MPO")
# Each scan of a progressive JPEG goes over all pixels anew: a hundred bytes can cost milliseconds.
_START_OF_SCAN: Final = b"\xff\xda"
_MAX_SCANS: Final = 100
_DAMAGES: Final = (OSError, ValueError, SyntaxError, TypeError, struct.error)
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = 1
# Pillow's own guard against bombs warns or raises late; ours comes first and says more.
Image.MAX_IMAGE_PIXELS = None


def decode_image(data: bytes, max_pixels: int, field: str = "image.encoded") -> Frame:
    """The upright picture in a JPEG, PNG or WebP file, as RGB or grey 8-bit pixels.

    Alpha is dropped, palettes and CMYK become RGB, 16-bit grey is scaled to 8 bits.

    Raises:
        InvalidImage: empty, unreadable, cut short, of another format, or larger than ``max_pixels``.
    """
    if (plain := _plain(data)) is not None:
        _require_size((plain.width, plain.height), max_pixels, field)
        frame = _decode_plain_jpeg(data, field)
        return replace(frame, synthetic=True) if says_synthetic(data[: plain.scan_at]) else frame
    header = _check_header(data, max_pixels, field)
    orientation = _orientation(header)
    try:
        if header.format in _JPEG_FORMATS and header.mode in ("RGB", "L"):
            frame = _decode_jpeg(data)
        else:
            frame = _decode_other(header)
    except _DAMAGES as error:
        raise InvalidImage(field, f"is a damaged or cut-short {header.format} file: {error}") from error
    return replace(_upright(frame, orientation), synthetic=says_synthetic(data) or _unpacked_text_says_so(header))


def comparable(frame: Frame, field: str, advice: str = "") -> Frame:
    """The frame, if it may be compared with others without being asked for.

    Args:
        frame, field: the picture, and where it is in the request.
        advice: what the caller may do about it.

    Raises:
        InvalidImage: its file says that a model made or changed it.
    """
    if frame.synthetic:
        raise InvalidImage(
            field, f"says of itself that a model made or changed it, which invents what it shows{advice}"
        )
    return frame


def check_image(data: bytes, max_pixels: int, field: str = "image.encoded") -> None:
    """Without a pixel decoded; raises as :func:`decode_image`, as far as the header tells."""
    if (plain := _plain(data)) is not None:
        _require_size((plain.width, plain.height), max_pixels, field)
    else:
        _check_header(data, max_pixels, field)


def _check_header(data: bytes, max_pixels: int, field: str) -> Image.Image:
    if not data:
        raise InvalidImage(field, "is empty")
    header = _read_header(data, field)
    _require_size(header.size, max_pixels, field)
    if header.format in _JPEG_FORMATS and data.count(_START_OF_SCAN) > _MAX_SCANS:
        raise InvalidImage(field, f"is a JPEG of more than {_MAX_SCANS} scans; ordinary ones have about ten")
    return header


def frame_from_raw(
    data: bytes,
    format: FrameFormat,
    width: int,
    height: int,
    stride: int,
    max_pixels: int,
    field: str = "image.raw",
) -> Frame:
    """Raw pixels as a frame, without a copy. ``stride`` 0 means rows without padding.

    Raises:
        InvalidImage: the sizes do not fit together, or are too large.
    """
    if width < 1 or height < 1:
        raise InvalidImage(field, f"width and height must be positive, not {width} x {height}")
    if width * height > max_pixels:
        raise InvalidImage(field, f"is {width} x {height} pixels; at most {max_pixels} pixels are accepted")
    if format == "nv12" and (width % 2 or height % 2):
        raise InvalidImage(field, f"NV12 needs even width and height, not {width} x {height}")
    row_bytes = width * (3 if format in ("bgr", "rgb") else 1)
    stride = stride or row_bytes
    if stride < row_bytes:
        raise InvalidImage(f"{field}.stride_bytes", f"is {stride}, a row has {row_bytes} bytes")
    rows = height * 3 // 2 if format == "nv12" else height
    shortest, longest = stride * (rows - 1) + row_bytes, stride * rows
    if not shortest <= len(data) <= longest:
        raise InvalidImage(
            f"{field}.data",
            f"has {len(data)} bytes; {width} x {height} {format} with {stride} bytes a row needs {longest}",
        )
    flat = np.frombuffer(data, dtype=np.uint8)
    shape, strides = (rows, width), (stride, 1)
    if format in ("bgr", "rgb"):
        shape, strides = (rows, width, 3), (stride, 3, 1)  # type: ignore[assignment]
    return Frame(np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False), format)


def _plain(data: bytes) -> PlainJpeg | None:
    """The header of a plain JPEG, where the decoder that will decode it agrees."""
    plain = plain_jpeg(data)
    if plain is None:
        return None
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
    except _DAMAGES:
        return None
    return plain if plain[:2] == (width, height) else None


def _require_size(size: tuple[int, int], max_pixels: int, field: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise InvalidImage(field, f"is {width} x {height} pixels; at most {max_pixels} pixels are accepted")


def _decode_plain_jpeg(data: bytes, field: str) -> Frame:
    try:
        return _decode_jpeg(data)
    except _DAMAGES as error:
        raise InvalidImage(field, f"is a damaged or cut-short JPEG file: {error}") from error


def _read_header(data: bytes, field: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise InvalidImage(field, f"is not a JPEG, PNG or WebP file{_looks_like(data)}") from error
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, struct.error) as error:
        raise InvalidImage(field, f"has a damaged header: {error}") from error


def _looks_like(data: bytes) -> str:
    known = {b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"%PDF": "PDF"}
    for start, name in known.items():
        if data.startswith(start):
            return f" but {name}"
    return " but HEIC or AVIF" if data[4:8] == b"ftyp" else ""


def _orientation(header: Image.Image) -> int:
    try:
        value = header.getexif().get(_ORIENTATION_TAG, _UPRIGHT)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return _UPRIGHT  # damaged EXIF is no reason to refuse the pixels
    return value if isinstance(value, int) and 1 <= value <= 8 else _UPRIGHT


def _unpacked_text_says_so(image: Image.Image) -> bool:
    """Of texts that are compressed in the file, as PNG's may be; Pillow bounds what they unpack to."""
    texts = (value for value in image.info.values() if isinstance(value, str))
    return any(says_synthetic(text.encode(errors="replace")) for text in texts)


def _decode_jpeg(data: bytes) -> Frame:
    # Bit for bit what cv2.imdecode gives, in 0.6 of its time (720p, one thread).
    return Frame(simplejpeg.decode_jpeg(data, colorspace="RGB"), "rgb")


def _decode_other(image: Image.Image) -> Frame:
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        wide = np.asarray(image).astype(np.uint32)
        return Frame((wide >> 8).astype(np.uint8), "gray")
    if image.mode in ("L", "1", "LA", "La"):
        return Frame(np.asarray(image.convert("L")), "gray")
    return Frame(np.asarray(image.convert("RGB")), "rgb")


# Orientation tag: how the stored rows must be turned (EXIF 2.3, 4.6.4).
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(frame: Frame, orientation: int) -> Frame:
    if orientation == _UPRIGHT:
        return frame
    turned: Pixels = np.asarray(Image.fromarray(frame.pixels).transpose(_TURNS[orientation]))
    return Frame(turned, frame.format)

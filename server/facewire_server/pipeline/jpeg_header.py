"""The size of a JPEG as cameras send them. A general parser would take a tenth of the time of decoding."""

from __future__ import annotations

from typing import Final, NamedTuple

_START: Final = b"\xff\xd8\xff"
# ITU-T T.81, table B.1: baseline and extended sequential frames; what may stand before and beside them; a scan. Not
# EXIF (E1), which may turn the picture, nor Adobe's (EE), which may mean other colours; nothing without a length.
_FRAMES: Final = (0xC0, 0xC1)
_OTHERS: Final = (0xC4, 0xDB, 0xDD, 0xE0, *range(0xE2, 0xEE), 0xEF, 0xFE)
_SCAN: Final = 0xDA
_MOST_SEGMENTS: Final = 40


class PlainJpeg(NamedTuple):
    """Width and height, and where the header ends: all its metadata lie before."""

    width: int
    height: int
    scan_at: int


def plain_jpeg(data: bytes) -> PlainJpeg | None:
    """What the header says; None for whatever needs a closer look, and for what is no JPEG.

    Plain is: 8 bits, grey or three colours, one scan, no EXIF. Whatever a decoder might read otherwise than this walk
    does is not plain: fill bytes, markers without a length, odd lengths, a second frame.
    """
    if not data.startswith(_START):
        return None
    at, size, components = 2, (0, 0), 0
    for _ in range(_MOST_SEGMENTS):
        segment = data[at : at + 10]
        if len(segment) < 10 or segment[0] != 0xFF:
            return None
        marker, length = segment[1], int.from_bytes(segment[2:4], "big")
        if marker in _FRAMES and not components:
            components = segment[9]
            if segment[4] != 8 or components not in (1, 3) or length != 8 + 3 * components:
                return None
            size = (int.from_bytes(segment[7:9], "big"), int.from_bytes(segment[5:7], "big"))
        elif marker == _SCAN:
            # A scan of all components is the only one that is decoded.
            whole = components and segment[4] == components and length == 6 + 2 * components
            return PlainJpeg(*size, at) if whole and 0 not in size else None
        elif marker not in _OTHERS or length < 2:
            return None
        at += 2 + length
    return None

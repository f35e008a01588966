"""The quick look at a JPEG: right where it answers, silent where it must not."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facewire_server.domain.errors import InvalidImage
from facewire_server.pipeline.decoding import check_image, decode_image
from facewire_server.pipeline.jpeg_header import plain_jpeg

WIDTH, HEIGHT = 70, 46
PIXELS = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def saved(mode: str = "RGB", format: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(out, format, **options)
    return out.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(exif=exif)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_cameras_send_is_read(mode: str, subsampling: int) -> None:
    plain = plain_jpeg(saved(mode, subsampling=subsampling))
    assert plain is not None
    assert plain[:2] == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "data",
    [
        saved(progressive=True),
        with_exif(),
        saved("CMYK"),
        saved(format="PNG"),
        saved(format="WEBP"),
        b"",
        b"\xff\xd8\xff",
    ],
    ids=["progressive", "exif", "cmyk", "png", "webp", "empty", "start alone"],
)
def test_what_needs_a_closer_look_is_left_alone(data: bytes) -> None:
    assert plain_jpeg(data) is None


def test_a_sequential_jpeg_of_several_scans_is_left_alone() -> None:
    """Each scan would be a walk over all pixels; the general path counts them."""
    data = bytearray(saved())
    scan = data.index(b"\xff\xda")
    data[scan + 4] = 1  # this scan holds one component of the three
    assert plain_jpeg(bytes(data)) is None


def test_both_ways_decode_alike() -> None:
    plain = saved(quality=92)
    comment = Image.Exif()
    comment[0x010E] = "a description, which turns nothing"
    turned = saved(quality=92, exif=comment)
    assert plain_jpeg(plain) is not None
    assert plain_jpeg(turned) is None
    np.testing.assert_array_equal(decode_image(plain, 10**6).pixels, decode_image(turned, 10**6).pixels)


@pytest.mark.parametrize("cut", [100, 400, 700, -3])
def test_a_cut_off_jpeg_is_an_invalid_image(cut: int) -> None:
    with pytest.raises(InvalidImage, match="damaged|header"):
        decode_image(saved()[:cut], 10**6)


def test_the_size_is_checked_before_anything_is_decoded() -> None:
    for look in (decode_image, check_image):
        with pytest.raises(InvalidImage, match=f"{WIDTH} x {HEIGHT}"):
            look(saved(), WIDTH * HEIGHT - 1)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\xff\xff", b"\xff\x01", b"\xff\xd0", b"\x00"], ids=str)
def test_what_a_decoder_skips_cannot_hide_a_large_picture(filler: bytes) -> None:
    """A decoder skips these; a walk that took them for segments would jump over the real frame to a small false one."""
    whole = saved()
    comment = segment(0xFE, b"x" * 64)
    false = segment(0xC0, bytes([8, 0, 10, 0, 10, 1, 1, 0x11, 0])) + segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
    for crafted in (
        whole[:2] + filler + comment + whole[2:],
        whole[:2] + filler + segment(0xFE, false * 40) + whole[2:],
        whole[:2] + segment(0xFE, b"") + filler + whole[2:],
    ):
        assert (plain_jpeg(crafted) or (WIDTH, HEIGHT))[:2] == (WIDTH, HEIGHT)
    assert plain_jpeg(whole[:2] + filler + comment + whole[2:]) is None


def test_a_second_frame_is_no_plain_jpeg() -> None:
    whole = saved()
    small = segment(0xC0, bytes([8, 0, 10, 0, 10, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]))
    assert plain_jpeg(whole[:2] + small + whole[2:]) is None


@given(st.data())
def test_damage_is_never_a_crash(data: st.DataObject) -> None:
    """Bytes of the header changed, or cut: an answer or None; and decoding answers or says what is wrong."""
    whole = bytearray(saved())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 640))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    size = plain_jpeg(damaged)
    with suppress(InvalidImage):
        frame = decode_image(damaged, 10**6)
        assert size is None or size[:2] == (frame.width, frame.height)

"""Marks of pictures that a model made: written, read back, and understood of other programs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from facewire import synthetic
from facewire_server.pipeline.decoding import decode_image
from tests.pictures import encoded

TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a Iptc4xmpExt:DigitalSourceType="{}"/></x:xmpmeta>'
PIXELS = np.random.default_rng(3).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def test_the_pixels_are_kept_and_the_file_says_what_it_is() -> None:
    data = synthetic.marked_png(PIXELS, 'a "tool" & more')
    picture = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(picture), PIXELS)
    assert picture.info["Software"] == 'a "tool" & more'
    assert "Synthetic picture" in picture.info["Comment"]
    assert "trainedAlgorithmicMedia" in picture.info["XML:com.adobe.xmp"]
    assert synthetic.says_synthetic(data)
    assert decode_image(data, 10**6).synthetic


def test_a_visible_mark_is_in_the_corner_alone() -> None:
    data = synthetic.marked_png(PIXELS, "tool", visible=True)
    changed = np.any(np.asarray(Image.open(io.BytesIO(data))) != PIXELS, axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 40
    assert rows.min() > 48
    assert columns.min() > 24


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("term", "is_synthetic"),
    [
        ("trainedAlgorithmicMedia", True),
        ("compositeWithTrainedAlgorithmicMedia", True),
        ("compositeSynthetic", True),
        ("algorithmicMedia", True),
        ("digitalCapture", False),
        ("algorithmicallyEnhanced", False),  # what cameras of telephones say of any picture
    ],
)
def test_marks_of_other_programs_are_understood(format: str, term: str, is_synthetic: bool) -> None:
    packet = XMP.format(TERMS + term).encode()
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode())
        data = encoded(Image.fromarray(PIXELS), "PNG", pnginfo=text)
    else:
        data = encoded(Image.fromarray(PIXELS), format, xmp=packet)
    assert packet in data, "the test's file carries the packet"
    assert decode_image(data, 10**6).synthetic is is_synthetic


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_ordinary_pictures_are_not_synthetic(format: str) -> None:
    assert not decode_image(encoded(Image.fromarray(PIXELS), format), 10**6).synthetic


def test_the_mark_outlives_the_turning_of_a_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    packet = XMP.format(synthetic.MADE_BY_MODEL).encode()
    frame = decode_image(encoded(Image.fromarray(PIXELS), "JPEG", exif=exif, xmp=packet), 10**6)
    assert (frame.width, frame.height) == (64, 48), "turned"
    assert frame.synthetic


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_contact_sheet_shows_every_picture_once(count: int) -> None:
    shades = [np.full((20, 20, 3), 10 + 20 * n, np.uint8) for n in range(count)]
    sheet = synthetic.contact_sheet([synthetic.marked_png(shade, "tool") for shade in shades], "tool")
    assert synthetic.says_synthetic(sheet)
    levels, areas = np.unique(np.asarray(Image.open(io.BytesIO(sheet)))[:, :, 0], return_counts=True)
    found = dict(zip(levels.tolist(), areas.tolist(), strict=True))
    assert all(found[10 + 20 * n] == 400 for n in range(count))


@pytest.mark.parametrize("marker", [0xE1, 0xEB, 0xED, 0xEF, 0xFE], ids=["APP1", "APP11", "APP13", "APP15", "COM"])
def test_marks_are_found_wherever_a_jpeg_has_metadata(marker: int) -> None:
    plain = encoded(Image.fromarray(PIXELS), "JPEG")
    data = f"anything {synthetic.MADE_BY_MODEL}".encode()
    segment = bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data
    assert decode_image(plain[:2] + segment + plain[2:], 10**6).synthetic
    assert not decode_image(plain, 10**6).synthetic


@pytest.mark.parametrize("after", [b"", b"msoftwareAgent", b"\x00", b'"'], ids=["end", "letter", "zero", "quote"])
def test_marks_in_binary_metadata_may_be_followed_by_anything(after: bytes) -> None:
    """C2PA's are CBOR: the length of the next key may be a letter."""
    assert synthetic.says_synthetic(b"jumbo" + synthetic.MADE_BY_MODEL.encode() + after)


def test_a_compressed_mark_is_found() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.format(synthetic.MADE_BY_MODEL), zip=True)
    data = encoded(Image.fromarray(PIXELS), "PNG", pnginfo=text)
    assert synthetic.MADE_BY_MODEL.encode() not in data
    assert decode_image(data, 10**6).synthetic

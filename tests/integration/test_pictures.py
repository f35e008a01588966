"""Every kind of picture that people send gives the same face; what is no picture is refused precisely."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image, ImageOps

import facewire
from facewire.v1 import image_pb2, recognition_pb2, recognition_pb2_grpc
from tests.conftest import RunningServer
from tests.pictures import encoded, read_bgr, to_nv12

ORIENTATION = 0x0112


def face_of(client: facewire.Client, image: facewire.ImageLike) -> facewire.Face:
    (face,) = client.detect(image).faces
    return face


def assert_same_face(a: facewire.Face, b: facewire.Face, tolerance_px: float) -> None:
    assert np.abs(np.array(a.box) - np.array(b.box)).max() <= tolerance_px
    assert np.abs(np.array(a.landmarks) - np.array(b.landmarks)).max() <= tolerance_px


def stored_turned(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels as a camera with this orientation tag would store them."""
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright if orientation == 1 else upright.transpose(turn[orientation])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_all_eight_exif_orientations_give_the_same_face(
    client: facewire.Client, samples: Path, orientation: int, format: str
) -> None:
    upright = Image.open(samples / "person_b_1.jpg").convert("RGB")
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    best: dict[str, dict[str, Any]] = {"JPEG": {"quality": 97, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = best.get(format, {})
    data = encoded(stored_turned(upright, orientation), format, exif=exif, **options)
    # Pillow turns it for us: the same pixels, without the noise of a second JPEG, which a detector sees.
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert np.abs(np.asarray(turned, int) - np.asarray(upright, int)).mean() < 3, "as it was"
    assert_same_face(face_of(client, data), face_of(client, encoded(turned, "PNG")), tolerance_px=2.0)


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "LA", "I;16", "RGB-webp", "RGB-mpo"])
def test_every_colour_mode_is_read(client: facewire.Client, samples: Path, mode: str) -> None:
    upright = Image.open(samples / "person_b_1.jpg").convert("RGB")
    if mode == "CMYK":
        data = encoded(upright.convert("CMYK"), "JPEG", quality=95)
    elif mode == "I;16":
        wide = np.asarray(upright.convert("L")).astype(np.uint16) * 257
        data = encoded(Image.fromarray(wide), "PNG")
    elif mode == "RGB-webp":
        data = encoded(upright, "WEBP", quality=95)
    elif mode == "RGB-mpo":
        data = encoded(upright, "MPO", save_all=True, append_images=[upright.resize((80, 100))], quality=95)
    elif mode == "RGBA":
        data = encoded(upright.convert("RGBA"), "PNG")
    else:
        data = encoded(upright.convert("L").convert("LA") if mode == "LA" else upright.convert(mode), "PNG")
    # The face is 290 px wide; 216 dithered colours move the detector's landmarks the most.
    assert_same_face(face_of(client, data), face_of(client, encoded(upright, "PNG")), tolerance_px=16.0)


def test_raw_frames_give_the_same_face(client: facewire.Client, samples: Path) -> None:
    whole = read_bgr(samples / "person_b_1.jpg")
    bgr = np.ascontiguousarray(whole[: whole.shape[0] // 2 * 2, : whole.shape[1] // 2 * 2])
    wanted = face_of(client, bgr)
    rgb = facewire.RawFrame(np.ascontiguousarray(bgr[..., ::-1]), "rgb")
    assert_same_face(face_of(client, rgb), wanted, tolerance_px=0.01)
    nv12 = facewire.RawFrame(to_nv12(bgr), "nv12")
    assert_same_face(face_of(client, nv12), wanted, tolerance_px=3.0)


def test_a_raw_frame_may_have_padded_rows(client: facewire.Client, server: RunningServer, samples: Path) -> None:
    bgr = read_bgr(samples / "person_a_1.jpg")
    height, width = bgr.shape[:2]
    padded = np.zeros((height, width * 3 + 50), dtype=np.uint8)
    padded[:, : width * 3] = bgr.reshape(height, -1)
    raw = image_pb2.RawImage(
        format=image_pb2.PIXEL_FORMAT_BGR,
        width=width,
        height=height,
        stride_bytes=padded.shape[1],
        data=padded.tobytes(),
    )
    with grpc.insecure_channel(server.target) as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        answer = stub.DetectFaces(recognition_pb2.DetectFacesRequest(image=image_pb2.Image(raw=raw)))
    assert answer.faces[0].box.x == pytest.approx(face_of(client, bgr).box.x, abs=1e-3)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def truncated_jpeg(samples: Path) -> bytes:
    return (samples / "person_b_1.jpg").read_bytes()[:20_000]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"this is a text file named .jpg\n" * 40, "is not a JPEG, PNG or WebP file"),
        (png_header(30_000, 30_000), "30000 x 30000 pixels; at most"),
        (png_header(100, 100), "damaged or cut-short PNG"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "JPEG"),
        (b"GIF89a" + b"\0" * 100, "is not a JPEG, PNG or WebP file"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 30, "damaged header"),
    ],
    ids=["empty", "text", "bomb", "hollow-png", "hollow-jpeg", "gif", "hollow-webp"],
)
def test_what_is_no_picture_is_refused(client: facewire.Client, data: bytes, words: str) -> None:
    with pytest.raises(facewire.InvalidArgumentError, match=words) as caught:
        client.detect(data)
    assert caught.value.reason == "INVALID_IMAGE"
    assert caught.value.field == "image.encoded"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_cut_short_file_is_refused(client: facewire.Client, samples: Path, format: str) -> None:
    whole = encoded(Image.open(samples / "person_b_1.jpg").convert("RGB"), format)
    with pytest.raises(facewire.InvalidArgumentError, match="damaged or cut-short|damaged header|is not a"):
        client.detect(whole[: len(whole) * 2 // 3])


def test_a_one_pixel_picture_has_no_face(client: facewire.Client) -> None:
    answer = client.detect(encoded(Image.new("RGB", (1, 1)), "PNG"))
    assert answer.faces == ()
    assert answer.image_size == (1, 1)


def test_a_bomb_is_refused_without_decoding_it(client: facewire.Client) -> None:
    """20,000 x 20,000 pixels of one colour are 1.2 GB decoded and 200 kB encoded; refused in milliseconds."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    with pytest.raises(facewire.InvalidArgumentError, match="20000 x 20000 pixels"):
        client.detect(buffer.getvalue())


def raw(
    width: int, height: int, data: bytes, format: Any = image_pb2.PIXEL_FORMAT_BGR, stride: int = 0
) -> image_pb2.Image:
    return image_pb2.Image(
        raw=image_pb2.RawImage(
            format=format,
            width=width,
            height=height,
            stride_bytes=stride,
            data=data,
        )
    )


@pytest.mark.parametrize(
    ("image", "field"),
    [
        (raw(10, 10, b"\0" * 299), "image.raw.data"),
        (raw(10, 10, b"\0" * 301), "image.raw.data"),
        (raw(0, 10, b""), "image.raw"),
        (raw(10, 10, b"\0" * 300, stride=29), "image.raw.stride_bytes"),
        (raw(11, 10, b"\0" * 165, image_pb2.PIXEL_FORMAT_NV12), "image.raw"),
        (raw(100_000, 100_000, b"\0" * 10), "image.raw"),
        (raw(4_294_967_295, 4_294_967_295, b"\0" * 10), "image.raw"),
        (raw(10, 10, b"\0" * 300, format=0), "image.raw.format"),
        (raw(10, 10, b"\0" * 300, format=77), "image.raw.format"),
        (image_pb2.Image(), "image"),
    ],
)
def test_raw_frames_that_contradict_themselves_are_refused(
    server: RunningServer, image: image_pb2.Image, field: str
) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.DetectFaces(recognition_pb2.DetectFacesRequest(image=image))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(field + ":")


def test_the_client_refuses_what_cannot_be_sent(client: facewire.Client, tmp_path: Path) -> None:
    with pytest.raises(facewire.ImageError, match="No such file"):
        client.detect(tmp_path / "missing.jpg")
    with pytest.raises(facewire.ImageError, match="uint8"):
        client.detect(np.zeros((10, 10, 3), dtype=np.float32))
    with pytest.raises(facewire.ImageError, match="shape"):
        client.detect(np.zeros((10, 10, 4), dtype=np.uint8))
    with pytest.raises(facewire.ImageError, match="not int"):
        client.detect(7)  # type: ignore[arg-type]

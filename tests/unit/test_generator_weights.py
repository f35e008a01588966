"""A generator's weights out of a PyTorch checkpoint: nothing in it is run, and the network computes what it should."""

from __future__ import annotations

import os
import pickle
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from facewire_server.inference.conversion import ConversionError, convert_to_ir
from facewire_server.inference.dcgan import DcganError, build_generator
from facewire_server.inference.quiet_openvino import ov
from facewire_server.inference.torch_archive import TorchArchiveError, read_tensors
from tests.torch_checkpoint import write_archive, write_checkpoint

Array = npt.NDArray[np.float32]
KEY = "netG_state_dict"


def small_generator(latent: int = 5, planes: int = 4) -> dict[str, Array]:
    """Latent -> 4 x 4 -> 8 x 8 x 3."""
    random = np.random.default_rng(7)

    def normal(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    return {
        "main.0.weight": normal(latent, planes, 4, 4),
        "main.1.weight": normal(planes),
        "main.1.bias": normal(planes),
        "main.1.running_mean": normal(planes),
        "main.1.running_var": np.abs(normal(planes)) + np.float32(0.1),
        "main.3.weight": normal(planes, 3, 4, 4),
    }


def transposed_convolution(x: Array, weight: Array, stride: int, padding: int) -> npt.NDArray[np.float64]:
    """By its definition: every input value adds its kernel to the output."""
    channels, height, width = x.shape
    out = np.zeros((weight.shape[1], (height - 1) * stride + 4, (width - 1) * stride + 4))
    for c in range(channels):
        for row in range(height):
            for column in range(width):
                y, z = row * stride, column * stride
                out[:, y : y + 4, z : z + 4] += float(x[c, row, column]) * weight[c]
    return out[:, padding : out.shape[1] - padding or None, padding : out.shape[2] - padding or None]


def test_tensors_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = small_generator()
    write_checkpoint(tmp_path / "weights.tar", written)
    read = read_tensors(tmp_path / "weights.tar", KEY)
    assert list(read) == list(written)
    for name, values in written.items():
        assert np.array_equal(read[name], values), name


def test_the_network_is_a_dcgan_by_its_definition() -> None:
    tensors = small_generator()
    compiled = ov.compile_model(build_generator(tensors), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    z = np.random.default_rng(8).normal(size=(1, 5, 1, 1)).astype(np.float32)
    image = compiled({"z": z})["image"][0]
    hidden = transposed_convolution(z[0], tensors["main.0.weight"], 1, 0)
    mean, variance, weight, bias = (
        tensors[f"main.1.{name}"][:, None, None].astype(np.float64)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    hidden = np.maximum((hidden - mean) / np.sqrt(variance + 1e-5) * weight + bias, 0)
    expected = np.tanh(transposed_convolution(hidden.astype(np.float32), tensors["main.3.weight"], 2, 1))
    assert image.shape == (3, 8, 8)
    assert np.abs(image - expected).max() < 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"main.1.running_var": np.ones(7, np.float32)}, "main.1.running_var is missing, or has not 4 values"),
        ({"main.3.weight": np.ones((4, 2, 4, 4), np.float32)}, "gives 2 planes"),
        ({"main.3.weight": np.ones((9, 3, 4, 4), np.float32)}, r"main.3.weight has shape \(9, 3, 4, 4\)"),
        ({"main.0.bias": np.ones(4, np.float32)}, "main.0.bias has no place in a DCGAN without biases"),
        ({"main.0.weight": np.ones(3, np.float32), "main.3.weight": np.ones(3, np.float32)}, "no transposed"),
    ],
)
def test_tensors_that_do_not_fit_are_told_by_name(change: dict[str, Array], message: str) -> None:
    with pytest.raises(DcganError, match=message):
        build_generator({**small_generator(), **change})


class Attack:
    """What pickles of strangers are feared for."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.victim),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_in_a_checkpoint_is_run(tmp_path: Path, protocol: int) -> None:
    victim = tmp_path / "made-by-the-file"
    file = tmp_path / "weights.tar"
    pickled = pickle.dumps({KEY: Attack(victim)}, protocol=protocol)
    write_archive(file, pickled, [])
    pickle.loads(pickled)  # noqa: S301 - our own
    assert victim.exists(), "the attack is one"
    victim.rmdir()
    with pytest.raises(TorchArchiveError, match=r"names posix\.mkdir, which is not read"):
        read_tensors(file, KEY)
    assert not victim.exists()
    with pytest.raises(ConversionError, match=r"weights\.tar cannot be converted: .*posix\.mkdir"):
        convert_to_ir(file, "dcgan-torch", tmp_path / "out.xml")


@pytest.mark.parametrize("content", [b"", b"PK no zip", pickle.dumps({"a": 1})])
def test_other_files_are_told_to_be_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.tar"
    file.write_bytes(content)
    with pytest.raises(TorchArchiveError, match=r"weights\.tar is no PyTorch checkpoint of plain tensors"):
        read_tensors(file, KEY)


_T = b"ctorch._utils\n_rebuild_tensor_v2\n"
_S = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"  # its length and "tQ" follow


def tensor(length: bytes, offset: bytes, shape: bytes, stride: bytes) -> bytes:
    """A pickle of {"netG_state_dict": {"a": a tensor of data/0}}."""
    call = _T + b"(" + _S + length + b"tQ" + offset + shape + stride + b"\x89}tR"
    return b"\x80\x02}X\x0f\0\0\0netG_state_dict}X\x01\0\0\0a" + call + b"ss."


def number(value: int) -> bytes:
    data = value.to_bytes(16, "little", signed=True)
    return b"\x8a\x10" + data


def tuple_of(*values: int) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (tensor(number(4), number(0), tuple_of(5), tuple_of(1)), "reaches beyond its storage"),
        (tensor(number(4), number(1), tuple_of(4), tuple_of(1)), "reaches beyond its storage"),
        (tensor(number(4), number(4), tuple_of(), tuple_of()), "reaches beyond its storage"),
        (tensor(number(4), number(0), tuple_of(2, 2), tuple_of(9, 1)), "reaches beyond its storage"),
        # Shown several times, four numbers would become a gigabyte.
        (tensor(number(4), number(0), tuple_of(1 << 28), tuple_of(0)), "reaches beyond its storage"),
        (tensor(number(4), number(-1), tuple_of(4), tuple_of(1)), "impossible sizes"),
        (tensor(number(4), number(0), tuple_of(1 << 70), tuple_of(1)), "impossible sizes"),
        (tensor(number(4), number(0), tuple_of(-4), tuple_of(-1)), "impossible sizes"),
        (tensor(number(4), number(0), tuple_of(2, 2), tuple_of(1)), "shape and stride do not fit"),
        (tensor(number(1 << 28), number(0), tuple_of(1 << 28), tuple_of(1)), "more than 1024 MiB"),
        (tensor(number(9), number(0), tuple_of(9), tuple_of(1)), "data/0 is cut short"),
        (tensor(number(3), number(0), tuple_of(3), tuple_of(1)), "data/0 has more than 12 bytes"),
        # Memo places up to any number make Python's unpickler fill as much memory.
        (b"\x80\x02}r\xff\xff\xff\x7fX\x01\0\0\0aK\x01s.", None),
        # A tuple of itself, twice, and so on: as a key it would be hashed for ever.
        (b"\x80\x02})" + b"q\0h\0\x86" * 60 + b"K\x01s.", "keys are no texts"),
        # Numbers that all have the same hash.
        (
            b"\x80\x02}(" + b"".join(number(k * (2**61 - 1)) + b"N" for k in range(1, 30_000)) + b"u.",
            "keys are no texts",
        ),
        (b"\x80\x02cverylong\n" + b"x" * 100_000 + b"\n.", r"verylong\.x{70,72}, which"),
        (b"\x80\x02}X\x01\0\0\0a" + _T + b"}b.", "sets attributes"),
        (b"\x80\x02" + _T + b")R.", "calls something"),
        (b"\x80\x02}X\x01\0\0\0a", "exhausted before|does not end"),
        (b"\x80\x02h\x05.", "no PyTorch checkpoint"),
        (b"\x80\x02t.", "no PyTorch checkpoint"),
        (b"\x80\x02)\x81.", "instruction NEWOBJ"),
        (b"\x80\x02K\x01.", "holds no dictionary"),
    ],
)
def test_crafted_pickles_cost_nothing_and_are_refused(tmp_path: Path, pickled: bytes, message: str | None) -> None:
    file = tmp_path / "weights.tar"
    write_archive(file, pickled, [np.arange(4, dtype="<f4").tobytes()])
    start = time.perf_counter()
    if message is None:
        assert read_tensors(file, KEY) == {}
    else:
        with pytest.raises(TorchArchiveError, match=message):
            read_tensors(file, KEY)
    assert time.perf_counter() - start < 1


def test_the_crafted_tensors_are_wrong_where_they_are_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"
    write_archive(
        file, tensor(number(4), number(1), tuple_of(1, 3), tuple_of(3, 1)), [np.arange(4, dtype="<f4").tobytes()]
    )
    assert read_tensors(file, KEY)["a"].tolist() == [[1, 2, 3]]


def test_a_directory_that_points_beyond_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"
    write_checkpoint(file, small_generator())
    whole = bytearray(file.read_bytes())
    entry = whole.index(b"PK\x01\x02")
    whole[entry + 20 : entry + 28] = (len(whole) * 2).to_bytes(4, "little") * 2  # sizes of the first member
    file.write_bytes(whole)
    with pytest.raises(TorchArchiveError, match="no PyTorch checkpoint"):
        read_tensors(file, KEY)
    whole[entry + 8] |= 1  # encrypted
    file.write_bytes(whole)
    with pytest.raises(TorchArchiveError, match="no PyTorch checkpoint"):
        read_tensors(file, KEY)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(tmp_path: Path, method: int) -> None:
    """A small one could unpack to gigabytes."""
    plain, file = tmp_path / "plain.tar", tmp_path / "weights.tar"
    write_checkpoint(plain, small_generator())
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(file, "w", method) as packed:
        for name in source.namelist():
            packed.writestr(name, source.read(name))
    with pytest.raises(TorchArchiveError, match="is compressed"):
        read_tensors(file, KEY)


def test_the_tensors_may_be_the_file_itself(tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"
    write_checkpoint(file, small_generator(), key=None)
    assert len(read_tensors(file, KEY)) == 6

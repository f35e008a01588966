"""A generator's weights out of a PyTorch checkpoint: nothing in it is run, and the network computes what it should."""

from __future__ import annotations

import os
import pickle
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


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    victim = tmp_path / "made-by-the-file"
    file = tmp_path / "weights.tar"
    write_archive(file, pickle.dumps({KEY: Attack(victim)}, protocol=2), [])
    pickle.loads(pickle.dumps(Attack(victim)))  # noqa: S301 - our own
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


def test_a_tensor_cannot_reach_beyond_its_storage(tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"
    write_checkpoint(file, {"main.0.weight": np.ones(12, np.float32)}, shape=(1 << 20,))
    with pytest.raises(TorchArchiveError, match="reaches beyond its storage"):
        read_tensors(file, KEY)


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    file = tmp_path / "weights.tar"
    write_checkpoint(file, small_generator(), key="netD")
    with pytest.raises(TorchArchiveError, match="holds no 'netG_state_dict'"):
        read_tensors(file, KEY)

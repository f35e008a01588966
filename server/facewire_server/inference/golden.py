"""Does a device compute what it should? A fixed test pattern goes in, the answer is compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from facewire_server.domain.ports import Tensor
from facewire_server.inference.specs import GoldenAnswer, InputSpec

_FIRST_VALUES = 4
_PLANES = 3
_SMALLEST_SCALE = 0.01  # outputs that are nearly zero throughout differ in their last bits


class WrongAnswer(Exception):
    """The device's answer is not the golden one."""


def pattern(shape: tuple[int, ...], spec: InputSpec | None = None) -> Tensor:
    """Waves of 0..255 over a (n, 3, H, W) input: the same on every machine, to the last bit that matters.

    With ``spec`` as the model takes its pixels. Other than three planes are no picture, but latent numbers: -1..1.
    """
    n, channels, height, width = shape
    x = np.arange(width, dtype=np.float64)
    y = np.arange(height, dtype=np.float64)[:, None]
    planes = [127.5 + 127.5 * np.sin(0.11 * (c + 1) * x + 0.07 * y) for c in range(channels)]
    waves = np.stack(planes)
    if channels != _PLANES:
        waves = waves / 127.5 - 1.0
    elif spec is not None:
        waves = (waves - np.reshape(spec.mean, (3, 1, 1))) * np.reshape(spec.scale, (3, 1, 1))
    return np.broadcast_to(waves, (n, channels, height, width)).astype(np.float32)


def summary(outputs: Mapping[str, Tensor]) -> dict[str, tuple[float, ...]]:
    """Of each output: its first four values, its mean, its mean magnitude and its largest magnitude."""
    numbers = {}
    for name, value in outputs.items():
        flat = value.astype(np.float64).ravel()
        magnitude = np.abs(flat)
        numbers[name] = (
            *(float(v) for v in flat[:_FIRST_VALUES]),
            float(flat.mean()),
            float(magnitude.mean()),
            float(magnitude.max()),
        )
    return numbers


def compare(found: Mapping[str, tuple[float, ...]], golden: Mapping[str, tuple[float, ...]], tolerance: float) -> None:
    """Compares two summaries; the tolerance is relative to the golden's largest magnitude.

    Raises:
        WrongAnswer: with the output and the numbers.
    """
    for name, wanted in golden.items():
        if name not in found:
            raise WrongAnswer(f"output '{name}' is missing")
        scale = max(abs(wanted[-1]), _SMALLEST_SCALE)
        for got, want in zip(found[name], wanted, strict=True):
            if not abs(got - want) <= tolerance * scale:
                raise WrongAnswer(f"output '{name}': {got:.6g} instead of {want:.6g}")


def check_stored(outputs: Mapping[str, Tensor], golden: GoldenAnswer) -> None:
    """Compares with the answer stored in the manifest; raises WrongAnswer."""
    compare(summary(outputs), golden.values, golden.tolerance)

"""Pictures of nothing: stripes, boards, noise, ramps, plain colours, rings, blots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, Levels, Levels], Levels]
_SEED: Final = 3


def patterns(count: int, side: int) -> Iterator[npt.NDArray[np.uint8]]:
    """So many, always the same: uint8 (side, side, 3)."""
    random = np.random.default_rng(_SEED)
    y, x = np.mgrid[0:side, 0:side] / side
    for number in range(count):
        levels = _KINDS[number % len(_KINDS)](random, x, y)[:, :, np.newaxis]
        first, second = random.integers(0, 256, 3), random.integers(0, 256, 3)
        yield (first + (second - first) * levels).round().clip(0, 255).astype(np.uint8)


def _stripes(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    across, down = random.uniform(1, 20, 2)
    return np.sin(2 * np.pi * (x * across + y * down)) / 2 + 0.5


def _board(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    fields = random.integers(2, 20)
    return (np.floor(x * fields) + np.floor(y * fields)) % 2


def _noise(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    return random.random(x.shape)


def _ramp(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    across, down = random.uniform(-1, 1, 2)
    levels = x * across + y * down
    return (levels - levels.min()) / (np.ptp(levels) + 1e-6)


def _plain(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    return np.full(x.shape, random.random())


def _rings(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    return np.sin(np.hypot(x - 0.5, y - 0.5) * random.uniform(10, 80)) / 2 + 0.5


def _blots(random: np.random.Generator, x: Levels, y: Levels) -> Levels:
    waves = random.uniform(-1, 1, (12, 4))
    levels = sum(a * np.sin(2 * np.pi * (4 * b * x + 4 * c * y + d)) for a, b, c, d in waves)
    return np.asarray((levels - np.min(levels)) / np.ptp(levels))


_KINDS: Final[tuple[Draw, ...]] = (_stripes, _board, _noise, _ramp, _plain, _rings, _blots)

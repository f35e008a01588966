"""Faces of nobody: from a seed to marked picture files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

import numpy as np

from facewire import synthetic
from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import InvalidArgument, PreconditionFailed
from facewire_server.domain.generation import FaceGenerator
from facewire_server.domain.stages import StageClock

_SEED_BITS: Final = 32
_WIDEST: Final = 2.0
_BESIDE_PIXELS: Final = 4096  # bytes of a file or message


@dataclass(frozen=True, slots=True)
class GenerationOrder:
    """What is wanted.

    Attributes:
        count: how many faces.
        seed: None: a random one.
        spread: standard deviation of the latent numbers.
        visible_mark: also in the pixels.
    """

    count: int
    seed: int | None
    spread: float
    visible_mark: bool


@dataclass(frozen=True, slots=True)
class GeneratedFaces:
    """PNG files, all of one size, the seed that made them and the model's name."""

    files: list[bytes]
    size: int
    seed: int
    model: str


class FaceStudio:
    """Makes faces, if a generator is configured. Thread-safe.

    Args:
        generator: None where it is off.
        max_faces: in one call.
        max_bytes: of an answer.
        tool: what the files name as their maker.
    """

    def __init__(self, generator: FaceGenerator | None, max_faces: int, max_bytes: int, tool: str) -> None:
        self._generator = generator
        if generator is not None:
            # PNG files are hardly ever larger than the pixels.
            max_faces = min(max_faces, max_bytes // (generator.size**2 * 3 + _BESIDE_PIXELS) or 1)
        self._max_faces = max_faces
        self._tool = tool

    def check(self, order: GenerationOrder) -> None:
        """Before any work.

        Raises:
            PreconditionFailed: no generator is configured.
            InvalidArgument: a wish out of range.
        """
        self._configured()
        if not 1 <= order.count <= self._max_faces:
            raise InvalidArgument(
                "count", f"must be from 1 to {self._max_faces} (generation.max_faces, and the largest message)"
            )
        if not 0 < order.spread <= _WIDEST:
            raise InvalidArgument("spread", f"must be above 0 and at most {_WIDEST:g}")

    def generate(self, order: GenerationOrder, budget: Budget, clock: StageClock) -> GeneratedFaces:
        """The faces; raises as :meth:`check`, and DeadlineExpired between two of them."""
        self.check(order)
        generator = self._configured()
        seed = secrets.randbits(_SEED_BITS) if order.seed is None else order.seed
        normal = np.random.default_rng(seed)
        tool = f"{self._tool} ({generator.name})"
        files = []
        for _ in range(order.count):
            budget.check()
            latent = normal.standard_normal(generator.latent, dtype=np.float32) * np.float32(order.spread)
            pixels = generator.generate(latent, clock)
            with clock.stage("generate"):
                files.append(synthetic.marked_png(pixels, tool, visible=order.visible_mark))
        return GeneratedFaces(files, generator.size, seed, generator.name)

    def _configured(self) -> FaceGenerator:
        if self._generator is None:
            raise PreconditionFailed(
                "this server makes no faces: its operator may set generation.model", "NOT_CONFIGURED"
            )
        return self._generator

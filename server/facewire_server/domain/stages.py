"""Times of a call's stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Stage = Literal["queue", "decode", "detect", "align", "embed", "search", "liveness", "attributes", "mesh", "generate"]


class StageClock:
    """Adds up the milliseconds of each stage of one call. For one thread at a time."""

    def __init__(self) -> None:
        self.ms: dict[Stage, float] = {}

    def add(self, stage: Stage, seconds: float) -> None:
        """Counts time measured elsewhere."""
        self.ms[stage] = self.ms.get(stage, 0.0) + seconds * 1e3

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Counts the time of a block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start)

"""Faces of nobody, without a server: limits, seeds, times."""

from __future__ import annotations

import numpy as np
import pytest

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import CallCancelled, InvalidArgument, PreconditionFailed
from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Pixels
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.generating import FaceStudio, GenerationOrder


class Painter:
    """A generator whose faces are one grey level: no network is needed for what is tested here."""

    name, latent = "painter", 3

    def __init__(self, size: int = 8) -> None:
        self.size = size
        self.seen: list[FloatArray] = []

    def generate(self, latent: FloatArray, clock: StageClock) -> Pixels:
        self.seen.append(latent)
        return np.zeros((self.size, self.size, 3), np.uint8)


def order(count: int = 1, seed: int | None = 1, spread: float = 1.0) -> GenerationOrder:
    return GenerationOrder(count, seed, spread, visible_mark=False)


def test_without_a_generator_it_says_what_to_configure() -> None:
    with pytest.raises(PreconditionFailed, match=r"generation\.model") as caught:
        FaceStudio(None, 64, 1 << 20, "tool").check(order())
    assert caught.value.reason == "NOT_CONFIGURED"


def test_an_answer_that_no_message_can_hold_is_refused_before_it_is_made() -> None:
    painter = Painter(512)
    studio = FaceStudio(painter, 1000, 32 << 20, "tool")
    studio.check(order(42))
    with pytest.raises(InvalidArgument, match="count: must be from 1 to 42"):
        studio.generate(order(43), Budget(60), StageClock())
    assert not painter.seen


@pytest.mark.parametrize("spread", [0.0, -1.0, 2.1, float("nan"), float("inf")])
def test_spreads_out_of_range_are_refused(spread: float) -> None:
    with pytest.raises(InvalidArgument, match="spread: must be above 0"):
        FaceStudio(Painter(), 64, 1 << 20, "tool").check(order(spread=spread))


def test_spread_scales_the_numbers() -> None:
    painter = Painter()
    studio = FaceStudio(painter, 64, 1 << 20, "tool")
    for spread in (1.0, 0.5):
        studio.generate(order(2, seed=2**64 - 1, spread=spread), Budget(60), StageClock())
    assert np.allclose(np.stack(painter.seen[:2]) * 0.5, np.stack(painter.seen[2:]))


def test_a_caller_who_left_is_not_worked_for() -> None:
    painter, budget = Painter(), Budget(60)
    budget.cancel()
    with pytest.raises(CallCancelled):
        FaceStudio(painter, 64, 1 << 20, "tool").generate(order(3), budget, StageClock())
    assert not painter.seen


def test_files_count_in_the_time() -> None:
    clock = StageClock()
    FaceStudio(Painter(256), 64, 32 << 20, "tool").generate(order(8), Budget(60), clock)
    assert clock.ms["generate"] > 0

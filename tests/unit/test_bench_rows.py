"""The benchmark's arithmetic: ratios the right way round, goals held, a slower kernel noticed."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from facewire.cli.bench_load import percentiles
from tests.bench import check
from tests.bench.row import alternate, at_most, faster, quartiles


def test_a_ratio_above_one_means_ours_is_faster() -> None:
    row = faster("x", ("ours", [1.0, 2.0, 1.0]), ("peer", [3.0, 4.0, 2.0]), 2.0)
    assert row.ratio == 2.0
    assert row.met
    assert (row.our_value, row.peer_value) == (1000.0, 3000.0)
    assert row.spread == (2.0, 2.5)
    assert not faster("x", ("ours", [1.0, 2.0, 1.0]), ("peer", [3.0, 4.0, 2.0]), 2.01).met


def test_a_limit_is_a_limit() -> None:
    assert at_most("x", "ours", 3.0, "s", 3.0).met
    assert not at_most("x", "ours", 3.01, "s", 3.0).met


def test_turns_alternate_and_times_are_of_one_call() -> None:
    order: list[str] = []

    def work(name: str, seconds: float) -> None:
        order.append(name)
        time.sleep(seconds)

    took = alternate({"a": lambda: work("a", 0.002), "b": lambda: work("b", 0.02)}, rounds=3, seconds=0.02)
    assert [len(times) for times in took.values()] == [3, 3]
    assert all(0.002 <= t < 0.02 for t in took["a"])
    assert all(0.02 <= t < 0.1 for t in took["b"])
    after_warm_up = [name for i, name in enumerate(order[4:], 4) if order[i - 1] != name]
    assert after_warm_up[-5:] == ["b", "a", "b", "a", "b"]


def test_quartiles_of_one_round() -> None:
    assert quartiles([2.0]) == (2.0, 2.0)


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(i) for i in range(1, 201)]
    assert percentiles(values, 50, 99, 100) == [100.0, 198.0, 200.0]
    assert percentiles([7.0], 50, 99) == [7.0, 7.0]


BASELINE: dict[str, object] = {"compiler": "c++ 1", "instructions": {"align": 1000}, "ratio to OpenCV": {"align": 5.0}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"instructions": {"align": 1040}}, "align"),
        ({"instructions": {"align": 1040}, "compiler": "c++ 2"}, None),
        ({"instructions": {"align": 1400}, "compiler": "c++ 2"}, "align"),
        ({"ratio to OpenCV": {"align": 2.9}}, "align"),
        ({"instructions": {"align": 1000, "search": 5}}, "search is new"),
        ({"instructions": {}}, "align is gone"),
    ],
)
def test_the_check_notices_what_became_slower(changes: dict[str, object], words: str | None) -> None:
    found = list(check.compare({**BASELINE, **changes}, BASELINE, Console(file=io.StringIO(), width=120)))
    assert bool(found) == (words is not None)
    assert words is None or words in found[0]

"""A line of the result: ours beside a peer's, measured alternately in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes:
        ours, peer: what was measured.
        our_value, peer_value: medians, in ``unit``.
        ratio: ours better above 1; the median over rounds where rounds were alternated.
        goal: what the ratio, or the value where ``ratio`` is None, is held to.
        spread: first and third quartile of the ratio.
        note: what a reader must know to judge it.
    """

    name: str
    ours: str
    our_value: float
    unit: str
    goal: str
    met: bool
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""
    more: dict[str, float] = field(default_factory=dict)


def alternate(works: dict[str, Work], rounds: int, seconds: float = 0.1) -> dict[str, list[float]]:
    """Seconds a call takes, by name, a number for each round; in a round each has its turn of ``seconds``."""
    calls = {}
    for name, work in works.items():
        work()
        start = time.perf_counter()
        work()
        calls[name] = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                work()
            took[name].append((time.perf_counter() - start) / calls[name])
    return took


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third


def faster(
    name: str,
    ours: tuple[str, Sequence[float]],
    peer: tuple[str, Sequence[float]],
    goal: float,
    *,
    unit: str = "ms",
    scale: float = 1e3,
    note: str = "",
) -> Row:
    """A row of two lists of times, from the same rounds; ratio is the peer's time over ours."""
    ratios = [theirs / mine for theirs, mine in zip(peer[1], ours[1], strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        name=name,
        ours=ours[0],
        our_value=statistics.median(ours[1]) * scale,
        unit=unit,
        goal=f">= {goal:g}x",
        met=ratio >= goal,
        peer=peer[0],
        peer_value=statistics.median(peer[1]) * scale,
        ratio=ratio,
        spread=quartiles(ratios),
        note=note,
    )


def at_most(
    name: str, ours: str, value: float, unit: str, limit: float, note: str = "", more: dict[str, float] | None = None
) -> Row:
    """A row of a value that is held to a limit."""
    return Row(name, ours, value, unit, f"<= {limit:g} {unit}", value <= limit, note=note, more=more or {})

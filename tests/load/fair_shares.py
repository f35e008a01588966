"""Many streams at twice what the box can do: fair shares, quick health, quick calls, flat memory.

python -m tests.load.fair_shares --streams 16 --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field

from facewire import StreamCounters, StreamOptions, aio
from tests.load.rig import GALLERY, Rig, rig

_CAPACITY_S = 4.0
_WARM_UP_SHARE = 0.25


@dataclass
class Figures:
    """What was measured; times in milliseconds, memory in MiB."""

    streams: int
    seconds: float
    capacity_fps: float
    offered_fps: float
    processed: list[int] = field(default_factory=list)
    detected: list[int] = field(default_factory=list)
    largest_k: int = 0
    worst_share: float = 0.0
    health_median_ms: float = 0.0
    health_p95_ms: float = 0.0
    health_worst_ms: float = 0.0
    identify_median_ms: float = 0.0
    identify_worst_ms: float = 0.0
    rss_after_warm_up_mib: float = 0.0
    rss_at_end_mib: float = 0.0


async def measure_capacity(load: Rig) -> float:
    """Frames a second that the box detects, tracks and answers, when nothing is dropped."""
    done = 0
    end = time.monotonic() + _CAPACITY_S

    async def one(client: aio.Client, number: int) -> None:
        nonlocal done
        async with client.stream(StreamOptions(GALLERY, f"capacity-{number}", lossless=True)) as stream:

            async def frames() -> AsyncIterator[bytes]:
                for i in range(100_000):
                    if time.monotonic() > end:
                        return
                    yield load.frames[i % len(load.frames)]

            async for _ in stream.recognize(frames()):
                done += 1

    async with aio.Client(load.server.target) as client:
        await asyncio.gather(*(one(client, number) for number in range(4)))
    return done / _CAPACITY_S


async def _camera(load: Rig, client: aio.Client, number: int, fps: float, seconds: float) -> StreamCounters:
    """Sends at its rate whatever becomes of the frames; the last counters."""
    last: list[StreamCounters] = []
    async with client.stream(StreamOptions(GALLERY, f"camera-{number}")) as stream:

        async def send() -> None:
            begun = time.monotonic() + number / fps / 16  # cameras do not send in step
            for i in range(int(seconds * fps)):
                await asyncio.sleep(max(0.0, begun + i / fps - time.monotonic()))
                await stream.send(load.frames[(i + 3 * number) % len(load.frames)])
            await stream.finish()

        sender = asyncio.create_task(send())
        async for answer in stream:
            last = [answer.counters]
        await sender
    return last[0]


async def _probe(call: Callable[[], Awaitable[object]], pause_s: float, end: float) -> list[float]:
    took_ms = []
    while time.monotonic() < end:
        start = time.perf_counter()
        await call()
        took_ms.append((time.perf_counter() - start) * 1e3)
        await asyncio.sleep(pause_s)
    return took_ms


async def run(load: Rig, streams: int, seconds: float) -> Figures:
    """The measurement."""
    capacity = await measure_capacity(load)
    figures = Figures(streams, seconds, capacity, 2 * capacity)
    fps = figures.offered_fps / streams
    end = time.monotonic() + seconds
    picture = (load.samples / "person_b_2.jpg").read_bytes()

    async def memory() -> None:
        await asyncio.sleep(seconds * _WARM_UP_SHARE)
        figures.rss_after_warm_up_mib = load.rss_mib()
        await asyncio.sleep(max(0.0, end - time.monotonic() - 0.5))
        figures.rss_at_end_mib = load.rss_mib()

    async with aio.Client(load.server.target) as cameras, aio.Client(load.server.target) as caller:

        async def identify() -> None:
            answer = await caller.identify(GALLERY, picture)
            assert answer.faces[0].match is not None

        probes = asyncio.gather(
            _probe(lambda: caller.is_serving(timeout_s=5), 0.05, end), _probe(identify, 0.5, end), memory()
        )
        counters = await asyncio.gather(*(_camera(load, cameras, number, fps, seconds) for number in range(streams)))
        health, calls, _ = await probes
    figures.health_median_ms, figures.health_worst_ms = statistics.median(health), max(health)
    figures.health_p95_ms = statistics.quantiles(health, n=20)[-1]
    figures.identify_median_ms, figures.identify_worst_ms = statistics.median(calls), max(calls)
    figures.processed = [c.processed for c in counters]
    figures.detected = [c.detected for c in counters]
    figures.largest_k = max(c.detect_every for c in counters)
    fair = statistics.mean(figures.detected)
    figures.worst_share = max(abs(count / fair - 1) for count in figures.detected)
    return figures


def main() -> None:
    """Runs and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with rig() as load:
        figures = asyncio.run(run(load, arguments.streams, arguments.seconds))
    print(json.dumps(asdict(figures), indent=2))


if __name__ == "__main__":
    main()

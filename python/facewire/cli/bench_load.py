"""Load on a running server: callers or cameras, for a bounded time, and what they saw."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from facewire import aio
from facewire.errors import FacewireError, ServerError
from facewire.results import StageTimes
from facewire.stream_options import StreamOptions

Progress = Callable[[float], None]  # share of the time that has passed
_PAUSE_AFTER_ERROR_S = 0.1
_STAGES = ("queue_ms", "decode_ms", "detect_ms", "align_ms", "embed_ms", "search_ms")


@dataclass(slots=True)
class CallFigures:
    """What callers saw. Latencies are the caller's, stage times the server's; milliseconds, medians over calls.

    Attributes:
        errors: calls that failed, by reason.
    """

    callers: int
    seconds: float
    calls: int = 0
    calls_per_s: float = 0.0
    faces: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    worst_ms: float = 0.0
    stages_ms: dict[str, float] = field(default_factory=dict)
    client_cpu_ms_per_call: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class StreamFigures:
    """What cameras saw, in all.

    Attributes:
        sent: frames; ``answered`` those that were worked on, ``detected`` those in which faces were looked for.
        p50_ms, p95_ms, worst_ms: from sending a frame to its answer.
        detect_every: the largest k in force.
        errors: streams that failed, by reason.
    """

    streams: int
    seconds: float
    offered_fps: float
    sent: int = 0
    answered: int = 0
    dropped: int = 0
    detected: int = 0
    embedded: int = 0
    faces: int = 0
    answered_fps: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    worst_ms: float = 0.0
    detect_every: int = 0
    client_cpu_ms_per_frame: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)


async def call_for(
    target: str, gallery_id: str, pictures: Sequence[bytes], callers: int, seconds: float, progress: Progress
) -> CallFigures:
    """So many callers, each with one call under way at a time: identify, or detect where there is no gallery."""
    figures = CallFigures(callers, seconds)
    took_ms: list[float] = []
    stages: list[StageTimes] = []
    errors: Counter[str] = Counter()
    begun, cpu = time.perf_counter(), time.process_time()
    end = begun + seconds

    async def caller(client: aio.Client, number: int) -> None:
        turn = number
        while (start := time.perf_counter()) < end:
            progress(min(1.0, (start - begun) / seconds))
            picture = pictures[turn % len(pictures)]
            turn += callers
            try:
                answer = await (client.identify(gallery_id, picture) if gallery_id else client.detect(picture))
            except FacewireError as error:
                errors[_reason(error)] += 1
                await asyncio.sleep(_PAUSE_AFTER_ERROR_S)
                continue
            took_ms.append((time.perf_counter() - start) * 1e3)
            stages.append(answer.times)
            figures.faces += len(answer.faces)

    async with aio.Client(target) as client:
        await asyncio.gather(*(caller(client, number) for number in range(callers)))
    figures.seconds = time.perf_counter() - begun
    figures.calls, figures.errors = len(took_ms), dict(errors)
    figures.calls_per_s = len(took_ms) / figures.seconds
    if took_ms:
        figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.worst_ms = percentiles(took_ms, 50, 95, 99, 100)
        figures.stages_ms = {s: statistics.median(getattr(times, s) for times in stages) for s in _STAGES}
        figures.client_cpu_ms_per_call = (time.process_time() - cpu) * 1e3 / len(took_ms)
    return figures


async def stream_for(
    target: str, options: StreamOptions, pictures: Sequence[bytes], streams: int, fps: float, seconds: float,
    progress: Progress,
) -> StreamFigures:  # fmt: skip
    """So many cameras that send at their rate whatever becomes of the frames."""
    figures = StreamFigures(streams, seconds, streams * fps)
    took_ms: list[float] = []
    errors: Counter[str] = Counter()
    begun, cpu = time.perf_counter(), time.process_time()

    async def camera(client: aio.Client, number: int) -> None:
        await asyncio.sleep(number / fps / streams)  # cameras do not send in step
        sent_at: list[float] = []
        async with client.stream(options) as stream:

            async def send() -> None:
                start = time.perf_counter()
                for i in range(max(1, int(seconds * fps))):
                    await asyncio.sleep(max(0.0, start + i / fps - time.perf_counter()))
                    sent_at.append(time.perf_counter())
                    figures.sent += 1
                    progress(min(1.0, (sent_at[-1] - begun) / seconds))
                    await stream.send(pictures[(i + number) % len(pictures)])
                await stream.finish()

            sender = asyncio.create_task(send())
            last = None
            try:
                async for answer in stream:
                    took_ms.append((time.perf_counter() - sent_at[answer.sequence - 1]) * 1e3)
                    figures.faces += len(answer.tracks)
                    last = answer.counters
                    figures.detect_every = max(figures.detect_every, last.detect_every)
                await sender
            finally:
                sender.cancel()
            if last is not None:
                figures.dropped += last.dropped
                figures.detected += last.detected
                figures.embedded += last.faces_embedded

    async def watched(client: aio.Client, number: int) -> None:
        try:
            await camera(client, number)
        except FacewireError as error:
            errors[_reason(error)] += 1

    async with aio.Client(target) as client:
        await asyncio.gather(*(watched(client, number) for number in range(streams)))
    figures.seconds = time.perf_counter() - begun
    figures.answered, figures.errors = len(took_ms), dict(errors)
    figures.answered_fps = len(took_ms) / figures.seconds
    if took_ms:
        figures.p50_ms, figures.p95_ms, figures.worst_ms = percentiles(took_ms, 50, 95, 100)
        figures.client_cpu_ms_per_frame = (time.process_time() - cpu) * 1e3 / len(took_ms)
    return figures


def percentiles(values: Sequence[float], *shares: int) -> list[float]:
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return [ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in shares]


def _reason(error: FacewireError) -> str:
    return (error.reason or str(error.code)) if isinstance(error, ServerError) else type(error).__name__

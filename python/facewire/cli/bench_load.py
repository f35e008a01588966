"""Load on a running server: callers or cameras, for a bounded time, and what they saw."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from facewire import aio
from facewire.errors import FacewireError, ServerError, UnavailableError
from facewire.results import StageTimes
from facewire.stream_options import StreamOptions
from facewire.stream_results import StreamCounters

Progress = Callable[[float], None]  # share of the time that has passed
_PAUSE_AFTER_ERROR_S = 0.1
_LONGEST_ANSWER_S = 3.0
_STAGES = ("queue_ms", "decode_ms", "detect_ms", "align_ms", "embed_ms", "search_ms")


@dataclass(slots=True)
class CallFigures:
    """What callers saw. Latencies are the caller's, stage times the server's; milliseconds, medians over calls.

    Attributes:
        seconds: until the last call that succeeded: time in which nobody answered is not measured.
        errors: calls that failed, by reason; ``first_error`` in words.
        server_lost: the server went away before the end.
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
    first_error: str = ""
    server_lost: bool = False


@dataclass(slots=True)
class StreamFigures:
    """What cameras saw, in all.

    Attributes:
        seconds: until the last answer: time in which nobody answered is not measured.
        sent: frames; ``answered`` those that were worked on, ``dropped`` those that newer ones took the place of, and
            ``unanswered`` the others; ``detected`` those in which faces were looked for.
        p50_ms, p95_ms, worst_ms: from sending a frame to its answer.
        detect_every: the largest k in force.
        errors: streams that failed, by reason; ``first_error`` in words.
        server_lost: the server went away before the end.
    """

    streams: int
    seconds: float
    offered_fps: float
    sent: int = 0
    answered: int = 0
    dropped: int = 0
    unanswered: int = 0
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
    first_error: str = ""
    server_lost: bool = False


class _Failures:
    """What went wrong, counted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first = ""
        self.lost = False

    def add(self, error: FacewireError | asyncio.TimeoutError) -> None:
        """One more."""
        if isinstance(error, ServerError):
            reason = error.reason or str(error.code)
        else:
            reason = "NO_ANSWER" if isinstance(error, asyncio.TimeoutError) else type(error).__name__
        self.counts[reason] += 1
        self.first = self.first or str(error) or "no answer came in time"
        self.lost = self.lost or isinstance(error, UnavailableError)


async def call_for(
    target: str, gallery_id: str, pictures: Sequence[bytes], callers: int, seconds: float, progress: Progress
) -> CallFigures:
    """So many callers, each with one call under way at a time: identify, or detect where there is no gallery."""
    figures = CallFigures(callers, seconds)
    took_ms: list[float] = []
    stages: list[StageTimes] = []
    failures = _Failures()
    begun, cpu = time.perf_counter(), time.process_time()
    end, last_answer = begun + seconds, begun

    async def caller(client: aio.Client, number: int) -> None:
        nonlocal last_answer
        turn = number
        while (start := time.perf_counter()) < end and not failures.lost:
            progress(min(1.0, (start - begun) / seconds))
            picture = pictures[turn % len(pictures)]
            turn += callers
            try:
                answer = await (client.identify(gallery_id, picture) if gallery_id else client.detect(picture))
            except FacewireError as error:
                failures.add(error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR_S)
                continue
            last_answer = time.perf_counter()
            took_ms.append((last_answer - start) * 1e3)
            stages.append(answer.times)
            figures.faces += len(answer.faces)

    async with aio.Client(target) as client:
        await asyncio.gather(*(caller(client, number) for number in range(callers)))
    figures.seconds = max(last_answer - begun, 1e-9)
    figures.calls, figures.calls_per_s = len(took_ms), len(took_ms) / figures.seconds
    figures.errors, figures.first_error, figures.server_lost = dict(failures.counts), failures.first, failures.lost
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
    failures = _Failures()
    begun, cpu = time.perf_counter(), time.process_time()
    last_answer = begun
    # A name of their own: what cameras see is kept among the events.
    run = uuid.uuid4().hex[:6]

    async def camera(client: aio.Client, number: int) -> None:
        nonlocal last_answer
        await asyncio.sleep(number / fps / streams)  # cameras do not send in step
        sent_at: list[float] = []
        counted = StreamTally()
        async with client.stream(replace(options, stream_id=f"bench-{run}-{number}")) as stream:

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
            try:
                async for answer in stream:
                    last_answer = time.perf_counter()
                    took_ms.append((last_answer - sent_at[answer.sequence - 1]) * 1e3)
                    figures.faces += len(answer.tracks)
                    counted.add(answer.counters)
                    figures.detect_every = max(figures.detect_every, answer.counters.detect_every)
                await sender
            finally:
                sender.cancel()
                figures.dropped += counted.dropped
                figures.detected += counted.detected
                figures.embedded += counted.embedded

    async def watched(client: aio.Client, number: int) -> None:
        try:
            # The client would go on looking for a server that is lost; a measurement must end.
            await asyncio.wait_for(camera(client, number), seconds + _LONGEST_ANSWER_S)
        except (FacewireError, asyncio.TimeoutError) as error:
            failures.add(error)
            # A slow server answers still, if late.
            failures.lost = failures.lost or time.perf_counter() - last_answer > _LONGEST_ANSWER_S

    async with aio.Client(target) as client:
        await asyncio.gather(*(watched(client, number) for number in range(streams)))
    figures.seconds = max(last_answer - begun, 1e-9)
    figures.answered, figures.answered_fps = len(took_ms), len(took_ms) / figures.seconds
    figures.unanswered = max(0, figures.sent - figures.answered - figures.dropped)
    figures.errors, figures.first_error, figures.server_lost = dict(failures.counts), failures.first, failures.lost
    if took_ms:
        figures.p50_ms, figures.p95_ms, figures.worst_ms = percentiles(took_ms, 50, 95, 100)
        figures.client_cpu_ms_per_frame = (time.process_time() - cpu) * 1e3 / len(took_ms)
    return figures


@dataclass(slots=True)
class StreamTally:
    """A stream's counters, added up over the sessions of a stream that had to begin anew."""

    dropped: int = 0
    detected: int = 0
    embedded: int = 0
    _last: StreamCounters | None = None

    def add(self, now: StreamCounters) -> None:
        """With each answer."""
        last = self._last if self._last is not None and now.processed >= self._last.processed else None
        self.dropped += now.dropped - (last.dropped if last else 0)
        self.detected += now.detected - (last.detected if last else 0)
        self.embedded += now.faces_embedded - (last.faces_embedded if last else 0)
        self._last = now


def percentiles(values: Sequence[float], *shares: int) -> list[float]:
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return [ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in shares]

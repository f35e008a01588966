"""Over gRPC from another process against the same work in this one, by the server's processor time a frame.

The client runs on the same processors, so wall times would charge its work to the server.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import facewire
from tests.bench.our_pipeline import GALLERY, OurPipeline
from tests.bench.pipeline_rows import seconds_a_frame
from tests.bench.row import Row, faster
from tests.bench.scenes import jpegs
from tests.bench.server_process import Server, bench_server

# Every face of every frame is embedded, as in a single picture.
EVERY_FACE = (
    "--set", "streams.embed_interval_s=0", "--set", "streams.max_embed_interval_s=0.001",
    "--set", "streams.max_embeddings_per_frame=100",
)  # fmt: skip
SECONDS = 2.0


def rows(rounds: int) -> Iterator[Row]:
    """1 and 5 faces, unary and streaming; p99 over p50 at half load."""
    cores = len(os.sched_getaffinity(0))
    local = OurPipeline(1000)
    with bench_server(*EVERY_FACE) as server:
        for faces in (1, 5):
            frames = jpegs(faces)
            took: dict[str, list[float]] = {"ours": [], "unary": [], "streaming": []}
            wall: dict[str, list[float]] = {"unary": [], "streaming": []}
            for _ in range(rounds):
                took["ours"].append(_cpu_here(local.identify, frames, cores))
                for form, drive in (("unary", _unary), ("streaming", _streaming)):
                    cpu, seconds = _cpu_there(server, drive, frames, cores + 1)
                    took[form].append(cpu)
                    wall[form].append(seconds)
            for form in ("unary", "streaming"):
                fps = 1 / statistics.median(wall[form])
                yield faster(
                    f"over gRPC, {form}, {faces} face{'s' * (faces > 1)}",
                    ("server, processor time a frame", took[form]),
                    ("in process, processor time a frame", took["ours"]),
                    0.9,
                    unit="ms CPU",
                    note=f"{fps:.0f} frames/s with the client on the same {cores} cores",
                )
    with bench_server() as server:
        yield _tail(server)


def _cpu_here(identify: Callable[[bytes], object], frames: Sequence[bytes], threads: int) -> float:
    done = 0
    guard = threading.Lock()

    def counted(frame: bytes) -> list[str]:
        nonlocal done
        identify(frame)
        with guard:
            done += 1
        return []

    start = time.process_time()
    seconds_a_frame([counted] * threads, frames, SECONDS)
    return (time.process_time() - start) / done


def _cpu_there(
    server: Server, drive: Callable[[Server, Sequence[bytes], float], int], frames: Sequence[bytes], clients: int
) -> tuple[float, float]:
    """Seconds of the server's processor time, and of wall time, a frame."""
    done = [0] * clients
    start, cpu = time.perf_counter(), server.cpu_s()

    def run(number: int) -> None:
        done[number] = drive(server, frames, start + SECONDS)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (server.cpu_s() - cpu) / sum(done), (time.perf_counter() - start) / sum(done)


def _unary(server: Server, frames: Sequence[bytes], end: float) -> int:
    done = 0
    with facewire.Client(server.target) as client:
        while time.perf_counter() < end:
            client.identify(GALLERY, frames[done % len(frames)])
            done += 1
    return done


def _streaming(server: Server, frames: Sequence[bytes], end: float) -> int:
    def until_the_end() -> Iterator[bytes]:
        sent = 0
        while time.perf_counter() < end:
            yield frames[sent % len(frames)]
            sent += 1

    with (
        facewire.Client(server.target) as client,
        client.stream(facewire.StreamOptions(GALLERY, lossless=True)) as stream,
    ):
        return sum(1 for _ in stream.recognize(until_the_end()))


def _tail(server: Server) -> Row:
    """Calls at half of what one caller after the other could have answered, evenly spaced."""
    frames = jpegs(1)
    took_ms: list[float] = []
    with facewire.Client(server.target) as client:
        for frame in frames * 5:
            client.identify(GALLERY, frame)
        begun = time.perf_counter()
        for frame in frames * 5:
            client.identify(GALLERY, frame)
        every_s = 2 * (time.perf_counter() - begun) / (5 * len(frames))
        begun = time.perf_counter()
        for i in range(600):
            time.sleep(max(0.0, begun + i * every_s - time.perf_counter()))
            start = time.perf_counter()
            client.identify(GALLERY, frames[i % len(frames)])
            took_ms.append((time.perf_counter() - start) * 1e3)
    p50, p99 = statistics.median(took_ms), statistics.quantiles(took_ms, n=100)[98]
    return Row(
        name="p99 / p50 of unary Identify at half load",
        ours="600 calls of a 720p JPEG with a face, evenly spaced",
        our_value=p99 / p50,
        unit="",
        goal="<= 2",
        met=p99 / p50 <= 2,
        note=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {1 / every_s:.0f} calls/s",
        more={"p50_ms": p50, "p99_ms": p99},
    )

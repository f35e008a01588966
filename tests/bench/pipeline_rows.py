"""Whole pictures in this process: JPEG in, names out, all cores."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import cv2

from tests.bench.opencv_pipeline import OpenCvPipeline
from tests.bench.our_pipeline import OurPipeline
from tests.bench.row import Row, faster
from tests.bench.scenes import jpegs

GALLERY = 1000
Identify = Callable[[bytes], list[str]]


def seconds_a_frame(works: Sequence[Identify], frames: Sequence[bytes], seconds: float) -> float:
    """Each of ``works`` on a thread of its own for so long; wall time over frames done by all."""
    done = [0] * len(works)
    start = time.perf_counter()
    end = start + seconds

    def run(number: int) -> None:
        while time.perf_counter() < end:
            works[number](frames[(done[number] + number) % len(frames)])
            done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / sum(done)


def require_same_answers(ours: Identify, theirs: Identify, frames: Sequence[bytes]) -> None:
    """A comparison of pipelines that answer differently is none."""
    for frame in frames:
        mine, other = sorted(ours(frame)), sorted(theirs(frame))
        if mine != other or not any(mine):
            raise SystemExit(f"the pipelines disagree: ours says {mine}, OpenCV's {other}")


def rows(rounds: int) -> Iterator[Row]:
    """1 and 5 faces a frame. OpenCV in its better form: its own threads inside a frame, or a thread a frame."""
    cores = len(os.sched_getaffinity(0))
    ours = OurPipeline(GALLERY)
    peers = [OpenCvPipeline(GALLERY) for _ in range(cores)]
    precision = ", ".join(f"{facts.task} {facts.precision}" for facts in ours.models.facts)
    for faces in (1, 5):
        frames = jpegs(faces)
        require_same_answers(ours.identify, peers[0].identify, frames)
        took: dict[str, list[float]] = {"ours": [], "threads inside": [], "a thread a frame": []}
        for _ in range(rounds):
            took["ours"].append(seconds_a_frame([ours.identify] * cores, frames, 1.0))
            cv2.setNumThreads(cores)
            took["threads inside"].append(seconds_a_frame([peers[0].identify], frames, 1.0))
            cv2.setNumThreads(1)
            took["a thread a frame"].append(seconds_a_frame([p.identify for p in peers], frames, 1.0))
        best = min(("threads inside", "a thread a frame"), key=lambda form: sorted(took[form])[rounds // 2])
        yield faster(
            f"720p JPEG to names, {faces} face{'s' * (faces > 1)}",
            ("facewire, in process, all cores", took["ours"]),
            (f"OpenCV pipeline, {best}", took[best]),
            3.0,
            unit="ms a frame",
            note=f"{cores} cores, gallery of {GALLERY}; names equal on all frames; {precision} against OpenCV's floats",
        )

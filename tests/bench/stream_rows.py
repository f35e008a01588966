"""How many 25 frames/s cameras one box serves without a dropped frame, against OpenCV's pipeline on every frame."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

import cv2

from tests.bench.cameras import FPS
from tests.bench.opencv_pipeline import OpenCvPipeline
from tests.bench.our_pipeline import GALLERY as BENCH_GALLERY
from tests.bench.pipeline_rows import GALLERY, seconds_a_frame
from tests.bench.row import Row
from tests.bench.scenes import clip
from tests.bench.server_process import Server, bench_server

FACES = 2
GOAL = 6.0
SECONDS = 10.0
_LATE = 1.02  # a camera that cannot send 25 frames a second is no camera


def rows(rounds: int) -> Iterator[Row]:
    """Faces looked for in every frame, and in every other one."""
    peer = _opencv_streams(rounds)
    with bench_server() as server:
        for every in (1, 2):
            streams, measured = most_cameras(server, every, start=max(1, int(peer * GOAL)))
            yield Row(
                name=f"25 frames/s 720p streams, {FACES} faces, detection every {('', '2nd ')[every - 1]}frame",
                ours="tracking, no frame dropped; the cameras' process on the same cores",
                our_value=streams,
                unit="streams",
                goal=f">= {GOAL:g}x",
                met=streams / peer >= GOAL,
                peer="OpenCV pipeline on every frame, all cores",
                peer_value=peer,
                ratio=streams / peer,
                note="ours in 8 bits, OpenCV in floats; "
                f"server {measured['server_ms']:.2f} ms CPU a frame, cameras {measured['client_ms']:.2f}",
                more=measured,
            )


def _opencv_streams(rounds: int) -> float:
    cores = len(os.sched_getaffinity(0))
    frames = clip(FACES)
    peers = [OpenCvPipeline(GALLERY) for _ in range(cores)]
    cv2.setNumThreads(1)
    alone = [seconds_a_frame([peer.identify for peer in peers], frames, 1.0) for _ in range(rounds)]
    cv2.setNumThreads(cores)
    inside = [seconds_a_frame([peers[0].identify], frames, 1.0) for _ in range(rounds)]
    return 1 / min(statistics.median(alone), statistics.median(inside)) / FPS


def most_cameras(server: Server, every: int, start: int) -> tuple[int, dict[str, float]]:
    """The largest number without a dropped frame, and what it took; up or down from ``start`` by one."""
    count, found = start, None
    while found is None or count > found[0]:
        measured = drive(server, count, every)
        if measured["dropped"] == 0 and measured["late"] <= _LATE:
            found = (count, measured)
            count += 1
        elif found is None and count > 1:
            count -= 1
        else:
            break
    if found is None:
        raise SystemExit("not even one camera was served without a dropped frame")
    return found


def drive(
    server: Server, cameras: int, every: int, seconds: float = SECONDS, gallery: str = BENCH_GALLERY
) -> dict[str, float]:
    """So many cameras for so long: frames received, dropped, detected, and milliseconds of processor time a frame."""
    cpu = server.cpu_s()
    command = [sys.executable, "-m", "tests.bench.cameras", server.target, "--cameras", str(cameras), "--seconds",
               str(seconds), "--faces", str(FACES), "--detect-every", str(every), "--gallery", gallery]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    measured["server_ms"] = (server.cpu_s() - cpu) / measured["received"] * 1e3
    measured["client_ms"] = measured.pop("client_cpu_s") / measured["received"] * 1e3
    return measured

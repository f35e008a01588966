"""Streams on a bad day: more than the box can do, abandoned, killed, cancelled at any moment."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable

import grpc
import psutil
import pytest

import facewire
from facewire import StreamOptions
from facewire.v1 import stream_pb2, stream_pb2_grpc
from tests.load import fair_shares, soak
from tests.load.rig import GALLERY, Rig, rig


@pytest.fixture(scope="module")
def load():  # type: ignore[no-untyped-def] # noqa: ANN201
    with rig() as running:
        yield running


def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_many_streams_at_twice_the_capacity_share_fairly(load: Rig) -> None:
    """Short here; ``python -m tests.load.fair_shares`` for a minute."""
    figures = asyncio.run(fair_shares.run(load, streams=16, seconds=30))
    assert figures.worst_share < 0.25, figures
    assert figures.largest_k > 1, "the box says that it is overloaded"
    # The worst of three hundred is at the mercy of whatever else runs on the machine.
    assert figures.health_p95_ms < 50, figures
    assert figures.identify_median_ms < 500, figures
    assert figures.rss_at_end_mib < 1.1 * figures.rss_after_warm_up_mib + 10, figures


def test_a_thousand_abandoned_streams_do_no_harm(load: Rig) -> None:
    before = load.rss_mib()
    with facewire.Client(load.server.target) as client, grpc.insecure_channel(load.server.target) as channel:
        stub = stream_pb2_grpc.StreamServiceStub(channel)
        settings = stream_pb2.RecognizeStreamRequest(settings=stream_pb2.StreamSettings(gallery_id=GALLERY))
        refused, opened, calls = 0, 0, []
        for _ in range(1000):
            call = stub.RecognizeStream(_one_then_nothing(settings))
            try:
                opened += next(iter(call)).HasField("opened")
                calls.append(call)
            except grpc.RpcError as error:
                refused += error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert opened == 32, "as many as one client may have"
        assert refused == 968
        begun = time.monotonic()
        assert client.identify(GALLERY, load.samples / "person_a_2.jpg").faces[0].match is not None
        assert time.monotonic() - begun < 1
        for call in calls:
            call.cancel()
        until(lambda: not [s for s in client.list_streams() if s.connected])
        until(lambda: not client.list_streams())
    assert load.rss_mib() < before + 40


def _one_then_nothing(first: stream_pb2.RecognizeStreamRequest):  # type: ignore[no-untyped-def] # noqa: ANN202
    yield first
    time.sleep(60)


CAMERA = """
import sys, facewire
from pathlib import Path
frame = Path(sys.argv[2]).read_bytes()
def frames():
    while True:
        yield frame
with facewire.Client(sys.argv[1]) as client:
    with client.stream(facewire.StreamOptions("load", sys.argv[3], lossless=True, track_ttl_s=1)) as stream:
        for answer in stream.recognize(frames()):
            print(answer.sequence, flush=True)
"""


def test_killed_clients_leave_nothing_behind(load: Rig) -> None:
    with facewire.Client(load.server.target) as client:
        for number in range(3):
            camera = subprocess.Popen(
                [sys.executable, "-c", CAMERA, load.server.target, load.samples / "person_a_2.jpg", f"killed-{number}"],
                stdout=subprocess.PIPE,
            )
            assert camera.stdout is not None
            for _ in range(3):
                assert camera.stdout.readline()
            camera.kill()
            camera.wait()
            camera.stdout.close()
        until(lambda: not client.list_streams())


def test_streams_cancelled_at_any_moment_leak_nothing(load: Rig) -> None:
    """Short here; ``make soak`` for twenty minutes."""
    figures = asyncio.run(soak.run(load, seconds=12, seed=random.randrange(1000)))
    assert figures.opened > 20
    assert figures.resumed > 0
    assert figures.left_over == 0
    assert figures.threads_at_end <= figures.threads_after_warm_up + 2
    assert figures.files_at_end <= figures.files_after_warm_up + 4


def test_a_stream_with_many_faces_does_not_starve_the_others(load: Rig) -> None:
    crowd = soak.crowd_frame(load)
    alone = asyncio.run(_answered(load, [], 3.0))
    beside = asyncio.run(_answered(load, [crowd] * 2, 3.0))
    assert beside > 0.25 * alone, (alone, beside)


async def _answered(load: Rig, others: list[bytes], seconds: float) -> int:
    """Frames that a stream of one face gets answered beside streams that send these."""
    end = time.monotonic() + seconds

    async def lossless(client: facewire.aio.Client, frame: bytes) -> int:
        async def frames():  # type: ignore[no-untyped-def] # noqa: ANN202
            while time.monotonic() < end:
                yield frame

        async with client.stream(StreamOptions(GALLERY, lossless=True)) as stream:
            return len([answer async for answer in stream.recognize(frames())])

    async with facewire.aio.Client(load.server.target) as client:
        answered = await asyncio.gather(lossless(client, load.frames[0]), *(lossless(client, f) for f in others))
    return answered[0]


def test_the_server_is_still_well(load: Rig) -> None:
    assert psutil.pid_exists(load.server.process.pid)
    assert not [line for line in load.server.log if "ERROR" in line or "Traceback" in line], load.server.log[-20:]
    assert load.server.stop() == 0

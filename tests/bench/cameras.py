"""Cameras that send 25 frames a second each, in a process of their own; what the server did with the frames as JSON.

python -m tests.bench.cameras TARGET --cameras N --seconds S --faces F [--detect-every K]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence

from facewire import StreamCounters, StreamOptions, aio
from tests.bench.our_pipeline import GALLERY
from tests.bench.scenes import clip

FPS = 25.0
_APART_S = 0.2


async def camera(
    client: aio.Client, number: int, frames: Sequence[bytes], chosen: argparse.Namespace
) -> tuple[StreamCounters, float]:
    """One stream; its counters at the end, and how many times as long as it should have it took to send.

    Cameras come one after the other, and do not send in step.
    """
    await asyncio.sleep(number * (_APART_S + 1 / FPS / chosen.cameras))
    options = StreamOptions(chosen.gallery, f"camera-{number}", detect_every=chosen.detect_every)
    async with client.stream(options) as stream:
        begun = time.monotonic()
        ended = begun

        async def send() -> None:
            nonlocal ended
            for i in range(int(chosen.seconds * FPS)):
                await asyncio.sleep(max(0.0, begun + i / FPS - time.monotonic()))
                await stream.send(frames[(i + 7 * number) % len(frames)])
            ended = time.monotonic()
            await stream.finish()

        sender = asyncio.create_task(send())
        last = None
        async for answer in stream:
            last = answer.counters
        await sender
    if last is None:
        raise SystemExit("a stream ended without an answer")
    return last, (ended - begun) / (chosen.seconds - 1 / FPS)


async def run(chosen: argparse.Namespace) -> dict[str, float]:
    frames = clip(chosen.faces)
    async with aio.Client(chosen.target) as client:
        each = await asyncio.gather(*(camera(client, n, frames, chosen) for n in range(chosen.cameras)))
    return {
        "received": sum(c.received for c, _ in each),
        "dropped": sum(c.dropped for c, _ in each),
        "detected": sum(c.detected for c, _ in each),
        "late": max(late for _, late in each),
        "client_cpu_s": time.process_time(),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("target")
    arguments.add_argument("--cameras", type=int, required=True)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--faces", type=int, default=2)
    arguments.add_argument("--gallery", default=GALLERY)
    arguments.add_argument("--detect-every", type=int, default=1)
    print(json.dumps(asyncio.run(run(arguments.parse_args()))))


if __name__ == "__main__":
    main()

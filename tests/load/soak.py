"""Streams opened, cancelled at random moments, killed and resumed for a long time: nothing may grow or be left over.

python -m tests.load.soak --minutes 20
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import time
from dataclasses import asdict, dataclass, field

from PIL import Image

import facewire
from facewire import StreamOptions, aio
from facewire.aio_stream import Stream
from tests.load.rig import GALLERY, Rig, rig

_CAMERAS = 8
_WARM_UP_SHARE = 0.2
_TTL_S = 1.0


@dataclass
class Figures:
    """What was measured; memory in MiB, sampled once a second."""

    seconds: float
    opened: int = 0
    resumed: int = 0
    cancelled: int = 0
    finished: int = 0
    frames: int = 0
    errors: int = 0
    left_over: int = 0
    rss_after_warm_up_mib: float = 0.0
    rss_at_end_mib: float = 0.0
    growth: float = 0.0
    threads_after_warm_up: int = 0
    threads_at_end: int = 0
    files_after_warm_up: int = 0
    files_at_end: int = 0
    rss_mib: list[float] = field(default_factory=list)


def crowd_frame(load: Rig) -> bytes:
    """Fifteen faces in one picture."""
    picture = Image.new("RGB", (1280, 720), (120, 125, 130))
    names = ["person_a_1.jpg", "person_b_2.jpg", "impostor_1.jpg", "impostor_2.jpg", "person_b_1.jpg"]
    for place in range(15):
        face = Image.open(load.samples / names[place % 5]).convert("RGB")
        face.thumbnail((230, 230))
        picture.paste(face, (place % 5 * 255, place // 5 * 240))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


async def _camera(load: Rig, number: int, end: float, figures: Figures, lots: random.Random) -> None:
    """Opens a stream again and again, under a few names, and leaves it in every way there is."""
    crowd = crowd_frame(load)
    while time.monotonic() < end:
        client = aio.Client(load.server.target)
        name = f"soak-{number}-{lots.randrange(2)}"
        options = StreamOptions(
            GALLERY, name, lossless=lots.random() < 0.5, track_ttl_s=_TTL_S, best_shots="send", context_shots=True,
            count_interval_s=0.5, detect_every=lots.choice([1, 1, 3]),
        )  # fmt: skip
        stream = client.stream(options, reconnect_s=1.0)
        lifetime_s = lots.choice([0.0, 0.05, 0.3, 1.0, 3.0]) * lots.random()
        try:
            await asyncio.wait_for(_use(load, stream, crowd, figures, lots), lifetime_s + 0.001)
            figures.finished += 1
        except asyncio.TimeoutError:
            figures.cancelled += 1
        except facewire.ServerError as error:
            figures.errors += not isinstance(error, facewire.AbortedError | facewire.OverloadedError)
        if lots.random() < 0.5:
            await stream.close()
        await client.close()  # with calls under way: as if the process had died
        await asyncio.sleep(lots.random() * 0.2)


async def _use(load: Rig, stream: Stream, crowd: bytes, figures: Figures, lots: random.Random) -> None:
    async def send() -> None:
        for frame in range(lots.randrange(80)):
            bad = lots.random() < 0.05
            data = b"bad" if bad else crowd if lots.random() < 0.03 else load.frames[frame % len(load.frames)]
            await stream.send(data)
            await asyncio.sleep(0.01)
        await stream.finish()

    sender = asyncio.create_task(send())
    opened = False
    try:
        async for answer in stream:
            if not opened:
                opened = True
                figures.opened += 1
                figures.resumed += answer.counters.processed > 1
            figures.frames += 1
    finally:
        sender.cancel()


async def run(load: Rig, seconds: float, seed: int = 0) -> Figures:
    """The soak."""
    figures = Figures(seconds)
    begun = time.monotonic()
    end = begun + seconds

    async def sample() -> None:
        warm = begun + _WARM_UP_SHARE * seconds
        while time.monotonic() < end - 1:
            await asyncio.sleep(min(1.0, seconds / 20))
            figures.rss_mib.append(round(load.rss_mib(), 1))
            if not figures.threads_after_warm_up and time.monotonic() >= warm:
                figures.threads_after_warm_up, figures.files_after_warm_up = load.resources()
                figures.rss_after_warm_up_mib = load.rss_mib()

    await asyncio.gather(
        sample(), *(_camera(load, n, end, figures, random.Random(f"{seed} {n}")) for n in range(_CAMERAS))
    )
    async with aio.Client(load.server.target) as client:
        await asyncio.sleep(_TTL_S + 1.0)
        figures.left_over = len(await client.list_streams())
    figures.rss_at_end_mib = load.rss_mib()
    figures.growth = figures.rss_at_end_mib / figures.rss_after_warm_up_mib - 1
    figures.threads_at_end, figures.files_at_end = load.resources()
    return figures


def main() -> None:
    """Runs and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with rig() as load:
        figures = asyncio.run(run(load, 60 * arguments.minutes, arguments.seed))
        wrong = [line for line in load.server.log if "ERROR" in line or "Traceback" in line]
    shown = asdict(figures)
    rss = shown.pop("rss_mib")
    shown["rss_every_tenth_mib"] = rss[:: max(1, len(rss) // 10)]
    print(json.dumps(shown, indent=2))
    if wrong:
        raise SystemExit("the server's log holds errors:\n" + "".join(wrong[:20]))
    if figures.growth > 0.05 or figures.left_over or figures.errors:
        raise SystemExit("something grew, was left over or failed")


if __name__ == "__main__":
    main()

"""What the first call would pay for, paid before health says SERVING: memory and caches of each worker."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Final

import numpy as np
import simplejpeg

from facewire import kernels
from facewire_server.domain.budget import Budget
from facewire_server.domain.face import Faces
from facewire_server.domain.ports import Detector, Embedder
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.decoding import decode_image
from facewire_server.pipeline.workers import WorkerPool

_WIDTH: Final = 1280
_HEIGHT: Final = 720
_ROUNDS: Final = 3
_MEETING_S: Final = 5.0


async def warm_up(pool: WorkerPool, detector: Detector, embedder: Embedder) -> None:
    """Runs a made-up picture through every stage, on all workers at once, or as many as the pool takes calls."""
    picture, faces = _picture(), _faces()
    calls = min(pool.workers, pool.max_pending)
    meeting = threading.Barrier(calls)

    def work() -> None:
        # Each worker takes one of these, as none is free again before all have come.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(_MEETING_S)
        for _ in range(_ROUNDS):
            frame = decode_image(picture, _WIDTH * _HEIGHT)
            detector.detect(frame, None, 1)
            embedder.encode(frame, faces, StageClock())

    await asyncio.gather(*(pool.run(work, Budget(), StageClock()) for _ in range(calls)))


def _picture() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (_HEIGHT // 8, _WIDTH // 8, 3), dtype=np.uint8)
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(noise.repeat(8, axis=0).repeat(8, axis=1)), 90))


def _faces() -> Faces:
    """One, upright, in the middle, twice as large as the embedder's input."""
    corner = np.array([_WIDTH / 2 - 112, _HEIGHT / 2 - 112], dtype=np.float32)
    return Faces(
        boxes=np.array([[*corner, 224, 224]], dtype=np.float32),
        landmarks=(2 * kernels.ARCFACE_TEMPLATE + corner)[np.newaxis].astype(np.float32),
        scores=np.ones(1, dtype=np.float32),
    )

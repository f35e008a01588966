"""Every worker runs every stage before the server says SERVING."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable

from facewire_server.domain.face import EncodedFaces, Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels
from facewire_server.pipeline.warm_up import warm_up
from facewire_server.pipeline.workers import WorkerPool


class Watched:
    """A detector and an embedder that work, and note who called."""

    def __init__(self, models: LoadedModels) -> None:
        self._models = models
        self.contract, self.best_batch = models.contract, 1
        self.measure, self.encode_many = models.embedder.measure, models.embedder.encode_many
        self.detected: Counter[str] = Counter()
        self.embedded: Counter[str] = Counter()

    def detect(self, frame: Frame, min_score: float | None, max_faces: int) -> Faces:
        self.detected[threading.current_thread().name] += 1
        return self._models.detector.detect(frame, min_score, max_faces)

    def look_again(self, frame: Frame, faces: Faces, check: Callable[[], None] = lambda: None) -> Faces:
        return self._models.detector.look_again(frame, faces, check)

    def encode(self, frame: Frame, faces: Faces, clock: StageClock) -> EncodedFaces:
        encoded = self._models.embedder.encode(frame, faces, clock)
        self.embedded[threading.current_thread().name] += len(encoded.faces)
        return encoded


def test_every_worker_is_warmed(loaded: LoadedModels) -> None:
    workers = 3
    pool = WorkerPool("warmed", workers, 10)
    watched = Watched(loaded)
    try:
        asyncio.run(warm_up(pool, watched, watched))
    finally:
        pool.close()
    assert len(watched.detected) == len(watched.embedded) == workers
    assert set(watched.detected.values()) == set(watched.embedded.values())  # each as often, and a face each time


def test_a_pool_that_takes_fewer_calls_than_it_has_workers_starts_all_the_same(loaded: LoadedModels) -> None:
    pool = WorkerPool("warmed", 3, 1)
    watched = Watched(loaded)
    try:
        asyncio.run(warm_up(pool, watched, watched))
    finally:
        pool.close()
    assert len(watched.detected) == 1

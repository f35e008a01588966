"""What the RPCs work with once everything is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import NotReady, Overloaded
from facewire_server.domain.ports import (
    CalibrationBook,
    EventRing,
    FaceBook,
    GalleryBook,
    GalleryTransfer,
    ModelRunner,
    SubjectBook,
    TemplateReader,
    TemplateSearch,
)
from facewire_server.pipeline.analysis import FaceAnalyzer
from facewire_server.pipeline.anonymising import Anonymiser
from facewire_server.pipeline.challenging import Watchers
from facewire_server.pipeline.enrolment import Enroller
from facewire_server.pipeline.generating import FaceStudio
from facewire_server.pipeline.latents import FaceCoder
from facewire_server.pipeline.recognizer import DetectionOptions, Recognizer
from facewire_server.pipeline.restoring import Restoration
from facewire_server.pipeline.waiting import result_of
from facewire_server.pipeline.workers import WorkerPool
from facewire_server.streaming.registry import Streams

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the server tells of a model."""

    name: str
    task: str
    sha256: str
    licence: str
    device_requested: str
    device: str
    precision: str
    input_sizes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamDefaults:
    """What a stream gets that does not ask for another; see the proto."""

    track_ttl_s: float
    unknown_linger_s: float
    count_interval_s: float


@dataclass(frozen=True, slots=True)
class ChallengeLimits:
    """How log-ins by head turns are done; see the configuration."""

    actions: int
    action_s: float
    same_person: float
    max_at_once: int
    max_failures: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server accepts, and where an import lies while it arrives (``spool_dir``)."""

    max_message_bytes: int
    max_image_pixels: int
    max_faces: int
    max_images_per_enrol: int
    max_templates_per_subject: int
    max_pending_calls: int
    max_import_bytes: int
    spool_dir: Path
    min_face_px: float
    max_call_s: float
    stream_defaults: StreamDefaults
    max_watchers: int
    max_made_faces: int


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server tells of itself."""

    version: str
    openvino_version: str
    isa: str
    started_ms: int
    models: tuple[ModelFacts, ...]
    devices: Mapping[str, str]


class StoreThread:
    """The one thread that touches the database. Calls run in the order they came.

    Args:
        max_pending: calls in work or waiting; one more is refused.
        name: of the thread.
    """

    def __init__(self, max_pending: int, name: str = "store") -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._name = name
        self._max_pending = max_pending
        self._pending = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Runs ``work`` there and waits. Once queued it is done, even if the waiting task is cancelled.

        Raises:
            Overloaded: too many calls wait, for instance behind a large import.
        """
        if self._pending >= self._max_pending:
            raise Overloaded(f"the {self._name} queue is full ({self._max_pending} calls)", retry_after_s=1.0)
        self._pending += 1
        loop = asyncio.get_running_loop()
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release))
        return await result_of(future)

    def _release(self) -> None:
        self._pending -= 1

    def close(self) -> None:
        """Finishes what waits."""
        self._executor.shutdown(wait=True)


class Analyses:
    """Long work on whole galleries: one at a time on a thread of its own, a few may wait.

    Args:
        longest_s: the most that one may take.
    """

    def __init__(self, max_pending: int, longest_s: float) -> None:
        self._thread = StoreThread(max_pending, "analysis")
        self._longest_s = longest_s
        self._running: set[Budget] = set()

    async def run(self, work: Callable[[Callable[[], None]], T], seconds: float | None) -> T:
        """Runs ``work`` with a check that it is to call now and then: it ends where the caller's time is up.

        Raises:
            Overloaded: too many wait.
            DeadlineExpired: it took too long.
        """
        budget = Budget(self._longest_s if seconds is None else min(seconds, self._longest_s))
        self._running.add(budget)
        try:
            return await self._thread.run(lambda: work(budget.check))
        except asyncio.CancelledError:
            budget.cancel()
            raise
        finally:
            self._running.discard(budget)

    def close(self) -> None:
        """Ends what runs."""
        for budget in list(self._running):
            budget.cancel()
        self._thread.close()


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything behind the RPCs."""

    recognizer: Recognizer
    enroller: Enroller
    analyzer: FaceAnalyzer
    watchers: Watchers
    challenges: ChallengeLimits
    studio: FaceStudio
    coder: FaceCoder
    restoration: Restoration
    anonymiser: Anonymiser
    workers: WorkerPool
    store: StoreThread
    galleries: GalleryBook
    subjects: SubjectBook
    faces: FaceBook
    transfer: GalleryTransfer
    models: Mapping[str, ModelRunner]
    calibrations: CalibrationBook
    live: TemplateSearch
    templates: TemplateReader
    analyses: Analyses
    streams: Streams
    events: EventRing
    limits: Limits
    facts: ServerFacts

    def enrolment_options(self) -> DetectionOptions:
        """How faces are looked for in pictures to enrol."""
        return DetectionOptions(None, self.limits.min_face_px, self.limits.max_faces)


class EngineSlot:
    """Holds the engine once it is loaded: the server answers health checks before that."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def put(self, engine: Engine) -> None:
        """Calls are served from now on."""
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            NotReady: it is still being loaded.
        """
        if self._engine is None:
            raise NotReady("the server is still loading its models; try again soon")
        return self._engine

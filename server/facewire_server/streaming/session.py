"""One stream: its newest frame, its tracks, its counters. Frames come on the event loop, work is done on a worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from facewire_server.domain.crowd import CrowdFigures
from facewire_server.domain.errors import DomainError, NotFound
from facewire_server.domain.frame import Frame
from facewire_server.domain.ports import Detector, Embedder, EventSink
from facewire_server.domain.stages import StageClock
from facewire_server.domain.stream import (
    BestShot,
    FrameAnswer,
    RawLayout,
    StreamCounters,
    StreamSettings,
    TrackAnswer,
)
from facewire_server.pipeline.analysis import FaceAnalyzer
from facewire_server.pipeline.clearing import Clearing
from facewire_server.pipeline.decoding import check_image, comparable, decode_image, frame_from_raw
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.streaming.clock import StreamClock
from facewire_server.streaming.naming import Naming
from facewire_server.streaming.overload import Overload
from facewire_server.streaming.pace import Pace
from facewire_server.streaming.record import SeenFrame, TrackRecord
from facewire_server.streaming.reporter import Reporter, is_ignored
from facewire_server.streaming.shots import cut_best_shot
from facewire_server.streaming.tracks import FaceTracks, Shown

_BETTER_SHOT: Final = 1.1


@dataclass(frozen=True, slots=True)
class ArrivedFrame:
    """A frame as it came. ``read`` gives its bytes; asked for once, as each access copies them.

    Attributes:
        problem: what is wrong with the frame's own fields, if anything.
        capture_ms: Unix time, milliseconds; None: when it arrived.
        settings: what was in force when it arrived.
    """

    sequence: int
    capture_ms: int | None
    read: Callable[[], bytes]
    settings: StreamSettings
    arrived_ms: int
    arrived: float
    problem: DomainError | None = None


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a session works with."""

    detector: Detector
    embedder: Embedder
    sink: EventSink
    max_pixels: int
    overload: Overload
    clearing: Clearing
    guard: LivenessGuard
    analyzer: FaceAnalyzer


class Session:
    """A stream's state. ``offer`` is for the event loop, ``take`` and ``work`` for one worker at a time."""

    def __init__(
        self, session_id: str, settings: StreamSettings, parts: SessionParts, naming: Naming, tracks: FaceTracks,
        reporter: Reporter,
    ) -> None:  # fmt: skip
        self.session_id = session_id
        self.last_taken = 0
        self._last_received = 0
        self._parts = parts
        self._naming = naming
        self._tracks = tracks
        self._reporter = reporter
        self._guard = threading.Lock()
        self._counters = StreamCounters()
        self._waiting: ArrivedFrame | None = None
        self._clock = StreamClock()
        self._pace = Pace(settings.detect_every, parts.overload)
        self._taken = 0  # the number of the frame that is worked on, counted from 1 as they arrived
        self._shots: dict[int, BestShot] = {}
        self._at_ms = 0
        self._in_force: StreamSettings | None = None
        self._use(settings)

    # --- the event loop's side ------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether no frame waits."""
        return self._waiting is None

    def begin_connection(self) -> None:
        """A call carries the stream from now on; numbers begin anew, and what waited will be sent again or is old."""
        with self._guard:
            self._last_received = 0
            if self._waiting is not None:
                self._waiting = None
                self._counters.received -= 1

    def offer(self, frame: ArrivedFrame) -> bool:
        """A frame arrived; it takes the place of one that still waits. False if its number is stale."""
        with self._guard:
            self._counters.received += 1
            if frame.sequence <= self._last_received:
                self._counters.stale += 1
                return False
            self._last_received = frame.sequence
            if self._waiting is not None:
                self._counters.dropped += 1
            self._waiting = frame
            return True

    def counters(self) -> StreamCounters:
        """As they are now."""
        with self._guard:
            return replace(self._counters)

    def figures(self) -> CrowdFigures:
        """Of the interval so far."""
        return self._reporter.figures()

    def best_shot(self, track_id: int) -> BestShot:
        """The best picture of a track.

        Raises:
            NotFound: no such track, or no picture of it is kept.
        """
        shot = self._shots.get(track_id)
        if shot is None:
            raise NotFound("best shot of track", str(track_id))
        return shot

    # --- the worker's side ----------------------------------------------------------------------------------

    def take(self) -> ArrivedFrame | None:
        """The newest frame, to be worked on; None if there is none."""
        with self._guard:
            frame, self._waiting = self._waiting, None
            self._taken = self._counters.received
            if frame is not None:
                self.last_taken = frame.sequence
            return frame

    def work(self, frame: ArrivedFrame) -> FrameAnswer:
        """The answer to a frame that was taken."""
        clock = StageClock()
        clock.add("queue", time.monotonic() - frame.arrived)
        self._use(frame.settings)
        self._at_ms = frame.arrived_ms if frame.capture_ms is None else frame.capture_ms
        now_s = self._clock.advance(self._at_ms)
        self._adapt(frame.settings)
        nameless = self._refresh()
        # Before anything is matched: a track that is over must not go on as somebody else.
        self._forget(self._tracks.end_lost(now_s))
        looks = self._pace.is_due(self._taken)
        picture, error = self._read(frame, clock, whole=looks)
        if picture is not None:
            with clock.stage("decode"):
                picture = self._parts.clearing.clear(picture)
            self._pace.looked(self._taken)
            error = self._look(picture, frame.settings, now_s, clock)
        return self._answer(frame, picture, now_s, error or nameless, clock)

    def close(self) -> None:
        """The stream is over: its tracks end. Not while a frame is worked on."""
        self._refresh()
        self._forget(self._tracks.end_all())
        self._parts.sink.report(self._reporter.take())

    def _refresh(self) -> DomainError | None:
        """Names as the gallery is now: nobody who was erased is shown, reported or remembered."""
        error = self._tracks.refresh()
        if self._reporter.judged_at != self._naming.revision:
            self._reporter.judged_at = self._naming.revision
            self._reporter.forget_subjects(self._naming.knows)
        return error

    def _use(self, settings: StreamSettings) -> None:
        before = self._in_force
        if settings is before:
            return
        wanted = (settings.gallery_id, settings.min_similarity)
        if before is None or (before.gallery_id, before.min_similarity) != wanted:
            self._tracks.use_gallery(*wanted)
        self._tracks.use_watches(settings.liveness_check, count_attributes=settings.count_attributes)
        self._tracks.set_ttl(settings.track_ttl_s)
        self._reporter.use(settings)
        self._pace.want(settings.detect_every)
        self._in_force = settings

    def _adapt(self, settings: StreamSettings) -> None:
        if not settings.lossless:
            counters = self.counters()
            self._pace.observe(counters.received, counters.dropped, time.monotonic())

    def _read(self, frame: ArrivedFrame, clock: StageClock, *, whole: bool) -> tuple[Frame | None, DomainError | None]:
        """The picture, if faces are to be looked for; else its header is checked at least."""
        try:
            if frame.problem is not None:
                raise frame.problem
            with clock.stage("decode"):
                return _decode(frame.read(), frame.settings.raw, self._parts.max_pixels, whole=whole), None
        except DomainError as error:
            with self._guard:
                self._counters.decode_errors += 1
            return None, error

    def _look(self, picture: Frame, settings: StreamSettings, now_s: float, clock: StageClock) -> DomainError | None:
        with clock.stage("detect"):
            found = self._parts.detector.detect(picture, settings.min_score, settings.max_faces)
        large = found.select(found.sizes_px >= settings.min_face_px)
        faces, quality = self._parts.embedder.measure(picture, large, clock)
        error = self._tracks.step(SeenFrame(picture, faces, quality, now_s), clock)
        with self._guard:
            self._counters.detected += 1
            self._counters.faces_found += len(faces)
            self._counters.faces_embedded = self._tracks.embedded
        return error

    def _answer(
        self, frame: ArrivedFrame, picture: Frame | None, now_s: float, error: DomainError | None, clock: StageClock
    ) -> FrameAnswer:
        size = None if picture is None else (picture.width, picture.height)
        shown = self._tracks.show(now_s)
        if picture is not None and (frame.settings.keep_shots or frame.settings.send_shots):
            for each in shown:
                self._keep_shot(each, picture, frame)
        self._reporter.observe(shown, size, now_s, self._at_ms)
        self._parts.sink.report(self._reporter.take())
        with self._guard:
            self._counters.processed += 1
            self._counters.queue_age_ms = clock.ms.get("queue", 0.0)
            self._counters.detect_every = self._pace.every
            self._counters.overloaded = self._pace.overloaded
            counters = replace(self._counters)
        return FrameAnswer(
            sequence=frame.sequence,
            at_ms=self._at_ms,
            settings=frame.settings,
            tracks=tuple(_track_answer(each, now_s, frame.settings) for each in shown),
            error=error,
            counters=counters,
            times_ms=clock.ms,
            detected=picture is not None,
            size=size,
        )

    def _forget(self, ended: list[TrackRecord]) -> None:
        for record in ended:
            self._shots.pop(record.track_id, None)
        self._reporter.ended(ended, self._at_ms)

    def _keep_shot(self, shown: Shown, picture: Frame, frame: ArrivedFrame) -> None:
        record = shown.record
        if shown.predicted or not record.confirmed or record.last.score <= _BETTER_SHOT * record.shot_score:
            return
        record.shot_score = record.last.score
        self._shots[record.track_id] = record.shot = cut_best_shot(
            picture, record.track_id, record.last.box, record.last.landmarks, record.last.quality,
            context=frame.settings.context_shots, at_ms=self._at_ms, sequence=frame.sequence,
        )  # fmt: skip
        record.shot_is_new = True


def _decode(data: bytes, raw: RawLayout | None, max_pixels: int, *, whole: bool) -> Frame | None:
    if raw is not None:
        picture = frame_from_raw(data, raw.format, raw.width, raw.height, raw.stride_bytes, max_pixels, "frame")
        return picture if whole else None
    if whole:
        return comparable(decode_image(data, max_pixels, "frame.data"), "frame.data")
    check_image(data, max_pixels, "frame.data")
    return None


def _track_answer(shown: Shown, now_s: float, settings: StreamSettings) -> TrackAnswer:
    record = shown.record
    x, y, width, height = shown.box.tolist()
    send_shot = settings.send_shots and record.shot_is_new
    record.shot_is_new = False
    return TrackAnswer(
        track_id=record.track_id,
        state=record.verdict.state,
        box=(x, y, width, height),
        landmarks=shown.landmarks,
        detection_score=record.last.detection_score,
        quality=record.last.quality,
        subject=record.verdict.subject,
        similarity=record.candidates[0].similarity if record.candidates else None,
        revision=record.revision,
        predicted=shown.predicted,
        age_s=now_s - record.first_s,
        best_shot=record.shot if send_shot else None,
        liveness=record.living,
        ignored=is_ignored(record, settings),
    )

"""All streams: who may open one, resuming, taking over, ending. For the event loop's thread."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from facewire_server.domain.crowd import PeopleMemory
from facewire_server.domain.decision import DecisionPolicy
from facewire_server.domain.errors import DeadlineExpired, NotFound, NotReady, Overloaded, StreamTakenOver
from facewire_server.domain.ports import TemplateSearch
from facewire_server.domain.stream import BestShot, FrameAnswer, StreamInfo, StreamOpened, StreamSettings
from facewire_server.pipeline.turns import Lane
from facewire_server.pipeline.workers import WorkerPool
from facewire_server.streaming.batching import FaceBatcher
from facewire_server.streaming.connection import MAX_UNSENT, Connection
from facewire_server.streaming.naming import Naming
from facewire_server.streaming.rate import Rate
from facewire_server.streaming.record import EmbedPlan
from facewire_server.streaming.reporter import Reporter
from facewire_server.streaming.session import ArrivedFrame, Session, SessionParts
from facewire_server.streaming.tracks import FaceTracks
from facewire_server.streaming.watching import AttributeWatch, LivenessWatch

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What streams may take.

    Attributes:
        max_streams, max_streams_per_client: open at a time; a client is a host.
        first_message_s: in which the settings must come.
        idle_s: a stream without a frame for so long is ended.
        remember_people_s: how long somebody who left is known again, for unique counts.
        same_person: cosine from which two nameless tracks are one person, for those counts.
    """

    max_streams: int
    max_streams_per_client: int
    first_message_s: float
    idle_s: float
    remember_people_s: float
    same_person: float
    plan: EmbedPlan


@dataclass(slots=True, eq=False)
class _Stream:
    session: Session
    settings: StreamSettings
    peer: str
    opened_ms: int
    connection: Connection | None = None
    lane: Lane = field(init=False)
    begun: int = 0  # turns, counted by the worker
    over: int = 0  # turns, counted by the event loop
    closing: bool = False
    until: asyncio.TimerHandle | None = None  # idle while connected, forgotten while not
    rate: Rate = field(default_factory=Rate)

    @property
    def working(self) -> bool:
        """Whether a frame is worked on, or its answer on the way to the event loop."""
        return self.begun != self.over


class Streams:
    """Opens and ends streams, and carries frames to the workers and answers back."""

    def __init__(
        self, parts: SessionParts, templates: TemplateSearch, policy: DecisionPolicy, workers: WorkerPool,
        limits: StreamLimits, now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self.limits = limits
        self._parts = parts
        self._templates = templates
        self._policy = policy
        self._workers = workers
        self._now_ms = now_ms
        self._batcher = FaceBatcher(parts.embedder)
        self._streams: dict[str, _Stream] = {}
        self._clients: Counter[str] = Counter()
        self._closed = False

    @contextmanager
    def admit(self, host: str) -> Iterator[None]:
        """A place for one call.

        Raises:
            Overloaded: there is none, for this client or at all.
            NotReady: the server is stopping.
        """
        if self._closed:
            raise NotReady("the server is stopping")
        if self._clients.total() >= self.limits.max_streams:
            log.warning("a stream of %s is refused: all %d places are taken", host, self.limits.max_streams)
            raise Overloaded(f"all {self.limits.max_streams} places for streams are taken", 5.0)
        if self._clients[host] >= self.limits.max_streams_per_client:
            raise Overloaded(
                f"this client has {self.limits.max_streams_per_client} streams open, the most allowed", 5.0
            )
        self._clients[host] += 1
        try:
            yield
        finally:
            self._clients[host] -= 1
            if not self._clients[host]:
                del self._clients[host]

    # --- opening and ending ---------------------------------------------------------------------------------

    def open(self, settings: StreamSettings, peer: str) -> Connection:
        """Begins a stream, or goes on with the one that has this id.

        Raises:
            NotFound, ContractMismatch, PreconditionFailed: see :meth:`require`.
            NotReady: the server is stopping.
        """
        if self._closed:
            raise NotReady("the server is stopping")
        self.require(settings)
        stream = self._streams.get(settings.stream_id)
        resumed = stream is not None and not stream.closing
        if stream is None or stream.closing:
            stream = self._begin(settings, peer)
        elif stream.connection is not None:
            log.warning("stream %s of %s is taken over by %s", settings.stream_id, stream.peer, peer)
            stream.connection.fail(StreamTakenOver(settings.stream_id))
        _cancel(stream)
        log.info("stream %s %s by %s", settings.stream_id, "resumed" if resumed else "opened", peer)
        stream.peer, stream.settings = peer, settings
        stream.session.begin_connection()
        stream.connection = Connection(
            StreamOpened(
                stream_id=settings.stream_id,
                session_id=stream.session.session_id,
                resumed=resumed,
                last_sequence=stream.session.last_taken,
                min_similarity=self.threshold(settings),
            )
        )
        self._watch_idle(stream, stream.connection)
        return stream.connection

    def require(self, settings: StreamSettings) -> None:
        """Whether the settings' gallery can be compared with, and there are models for what they ask.

        Raises:
            NotFound, ContractMismatch, PreconditionFailed: no.
        """
        self._parts.guard.check_for(settings.liveness_check)
        if settings.count_attributes:
            self._parts.analyzer.require_attributes()
        if settings.gallery_id:
            self._naming().require(settings.gallery_id)

    def threshold(self, settings: StreamSettings) -> float | None:
        """The cosine that makes a name, None without a gallery."""
        if not settings.gallery_id:
            return None
        if settings.min_similarity is not None:
            return settings.min_similarity
        return self._policy.stream_threshold(self._templates.facts(settings.gallery_id))

    def _naming(self) -> Naming:
        return Naming(self._templates, self._policy, self._parts.embedder.contract.contract_id)

    def _begin(self, settings: StreamSettings, peer: str) -> _Stream:
        self._make_room()
        naming = self._naming()
        session_id = uuid.uuid4().hex[:12]
        memory = PeopleMemory(self.limits.remember_people_s, self.limits.same_person)
        tracks = FaceTracks(
            naming,
            self._batcher,
            self.limits.plan,
            settings.track_ttl_s,
            LivenessWatch(self._parts.guard),
            AttributeWatch(self._parts.analyzer),
        )
        reporter = Reporter(session_id, memory, self._parts.analyzer.rules)
        session = Session(session_id, settings, self._parts, naming, tracks, reporter)
        stream = _Stream(session, settings, peer, self._now_ms())
        loop = asyncio.get_running_loop()
        stream.lane = self._workers.lane(lambda: self._turn(stream, loop))
        self._streams[settings.stream_id] = stream
        return stream

    def _make_room(self) -> None:
        """Streams that wait to be resumed must not pile up: the one that was opened first goes."""
        if len(self._streams) >= 2 * self.limits.max_streams:
            waiting = [stream for stream in self._streams.values() if stream.connection is None]
            if waiting:
                self._close(waiting[0])

    def detach(self, connection: Connection) -> None:
        """The call is over. A stream that was not finished may be resumed for a while."""
        stream = self._stream_of(connection)
        if stream is None:
            return  # taken over
        stream.connection = None
        _cancel(stream)
        if connection.finished or self._closed:
            self._close(stream)
            return
        log.info("stream %s lost its connection; it may be resumed", stream.settings.stream_id)
        loop = asyncio.get_running_loop()
        stream.until = loop.call_later(stream.settings.track_ttl_s, self._close, stream)

    def _close(self, stream: _Stream) -> None:
        _cancel(stream)
        if self._streams.get(stream.settings.stream_id) is stream:
            del self._streams[stream.settings.stream_id]
        stream.closing = True
        counters = stream.session.counters()
        log.info(
            "stream %s ended: %d frames answered, %d dropped",
            stream.settings.stream_id,
            counters.processed,
            counters.dropped,
        )
        self._workers.close_lane(stream.lane)
        if not stream.working:
            stream.session.close()

    def close_all(self) -> None:
        """The server stops: clients are told to come back."""
        self._closed = True
        for stream in list(self._streams.values()):
            if stream.connection is not None:
                stream.connection.fail(NotReady("the server is stopping"))
            else:
                self._close(stream)

    def _watch_idle(self, stream: _Stream, connection: Connection) -> None:
        if stream.connection is not connection:
            return
        loop = asyncio.get_running_loop()
        left_s = connection.touched + self.limits.idle_s - loop.time()
        if left_s <= 0:
            connection.fail(DeadlineExpired(f"no frame came for {self.limits.idle_s:.0f} s"))
            return
        stream.until = loop.call_later(left_s, self._watch_idle, stream, connection)

    # --- frames and answers ---------------------------------------------------------------------------------

    def offer(self, connection: Connection, frame: ArrivedFrame) -> None:
        """A frame arrived."""
        stream = self._stream_of(connection)
        if stream is None:
            return
        stream.settings = frame.settings
        connection.touched = asyncio.get_running_loop().time()
        if stream.session.offer(frame):
            connection.room.clear()
            self._wake(stream)

    def finish(self, connection: Connection) -> None:
        """No more frames will come; the call ends when the last is answered."""
        connection.finished = True
        stream = self._stream_of(connection)
        if stream is not None:
            self._end_if_done(stream)

    def sent(self, connection: Connection) -> None:
        """An answer was sent: there is room for the next."""
        connection.unsent -= 1
        stream = self._stream_of(connection)
        if stream is not None:
            self._wake(stream)
            self._end_if_done(stream)

    def _wake(self, stream: _Stream) -> None:
        connection = stream.connection
        if connection is not None and connection.unsent < MAX_UNSENT and not stream.session.has_room:
            self._workers.wake(stream.lane)

    def _end_if_done(self, stream: _Stream) -> None:
        connection = stream.connection
        if connection is None or not connection.finished or stream.working:
            return
        if stream.session.has_room and connection.unsent == 0:
            connection.end()

    def _turn(self, stream: _Stream, loop: asyncio.AbstractEventLoop) -> None:
        """On a worker."""
        stream.begun += 1
        answer: FrameAnswer | Exception | None
        try:
            frame = None if stream.closing else stream.session.take()
            loop.call_soon_threadsafe(self._taken, stream)
            answer = None if frame is None else stream.session.work(frame)
        except Exception as error:  # noqa: BLE001 - a bug ends this stream alone; its call logs it
            answer = error
        loop.call_soon_threadsafe(self._done, stream, answer)

    def _taken(self, stream: _Stream) -> None:
        if stream.connection is not None and stream.session.has_room:
            stream.connection.room.set()

    def _done(self, stream: _Stream, answer: FrameAnswer | Exception | None) -> None:
        stream.over += 1
        if stream.closing:
            if not stream.working:
                stream.session.close()
            return
        connection = stream.connection
        if isinstance(answer, Exception):
            log.error("stream %s: a frame's work failed", stream.settings.stream_id, exc_info=answer)
            if connection is not None:
                connection.fail(answer)
        elif answer is not None:
            stream.rate.count(time.monotonic())
            if connection is not None:
                connection.deliver(answer)
        self._wake(stream)
        self._end_if_done(stream)

    def _stream_of(self, connection: Connection) -> _Stream | None:
        stream = self._streams.get(connection.opened.stream_id)
        return stream if stream is not None and stream.connection is connection else None

    # --- looking --------------------------------------------------------------------------------------------

    def list(self) -> list[StreamInfo]:
        """The streams that run, and those that may be resumed, by id."""
        now = time.monotonic()
        return [
            StreamInfo(
                stream_id=stream_id,
                session_id=stream.session.session_id,
                gallery_id=stream.settings.gallery_id,
                peer=stream.peer,
                opened_ms=stream.opened_ms,
                connected=stream.connection is not None,
                lossless=stream.settings.lossless,
                counters=stream.session.counters(),
                crowd=stream.session.figures(),
                frames_per_s=stream.rate.per_s(now),
            )
            for stream_id, stream in sorted(self._streams.items())
        ]

    def best_shot(self, stream_id: str, track_id: int) -> BestShot:
        """The best picture of a track.

        Raises:
            NotFound: no such stream or track, or no picture of it is kept.
        """
        stream = self._streams.get(stream_id)
        if stream is None:
            raise NotFound("stream", stream_id)
        return stream.session.best_shot(track_id)


def _cancel(stream: _Stream) -> None:
    if stream.until is not None:
        stream.until.cancel()
        stream.until = None

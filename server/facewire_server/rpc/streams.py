"""StreamService."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from facewire.v1 import stream_pb2 as pb
from facewire.v1 import stream_pb2_grpc
from facewire_server.domain.errors import DeadlineExpired, InvalidArgument, NotReady, Overloaded
from facewire_server.domain.event import EventFilter, KeptEvents
from facewire_server.domain.gallery import require_identifier
from facewire_server.domain.stream import StreamSettings
from facewire_server.engine import Engine, EngineSlot
from facewire_server.rpc import stream_convert
from facewire_server.rpc.call import Context, host_of, peer_of
from facewire_server.rpc.stream_settings import changed_settings, settings_of
from facewire_server.streaming.connection import Connection
from facewire_server.streaming.session import ArrivedFrame

Requests = AsyncIterator[pb.RecognizeStreamRequest]
_PAGE: Final = 100
_SETTLE_S: Final = 0.05
_YEAR_1: Final = -62_135_596_800
_YEAR_10000: Final = 253_402_300_800
# A watcher that sees nothing is told where it stands so often.
_POSITION_EVERY_S: Final = 10.0


class StreamServicer(stream_pb2_grpc.StreamServiceServicer):
    """Cameras and those who watch them."""

    def __init__(self, slot: EngineSlot, now_ms: Callable[[], int]) -> None:
        self._slot = slot
        self._now_ms = now_ms
        self._watchers: set[asyncio.Event] = set()
        self._stopping = False

    def stop(self) -> None:
        """Watchers would go on for ever: they end, and their clients come back to the next server."""
        self._stopping = True
        for news in self._watchers:
            news.set()

    # --- recognition ----------------------------------------------------------------------------------------

    async def RecognizeStream(  # noqa: N802 - gRPC's name
        self, request_iterator: Requests, context: Context
    ) -> AsyncIterator[pb.RecognizeStreamResponse]:
        """Frames in, tracks with identities out."""
        engine = self._slot.engine
        with engine.streams.admit(host_of(context)):
            settings = await self._first_settings(engine, request_iterator)
            connection = engine.streams.open(settings, peer_of(context))
            reader = asyncio.create_task(self._read(engine, connection, settings, request_iterator))
            try:
                yield stream_convert.opened_message(connection.opened)
                async for answer in connection.answers():
                    yield stream_convert.answer_message(
                        answer, engine.recognizer.calibration(answer.settings.gallery_id)
                    )
                    engine.streams.sent(connection)
            finally:
                reader.cancel()
                engine.streams.detach(connection)
                with suppress(asyncio.CancelledError):
                    await reader

    async def _first_settings(self, engine: Engine, requests: Requests) -> StreamSettings:
        wait_s = engine.streams.limits.first_message_s
        try:
            first = await asyncio.wait_for(anext(requests), wait_s)
        except asyncio.TimeoutError:
            raise DeadlineExpired(f"no settings came within {wait_s:.0f} s; the first message must hold them") from None
        except StopAsyncIteration:
            raise InvalidArgument("settings", "is missing: the first message must hold the stream's settings") from None
        if first.WhichOneof("message") != "settings":
            raise InvalidArgument("settings", "is missing: the first message must hold the stream's settings")
        return settings_of(first.settings, engine.limits)

    async def _read(self, engine: Engine, connection: Connection, settings: StreamSettings, requests: Requests) -> None:
        """Takes in frames and settings until the sender is done, or something is wrong."""
        try:
            async for request in requests:
                kind = request.WhichOneof("message")
                if kind == "settings":
                    settings = self._change(engine, request.settings, settings)
                elif kind == "frame":
                    if settings.lossless:
                        await connection.room.wait()
                    engine.streams.offer(connection, self._arrived(request.frame, settings))
                else:
                    raise InvalidArgument("message", "is empty: set settings or frame")
        except Exception as error:  # noqa: BLE001 - the call must end with it, or it would hang
            connection.fail(error)
        else:
            # A broken connection ends the requests too, and the cancellation comes right behind: that sender is not
            # done, it may resume.
            await asyncio.sleep(_SETTLE_S)
            engine.streams.finish(connection)

    @staticmethod
    def _change(engine: Engine, message: pb.StreamSettings, before: StreamSettings) -> StreamSettings:
        settings = changed_settings(message, before, engine.limits)
        engine.streams.require(settings)
        return settings

    def _arrived(self, frame: pb.StreamFrame, settings: StreamSettings) -> ArrivedFrame:
        capture_ms, problem = None, None
        if frame.HasField("capture_time"):
            capture_ms, problem = _milliseconds(frame.capture_time)
        return ArrivedFrame(
            sequence=frame.sequence,
            capture_ms=capture_ms,
            read=lambda: frame.data,
            settings=settings,
            arrived_ms=self._now_ms(),
            arrived=time.monotonic(),
            problem=problem,
        )

    async def ListStreams(  # noqa: N802
        self, request: pb.ListStreamsRequest, context: Context
    ) -> pb.ListStreamsResponse:
        """What runs."""
        streams = self._slot.engine.streams.list()
        return pb.ListStreamsResponse(streams=[stream_convert.info_message(info) for info in streams])

    async def GetBestShot(  # noqa: N802
        self, request: pb.GetBestShotRequest, context: Context
    ) -> pb.GetBestShotResponse:
        """The best picture of a track so far."""
        stream_id = require_identifier("stream_id", request.stream_id)
        shot = self._slot.engine.streams.best_shot(stream_id, request.track_id)
        return pb.GetBestShotResponse(best_shot=stream_convert.shot_message(shot))

    # --- events ---------------------------------------------------------------------------------------------

    async def WatchEvents(  # noqa: N802
        self, request: pb.WatchEventsRequest, context: Context
    ) -> AsyncIterator[pb.WatchEventsResponse]:
        """What happens, from now on or from a cursor."""
        engine = self._slot.engine
        wanted = _filter_of(request)
        if len(self._watchers) >= engine.limits.max_watchers:
            raise Overloaded(f"all {engine.limits.max_watchers} places for watchers are taken", 5.0)
        news = asyncio.Event()
        self._watchers.add(news)
        loop = asyncio.get_running_loop()
        end = engine.events.watch(lambda: loop.call_soon_threadsafe(news.set))
        try:
            cursor, strange = await _start_of(engine, request)
            yield _position(cursor)
            if strange:
                yield _lost(0, 0)
            told = loop.time()
            while not self._stopping:
                news.clear()
                kept = await asyncio.to_thread(engine.events.read, cursor, _PAGE)
                for response in _responses(kept, cursor, wanted):
                    yield response
                cursor = kept.events[-1][0] if kept.events else max(cursor, kept.newest_id)
                if loop.time() - told >= _POSITION_EVERY_S:
                    yield _position(cursor)
                    told = loop.time()
                if not kept.events:
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(news.wait(), _POSITION_EVERY_S)
            raise NotReady("the server is stopping")
        finally:
            end()
            self._watchers.discard(news)


def _milliseconds(stamp: Timestamp) -> tuple[int | None, InvalidArgument | None]:
    """Unix time, or what is wrong with it; the range is that of google.protobuf.Timestamp."""
    if not _YEAR_1 <= stamp.seconds < _YEAR_10000 or not 0 <= stamp.nanos < 1_000_000_000:
        return None, InvalidArgument("frame.capture_time", "must be from the year 1 to 9999, nanos from 0 to 999999999")
    return stamp.seconds * 1000 + stamp.nanos // 1_000_000, None


def _filter_of(request: pb.WatchEventsRequest) -> EventFilter:
    for field, value in (("gallery_id", request.gallery_id), ("stream_id", request.stream_id)):
        if value:
            require_identifier(field, value)
    unknown = [number for number in request.kinds if number not in stream_convert.KINDS_BY_NUMBER]
    if unknown:
        raise InvalidArgument("kinds", f"{unknown[0]} is no kind of event that this server knows")
    kinds = frozenset(stream_convert.KINDS_BY_NUMBER[number] for number in request.kinds)
    return EventFilter(request.gallery_id, request.stream_id, request.subject_label, kinds)


async def _start_of(engine: Engine, request: pb.WatchEventsRequest) -> tuple[int, bool]:
    """The number after which to begin, and whether the request's own was never given."""
    kept = await asyncio.to_thread(engine.events.read, 0, 0)
    start = request.WhichOneof("start")
    if start == "from_oldest" and request.from_oldest:
        return max(kept.oldest_id - 1, 0), False
    if start == "after_event_id":
        # A number this file never gave: it was made anew. Whatever it holds is new to the watcher.
        strange = request.after_event_id > kept.newest_id
        return (0 if strange else request.after_event_id), strange
    return kept.newest_id, False


def _responses(kept: KeptEvents, cursor: int, wanted: EventFilter) -> list[pb.WatchEventsResponse]:
    """Events that are wanted, and where numbers are missing what was lost."""
    responses = []
    for event_id, event in kept.events:
        if event_id > cursor + 1:
            responses.append(_lost(cursor + 1, event_id - 1))
        if wanted.wants(event):
            responses.append(pb.WatchEventsResponse(event=stream_convert.event_message(event_id, event)))
        cursor = event_id
    if not kept.events and kept.newest_id > cursor:
        responses.append(_lost(cursor + 1, kept.newest_id))
    return responses


def _lost(first: int, last: int) -> pb.WatchEventsResponse:
    return pb.WatchEventsResponse(lost=pb.EventsLost(first_event_id=first, last_event_id=last))


def _position(cursor: int) -> pb.WatchEventsResponse:
    return pb.WatchEventsResponse(position=pb.WatchPosition(event_id=cursor))

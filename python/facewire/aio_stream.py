"""A stream of frames to the server, and its answers, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio
from typing_extensions import Self

from facewire import _parse_stream
from facewire._outbox import Outbox, Request
from facewire._status import to_error
from facewire._stream_facts import StreamFacts
from facewire.errors import FacewireError
from facewire.images import FrameLike, ImageLike, frame_parts
from facewire.stream import METHOD
from facewire.stream_options import StreamOptions
from facewire.stream_results import FrameAnswer
from facewire.v1 import stream_pb2

T = TypeVar("T")


class Stream(StreamFacts):
    """Frames in, answers out; made by :meth:`facewire.aio.Client.stream`. An async context manager.

    Behaves as :class:`facewire.Stream`. For one event loop.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        target: str,
        options: StreamOptions,
        reconnect_s: float,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._channel = channel
        super().__init__(Outbox(options, reconnect_s), target, on_trouble)
        self._changed = asyncio.Condition()
        self._closed = False
        self._call: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, image: ImageLike, capture_time: float | datetime | None = None) -> int:
        """Sends a frame; returns its number. See :meth:`facewire.Stream.send`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._outbox.has_room or self._closed)
            if self._closed or self._outbox.finished:
                raise FacewireError("the stream is closed: no more frames can be sent")
            sequence = self._outbox.put(image, capture_time)
            self._changed.notify_all()
            return sequence

    async def change(self, options: StreamOptions) -> None:
        """Other options from the next frame on; the stream's name, and whether it is lossless, stay."""
        async with self._changed:
            self._outbox.change(options)
            self._changed.notify_all()

    async def finish(self) -> None:
        """No more frames: the answers end after the last one's."""
        async with self._changed:
            self._outbox.finished = True
            self._changed.notify_all()

    async def close(self) -> None:
        """Ends the stream at once."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._call is not None:
            self._call.cancel()

    async def recognize(self, frames: AsyncIterable[FrameLike] | Iterable[FrameLike]) -> AsyncIterator[FrameAnswer]:
        """Sends all frames from a task of its own, and gives the answers. See :meth:`facewire.Stream.recognize`."""
        feeder = asyncio.create_task(self._feed(frames))
        try:
            async for answer in self:
                yield answer
            await feeder
        finally:
            feeder.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([feeder])

    async def _feed(self, frames: AsyncIterable[FrameLike] | Iterable[FrameLike]) -> None:
        try:
            async for frame in each(frames):
                if self._closed:
                    return
                await self.send(*frame_parts(frame))
        finally:
            await self.finish()

    async def __aiter__(self) -> AsyncIterator[FrameAnswer]:
        """The answers, until the stream is finished or closed.

        Raises:
            ServerError: the server refused, or could not be reached for too long.
        """
        while not self._closed:
            try:
                async for answer in self._answers():
                    yield answer
                return
            except grpc.RpcError as failure:
                if self._closed:
                    return
                error = to_error(failure, self._target)
                wait_s = self._outbox.wait_before_retry_s(error)
                if wait_s is None:
                    await self.close()
                    raise error from failure
                self._say_lost(error)
                await asyncio.sleep(wait_s)
            except asyncio.CancelledError:
                if self._closed:  # closing cancels the call
                    return
                raise

    async def _answers(self) -> AsyncIterator[FrameAnswer]:
        self._call = call = self._channel.stream_stream(
            METHOD,
            request_serializer=Request.SerializeToString,
            response_deserializer=stream_pb2.RecognizeStreamResponse.FromString,
        )(self._requests())
        try:
            async for response in call:
                async with self._changed:
                    if response.HasField("opened"):
                        self._outbox.opened(response.opened)
                        self._say_back()
                    else:
                        self._outbox.answered(response.answer.sequence)
                    self._changed.notify_all()
                if response.HasField("answer"):
                    yield _parse_stream.frame_answer(response.answer)
        finally:
            call.cancel()

    async def _requests(self) -> AsyncIterator[Request]:
        """What is to be sent, as it comes. gRPC cancels it with the call."""
        yield self._outbox.begin()
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._closed or self._outbox.has_next or self._outbox.all_sent)
                if self._closed or self._outbox.all_sent:
                    return
                request = self._outbox.next()
            yield request


async def each(frames: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    """What either kind holds; between items of a plain iterable others have their turn."""
    if isinstance(frames, AsyncIterable):
        async for frame in frames:
            yield frame
        return
    for frame in frames:
        yield frame
        await asyncio.sleep(0)  # the answers must get their turn

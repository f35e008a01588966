"""A stream of frames to the server, and its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Final

import grpc
from typing_extensions import Self

from facewire import _parse_stream
from facewire._outbox import Outbox, Request
from facewire._status import to_error
from facewire._stream_facts import StreamFacts
from facewire.errors import FacewireError, ServerError
from facewire.images import FrameLike, ImageLike, frame_parts
from facewire.stream_options import StreamOptions
from facewire.stream_results import FrameAnswer
from facewire.v1 import stream_pb2

METHOD: Final = "/facewire.v1.StreamService/RecognizeStream"


class Stream(StreamFacts):
    """Frames in, answers out; made by :meth:`facewire.Client.stream`. A context manager.

    One thread iterates over the answers, any thread may send; nothing goes out before somebody iterates. Where the
    connection breaks the stream connects again, with back-off, and goes on with the same tracks and names if the server
    still remembers them.

    Example:
        >>> with client.stream(StreamOptions(gallery_id="door", stream_id="entrance")) as stream:
        ...     for answer in stream.recognize(camera_frames):
        ...         print([track.name for track in answer.tracks])
    """

    def __init__(
        self,
        channel: grpc.Channel,
        target: str,
        options: StreamOptions,
        reconnect_s: float,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._channel = channel
        super().__init__(Outbox(options, reconnect_s), target, on_trouble)
        self._changed = threading.Condition()
        self._closed = False
        self._call: Any = None
        self._feeder_error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, image: ImageLike, capture_time: float | datetime | None = None) -> int:
        """Sends a frame; returns its number, which its answer carries.

        A live stream never waits here: a frame that was not sent yet gives way to the newer one. A lossless stream
        waits until the server has answered earlier ones.

        Args:
            image: see :data:`facewire.ImageLike`.
            capture_time: Unix time in seconds, or a datetime; None: now.

        Raises:
            ImageError: no picture.
            FacewireError: the stream is closed or finished.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._outbox.has_room or self._closed)
            if self._closed or self._outbox.finished:
                raise FacewireError("the stream is closed: no more frames can be sent")
            sequence = self._outbox.put(image, capture_time)
            self._changed.notify_all()
            return sequence

    def change(self, options: StreamOptions) -> None:
        """Other options from the next frame on; the stream's name, and whether it is lossless, stay."""
        with self._changed:
            self._outbox.change(options)
            self._changed.notify_all()

    def finish(self) -> None:
        """No more frames: the answers end after the last one's."""
        with self._changed:
            self._outbox.finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the stream at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._call is not None:
            self._call.cancel()

    def recognize(self, frames: Iterable[FrameLike]) -> Iterator[FrameAnswer]:
        """Sends all frames from a thread of its own, and gives the answers.

        Frames that come faster than they are answered are dropped, unless ``StreamOptions.lossless`` is set: a list of
        pictures needs that, a camera does not.

        Args:
            frames: pictures, pairs of a picture and its capture time, or what :mod:`facewire.video` reads.

        Raises:
            ServerError: as when iterating. Also whatever ``frames`` raises.
        """
        feeder = threading.Thread(target=self._feed, args=(frames,), name="facewire-frames", daemon=True)
        feeder.start()
        yield from self
        if self._feeder_error is not None:
            raise self._feeder_error

    def _feed(self, frames: Iterable[FrameLike]) -> None:
        try:
            for frame in frames:
                if self._closed:
                    return
                self.send(*frame_parts(frame))
        except BaseException as error:  # noqa: BLE001 - raised where the answers are read
            if not self._closed:
                self._feeder_error = error
        finally:
            self.finish()

    def __iter__(self) -> Iterator[FrameAnswer]:
        """The answers, until the stream is finished or closed.

        Raises:
            ServerError: the server refused, or could not be reached for too long.
        """
        while not self._closed:
            try:
                yield from self._answers()
                return
            except grpc.RpcError as failure:
                if self._closed:
                    return
                error = to_error(failure, self._target)
                if not self._wait(error):
                    self.close()
                    raise error from failure

    def _wait(self, error: ServerError) -> bool:
        """Waits before the next attempt; False if there should be none."""
        wait_s = self._outbox.wait_before_retry_s(error)
        if wait_s is None:
            return False
        self._say_lost(error)
        with self._changed:
            self._changed.wait_for(lambda: self._closed, timeout=wait_s)
        return True

    def _answers(self) -> Iterator[FrameAnswer]:
        ended = threading.Event()
        self._call = call = self._channel.stream_stream(
            METHOD,
            request_serializer=Request.SerializeToString,
            response_deserializer=stream_pb2.RecognizeStreamResponse.FromString,
        )(self._requests(ended))
        try:
            for response in call:
                with self._changed:
                    if response.HasField("opened"):
                        self._outbox.opened(response.opened)
                        self._say_back()
                    else:
                        self._outbox.answered(response.answer.sequence)
                    self._changed.notify_all()
                if response.HasField("answer"):
                    yield _parse_stream.frame_answer(response.answer)
        finally:
            call.cancel()  # type: ignore[no-untyped-call]
            with self._changed:
                ended.set()
                self._changed.notify_all()

    def _requests(self, ended: threading.Event) -> Iterator[Request]:
        """On gRPC's thread: what is to be sent, as it comes."""
        with self._changed:
            first = self._outbox.begin()
        yield first
        while True:
            with self._changed:
                self._changed.wait_for(lambda: ended.is_set() or self._closed or self._has_something())
                if ended.is_set() or self._closed or self._outbox.all_sent:
                    return
                request = self._outbox.next()
            yield request

    def _has_something(self) -> bool:
        return self._outbox.has_next or self._outbox.all_sent

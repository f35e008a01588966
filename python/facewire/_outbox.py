"""What a stream still has to send, and what to do when its connection breaks. No input or output of its own.

Both clients drive it. Numbers, changing encodings, dropping, resending and resuming are hidden here.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from facewire.errors import ImageError, OverloadedError, ServerError, UnavailableError
from facewire.images import ImageLike, image_message
from facewire.stream_options import StreamOptions
from facewire.v1 import image_pb2, stream_pb2

Request = stream_pb2.RecognizeStreamRequest
# Frames a lossless stream may have under way: enough to keep the server busy, few enough to be sent again.
WINDOW: Final = 4
_FIRST_BACKOFF_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 5.0
_FIRST_ATTEMPTS: Final = 3
_YEAR_10000: Final = 253_402_300_800
_STARTING: Final = "NOT_READY"


class Backoff:
    """How long to wait before the next attempt to get through: longer each time, and not for ever.

    Args:
        longest_s: how long to try after the last success.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._failing_since: float | None = None
        self.attempts = 0

    def succeeded(self) -> None:
        """The connection works."""
        self._failing_since = None
        self.attempts = 0

    def wait_s(self, error: ServerError) -> float | None:
        """Seconds; None: this error will not pass, or has lasted too long."""
        passes = isinstance(error, UnavailableError) or (
            isinstance(error, OverloadedError) and error.retry_after_s is not None
        )
        if not passes:
            return None
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        wait_s = min(_FIRST_BACKOFF_S * 2.0**self.attempts, _LONGEST_BACKOFF_S)
        self.attempts += 1
        return wait_s if now - self._failing_since + wait_s <= self._longest_s else None


class Outbox:
    """A stream's frames and settings on their way. Not thread-safe.

    Args:
        options: as given; the server's name for the stream is added when it is known.
        reconnect_s: how long to try to get through again after the last success.
    """

    def __init__(self, options: StreamOptions, reconnect_s: float) -> None:
        self.options = options
        self.session_id = ""
        self.dropped = 0
        self.lost_answers = 0
        self.reconnects = 0
        self.finished = False
        self._sequence = 0
        self._layout: tuple[Any, ...] | None = None
        self._encoding = stream_pb2.FrameEncoding(compressed=stream_pb2.CompressedFrames())
        self._queue: deque[Request] = deque()
        self._unanswered: OrderedDict[int, tuple[Request, ...]] = OrderedDict()
        self._ready = False
        self._was_open = False
        self._backoff = Backoff(reconnect_s)

    # --- frames ---------------------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether a frame may be put now: always, unless the stream is lossless."""
        return not self.options.lossless or len(self._unanswered) < WINDOW

    def put(self, image: ImageLike, capture_time: float | datetime | None) -> int:
        """A frame to send; in a live stream it takes the place of one that was not sent yet. Its number."""
        message = image_message(image)
        data = self._encode(message)
        self._sequence += 1
        frame = stream_pb2.StreamFrame(sequence=self._sequence, capture_time=_timestamp(capture_time), data=data)
        request = Request(frame=frame)
        if self.options.lossless:
            self._unanswered[self._sequence] = (self._settings(), request)
        else:
            self._drop_unsent()
        self._queue.append(request)
        return self._sequence

    def _drop_unsent(self) -> None:
        """Only the last settings, and no frame, wait before a new frame."""
        waiting = list(self._queue)
        self.dropped += sum(request.HasField("frame") for request in waiting)
        self._queue.clear()
        self._queue.extend([request for request in waiting if request.HasField("settings")][-1:])

    def _encode(self, message: image_pb2.Image) -> bytes:
        """The frame's bytes; where frames look different now, new settings go first."""
        raw = message.raw if message.WhichOneof("source") == "raw" else None
        layout = None if raw is None else (raw.format, raw.width, raw.height, raw.stride_bytes)
        if layout != self._layout:
            self._layout = layout
            if raw is None:
                self._encoding = stream_pb2.FrameEncoding(compressed=stream_pb2.CompressedFrames())
            else:
                frames = stream_pb2.RawFrames(
                    format=raw.format, width=raw.width, height=raw.height, stride_bytes=raw.stride_bytes
                )
                self._encoding = stream_pb2.FrameEncoding(raw=frames)
            self._queue.append(self._settings())
        return message.encoded if raw is None else raw.data

    def _settings(self) -> Request:
        return Request(settings=self.options.message(self._encoding))

    def change(self, options: StreamOptions) -> None:
        """Other options from the next frame on."""
        self.options = replace(options, stream_id=self.options.stream_id, lossless=self.options.lossless)
        self._queue.append(self._settings())

    # --- the connection -------------------------------------------------------------------------------------

    def begin(self) -> Request:
        """A connection is made: its first message. Nothing else goes out before the server has opened the stream."""
        self._ready = False
        return self._settings()

    def opened(self, message: stream_pb2.StreamOpened) -> None:
        """The server opened the stream; what it has not seen is sent again."""
        same_run = self._was_open and self.session_id == message.session_id
        self.options = replace(self.options, stream_id=message.stream_id)
        self.session_id = message.session_id
        self.reconnects += self._was_open
        self._was_open = self._ready = True
        self.succeeded()
        if self.options.lossless:
            self._queue.clear()
            # In another run of the stream the numbers are another client's.
            seen = [number for number in self._unanswered if same_run and number <= message.last_sequence]
            for number in seen:
                del self._unanswered[number]
            self.lost_answers += len(seen)
            for requests in self._unanswered.values():
                self._queue.extend(requests)

    @property
    def has_next(self) -> bool:
        """Whether there is something to send now."""
        return self._ready and bool(self._queue)

    def next(self) -> Request:
        """What to send now; there must be something."""
        return self._queue.popleft()

    @property
    def all_sent(self) -> bool:
        """Whether the sender is done and everything has gone out."""
        return self.finished and self._ready and not self._queue

    def answered(self, sequence: int) -> None:
        """The answer to this frame came."""
        self._unanswered.pop(sequence, None)
        self.succeeded()

    def succeeded(self) -> None:
        """The connection works."""
        self._backoff.succeeded()

    def wait_before_retry_s(self, error: ServerError) -> float | None:
        """How long to wait before connecting again; None: this error will not pass, or has lasted too long."""
        if self._was_open or error.reason == _STARTING:
            return self._backoff.wait_s(error)
        # The first time: more likely a wrong address, or a full server, than something that will pass.
        again = isinstance(error, UnavailableError) and self._backoff.attempts < _FIRST_ATTEMPTS
        return self._backoff.wait_s(error) if again else None


def _timestamp(moment: float | datetime | None) -> Timestamp:
    if moment is None:
        moment = time.time()
    stamp = Timestamp()
    if isinstance(moment, float | int) and not abs(moment) < _YEAR_10000:
        raise ImageError(f"capture_time must be Unix time in seconds, not {moment}")
    if isinstance(moment, datetime):
        stamp.FromDatetime(moment.astimezone(timezone.utc))
    else:
        stamp.FromMicroseconds(round(moment * 1e6))
    return stamp

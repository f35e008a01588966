"""Watching events: the request, and where to go on after a broken connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from facewire import _parse_stream
from facewire._outbox import Backoff
from facewire.errors import ServerError
from facewire.stream_results import Event, EventKind, EventsLost
from facewire.v1 import stream_pb2

METHOD: Final = "/facewire.v1.StreamService/WatchEvents"


class Reconnecting:
    """Whether to try again where the connection broke, and telling of it once an outage. Sleeps nowhere itself."""

    def __init__(self, target: str, longest_s: float, on_trouble: Callable[[str], None] | None) -> None:
        self._target = target
        self._backoff = Backoff(longest_s)
        self._on_trouble = on_trouble or (lambda text: None)
        self._came = self._lost = False

    def succeeded(self) -> None:
        """Something came."""
        self._backoff.succeeded()
        self._came = True
        if self._lost:
            self._lost = False
            self._on_trouble(f"the server at {self._target} is back")

    def wait_s(self, error: ServerError) -> float | None:
        """Seconds until the next attempt; None: this error will not pass, or has lasted too long."""
        wait_s = self._backoff.wait_s(error)
        if wait_s is not None and self._came and not self._lost:
            self._lost = True
            self._on_trouble(f"the server at {self._target} is lost ({error}); trying again")
        return wait_s


class WatchCursor:
    """How far a watcher has come. No input or output of its own."""

    def __init__(
        self,
        gallery_id: str,
        stream_id: str,
        subject_label: str,
        kinds: Sequence[EventKind],
        after_event_id: int | None,
        from_oldest: bool,
    ) -> None:
        if after_event_id is not None and from_oldest:
            raise ValueError("after_event_id and from_oldest exclude each other")
        self._request = stream_pb2.WatchEventsRequest(
            gallery_id=gallery_id,
            stream_id=stream_id,
            subject_label=subject_label,
            kinds=[f"EVENT_KIND_{EventKind(kind).value}" for kind in kinds],
        )
        self._after = after_event_id
        self._from_oldest = from_oldest

    def request(self) -> stream_pb2.WatchEventsRequest:
        """For a new connection: from where the last one broke."""
        request = stream_pb2.WatchEventsRequest()
        request.CopyFrom(self._request)
        if self._after is not None:
            request.after_event_id = self._after
        elif self._from_oldest:
            request.from_oldest = True
        return request

    def take(self, response: stream_pb2.WatchEventsResponse) -> Event | EventsLost | None:
        """What the response tells the user, if anything."""
        kind = response.WhichOneof("message")
        if kind == "event":
            self._after = response.event.event_id
            return _parse_stream.event(response.event)
        if kind == "lost":
            self._after = response.lost.last_event_id
            return EventsLost(response.lost.first_event_id, response.lost.last_event_id)
        self._after = response.position.event_id
        return None

"""Watching events: the request, and where to go on after a broken connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facewire import _parse_stream
from facewire.stream_results import Event, EventKind, EventsLost
from facewire.v1 import stream_pb2

METHOD: Final = "/facewire.v1.StreamService/WatchEvents"


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

"""What happened on a stream, for those who watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from facewire_server.domain.crowd import CrowdFigures


class EventKind(Enum):
    """See the proto."""

    APPEARED = "appeared"
    IDENTIFIED = "identified"
    REVISED = "revised"
    LEFT = "left"
    WATCHLIST = "watchlist"
    UNKNOWN_LINGERING = "unknown lingering"
    CROSSED_IN = "crossed in"
    CROSSED_OUT = "crossed out"
    COUNT = "count"
    SPOOF = "spoof"


@dataclass(frozen=True, slots=True)
class Event:
    """An event; its number is given by the ring that keeps it.

    Attributes:
        at_ms: Unix time, milliseconds, of the frame.
        track_id: 0 for counts.
        subject_id, display_name, labels: empty where nobody is named.
        boundary: name of the line or zone.
        dwell_s: how long a track that left had lasted.
        judged_at: the gallery's revision when the subject was named; not kept.
    """

    kind: EventKind
    at_ms: int
    stream_id: str
    session_id: str
    gallery_id: str
    track_id: int = 0
    subject_id: str = ""
    display_name: str = ""
    labels: tuple[str, ...] = ()
    similarity: float | None = None
    boundary: str = ""
    dwell_s: float | None = None
    crowd: CrowdFigures | None = None
    judged_at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a watcher wants; empty fields want all."""

    gallery_id: str = ""
    stream_id: str = ""
    subject_label: str = ""
    kinds: frozenset[EventKind] = frozenset()

    def wants(self, event: Event) -> bool:
        """Whether it is one of them."""
        return (
            self.gallery_id in ("", event.gallery_id)
            and self.stream_id in ("", event.stream_id)
            and (not self.subject_label or self.subject_label in event.labels)
            and (not self.kinds or event.kind in self.kinds)
        )


@dataclass(frozen=True, slots=True)
class KeptEvents:
    """A part of the ring: events with their numbers, and the smallest number that is still kept."""

    events: Sequence[tuple[int, Event]]
    oldest_id: int
    newest_id: int

"""What streams answer and report, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from facewire.analysis import AttributeFigures
from facewire.liveness import Liveness
from facewire.results import Box, Candidate, ImageSize, Landmarks, Quality, StageTimes


class TrackState(Enum):
    """What is known of a track.

    TENTATIVE: seen too briefly to be sure that it is a face. IDENTIFYING: not enough seen to say who it is. KNOWN.
    UNKNOWN: enough seen, and nobody in the gallery. AMBIGUOUS: two subjects too close to tell apart.
    """

    TENTATIVE = "TENTATIVE"
    IDENTIFYING = "IDENTIFYING"
    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"
    AMBIGUOUS = "AMBIGUOUS"


class EventKind(Enum):
    """What happened."""

    APPEARED = "APPEARED"
    IDENTIFIED = "IDENTIFIED"
    REVISED = "REVISED"
    LEFT = "LEFT"
    WATCHLIST = "WATCHLIST"
    UNKNOWN_LINGERING = "UNKNOWN_LINGERING"
    CROSSED_IN = "CROSSED_IN"
    CROSSED_OUT = "CROSSED_OUT"
    COUNT = "COUNT"
    SPOOF = "SPOOF"


@dataclass(frozen=True, slots=True)
class BestShot:
    """The best picture of a track so far. ``context_jpeg`` is empty where it was not asked for."""

    track_id: int
    aligned_jpeg: bytes
    context_jpeg: bytes
    quality: Quality
    capture_time: datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class Track:
    """One person in one frame's answer.

    Attributes:
        track_id: the same person's number through the stream.
        box: pixels; where ``predicted``, where it should be: it was not found in this frame.
        landmarks, quality: where the stream asked for them.
        subject: who it is, where the state is KNOWN.
        similarity: raw cosine of the closest subject, named or not; None before anything was compared.
        revision: how often the answer to "who is it" has changed.
        age_s: since the track's first frame.
        best_shot: where it became better and the stream asked for it.
        liveness: where it is checked, of all frames of the track that were looked at.
        ignored: a subject with an ignore label: in no events and no figures.
    """

    track_id: int
    state: TrackState
    box: Box
    landmarks: Landmarks | None
    detection_score: float
    quality: Quality | None
    subject: Candidate | None
    similarity: float | None
    revision: int
    predicted: bool
    age_s: float
    best_shot: BestShot | None
    liveness: Liveness | None = None
    ignored: bool = False

    @property
    def name(self) -> str:
        """The subject's name, or the state in small letters."""
        return self.subject.display_name if self.subject is not None else self.state.value.lower()


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """What happened on a stream so far.

    Attributes:
        received, processed: frames that came, and were answered.
        dropped: newer frames took their places.
        decode_errors, stale: frames that could not be read; numbers that were not above the last.
        detected: frames in which faces were looked for.
        faces_found, faces_embedded: in those.
        queue_age_ms: of the newest frame, from its arrival to the beginning of its work.
        detect_every: the k in force, rounded up; ``overloaded`` where it is larger than asked for.
    """

    received: int
    processed: int
    dropped: int
    decode_errors: int
    stale: int
    detected: int
    faces_found: int
    faces_embedded: int
    queue_age_ms: float
    detect_every: int
    overloaded: bool


@dataclass(frozen=True, slots=True)
class FrameError:
    """Why a frame could not be used: a gRPC status code's name, and what would be right."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FrameAnswer:
    """The answer to one frame.

    Attributes:
        sequence: the frame's number, as ``send`` returned it.
        error: set where the frame could not be used; the tracks are then as they should be at its time.
        detected: faces were looked for in it.
        image_size: of the upright frame, where faces were looked for.
    """

    sequence: int
    capture_time: datetime
    tracks: tuple[Track, ...]
    error: FrameError | None
    counters: StreamCounters
    times: StageTimes
    detected: bool
    image_size: ImageSize | None


@dataclass(frozen=True, slots=True)
class CrowdFigures:
    """How many: now, and since ``interval_start``.

    Attributes:
        unique_people: each counted once, named or not, also when they went and came back.
        unique_subjects: the named ones among them.
        entries, exits: over lines and zones; where there are none, into sight and out of it.
        mean_dwell_s: how long those who left had been in sight; None where nobody left.
        attributes: where the stream counts them and the interval has seen enough people.
    """

    people_now: int
    unique_people: int
    unique_subjects: int
    entries: int
    exits: int
    mean_dwell_s: float | None
    interval_start: datetime
    attributes: AttributeFigures | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a stream.

    Attributes:
        event_id: rising; pass the last one seen to ``watch_events`` to go on after it.
        at: capture time of the frame.
        track_id: 0 for counts.
        subject_id, display_name, labels: empty where nobody is named.
        boundary: name of the line or zone.
        dwell_s: of LEFT: how long the track had lasted.
        crowd: of COUNT.
    """

    event_id: int
    kind: EventKind
    at: datetime
    stream_id: str
    session_id: str
    gallery_id: str
    track_id: int
    subject_id: str
    display_name: str
    labels: tuple[str, ...]
    similarity: float | None
    boundary: str
    dwell_s: float | None
    crowd: CrowdFigures | None


@dataclass(frozen=True, slots=True)
class EventsLost:
    """These events are no longer kept: the watcher was too slow or away too long."""

    first_event_id: int
    last_event_id: int


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that runs or, where it is not ``connected``, may be resumed. ``frames_per_s``: answered lately."""

    stream_id: str
    session_id: str
    gallery_id: str
    peer: str
    opened_at: datetime
    connected: bool
    lossless: bool
    counters: StreamCounters
    crowd: CrowdFigures
    frames_per_s: float

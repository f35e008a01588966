"""A stream's settings and answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from facewire_server.domain.boundary import Boundary
from facewire_server.domain.crowd import CrowdFigures
from facewire_server.domain.decision import Candidate
from facewire_server.domain.errors import DomainError
from facewire_server.domain.face import FloatArray, Quality
from facewire_server.domain.frame import FrameFormat
from facewire_server.domain.liveness import Liveness, LivenessCheck
from facewire_server.domain.stages import Stage


class TrackState(Enum):
    """What is known of a track."""

    TENTATIVE = "tentative"
    IDENTIFYING = "identifying"
    KNOWN = "known"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class RawLayout:
    """How raw frames lie in memory; stride 0: rows without padding."""

    format: FrameFormat
    width: int
    height: int
    stride_bytes: int


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a stream asks for, checked and with the server's defaults filled in.

    Attributes:
        gallery_id: whom to compare with; empty: nobody is embedded or named.
        raw: layout of raw frames; None: frames are JPEG, PNG or WebP files.
        min_score: detector score, None for the model's own threshold.
        detect_every: faces are looked for in every so many frames.
        min_similarity: cosine that makes a name; None: by the gallery's size.
        track_ttl_s: how long a track is remembered unseen, and a broken stream.
        lossless: nothing is dropped.
        keep_shots, send_shots, context_shots: best shots are kept, sent, with surroundings.
        unknown_linger_s, count_interval_s: 0 means never.
        liveness_check: what is asked for; the server may do more.
        count_attributes: age and gender are part of the figures.
        ignore_labels: subjects with one of these are in no events and no figures.
    """

    stream_id: str
    gallery_id: str
    raw: RawLayout | None
    min_score: float | None
    min_face_px: float
    max_faces: int
    detect_every: int
    min_similarity: float | None
    track_ttl_s: float
    lossless: bool
    return_landmarks: bool
    return_quality: bool
    keep_shots: bool
    send_shots: bool
    context_shots: bool
    watchlist_labels: frozenset[str]
    unknown_linger_s: float
    count_interval_s: float
    boundaries: tuple[Boundary, ...]
    liveness_check: LivenessCheck = LivenessCheck.OFF
    count_attributes: bool = False
    ignore_labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BestShot:
    """The best picture of a track so far. ``context_jpeg`` is empty where it was not asked for."""

    track_id: int
    aligned_jpeg: bytes
    context_jpeg: bytes
    quality: Quality
    at_ms: int
    sequence: int


@dataclass(frozen=True, slots=True)
class TrackAnswer:
    """A track in one frame's answer.

    Attributes:
        box: x, y, width, height, pixels.
        landmarks: float32 (5, 2), pixels.
        detection_score, quality: at the last detection.
        subject: who it is, where the state is KNOWN.
        similarity: of the closest subject; None before anything was compared.
        revision: how often the answer has changed.
        predicted: not found in this frame.
        best_shot: where it became better and is to be sent.
        liveness: where it is checked.
    """

    track_id: int
    state: TrackState
    box: tuple[float, float, float, float]
    landmarks: FloatArray
    detection_score: float
    quality: Quality
    subject: Candidate | None
    similarity: float | None
    revision: int
    predicted: bool
    age_s: float
    best_shot: BestShot | None
    liveness: Liveness | None = None
    ignored: bool = False


@dataclass(slots=True)
class StreamCounters:
    """What happened on a stream so far; see the proto."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    decode_errors: int = 0
    stale: int = 0
    detected: int = 0
    faces_found: int = 0
    faces_embedded: int = 0
    queue_age_ms: float = 0.0
    detect_every: int = 1
    overloaded: bool = False


@dataclass(frozen=True, slots=True)
class FrameAnswer:
    """The answer to one frame.

    Attributes:
        settings: that the frame came under.
        size: the upright frame's width and height, where faces were looked for.
    """

    sequence: int
    at_ms: int
    settings: StreamSettings
    tracks: tuple[TrackAnswer, ...]
    error: DomainError | None
    counters: StreamCounters
    times_ms: Mapping[Stage, float]
    detected: bool
    size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The first answer. ``last_sequence`` is the last frame looked at before, 0 if none."""

    stream_id: str
    session_id: str
    resumed: bool
    last_sequence: int
    min_similarity: float | None


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that runs, or may be resumed."""

    stream_id: str
    session_id: str
    gallery_id: str
    peer: str
    opened_ms: int
    connected: bool
    lossless: bool
    counters: StreamCounters
    crowd: CrowdFigures
    frames_per_s: float = field(default=0.0)

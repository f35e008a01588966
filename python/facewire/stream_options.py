"""What a stream asks the server for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from google.protobuf.duration_pb2 import Duration

from facewire._requests import liveness_check
from facewire.liveness import LivenessCheck
from facewire.v1 import recognition_pb2, stream_pb2


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the picture, from ``start`` to ``end``: shares (x, y) of the frame's width and height, 0..1.

    Seen from start to end, a face that goes from the left side to the right has come in, the other way gone out: with
    ``Line("door", (0.5, 1.0), (0.5, 0.0))``, from the bottom up, whoever walks to the right in the picture comes in.
    """

    name: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture: three corners or more, as shares (x, y) of the frame's width and height, 0..1."""

    name: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """A stream's settings; None means the server's default.

    Attributes:
        gallery_id: whom to compare with; empty: faces are tracked, and nobody is embedded or named.
        stream_id: a name to be resumed under; empty: the server chooses one.
        detect_every: look for faces in every so many frames; between, tracks move on as they moved before.
        min_score: detector score from 0 to 1.
        min_face_px: shorter side of a face.
        max_faces: at most so many, best first; 0: the server's limit.
        min_similarity: cosine that makes a name.
        track_ttl_s: how long a face may be out of sight before its track ends, and a broken stream be resumed.
        lossless: nothing is dropped; sending waits for the server instead. For files.
        landmarks, quality: in the answers.
        best_shots: "keep" the best picture of each track for :meth:`facewire.Client.best_shot`, or also "send" it in
            the answers whenever it became better.
        context_shots: also the face with what is around it.
        watchlist_labels: subjects with one of these raise an event; empty: "watchlist".
        unknown_linger_s: a track without a name for so long raises an event; 0: never.
        count_interval_s: a count event each time this much stream time has passed; 0: never.
        lines, zones: whose crossing raises events.
        liveness: "report" tells in the answers whether tracks are living people; "require" also names nobody who is
            not LIVE. Needs a liveness model on the server, as ``count_attributes`` needs its models.
        count_attributes: age and gender in the crowd figures.
        ignore_labels: subjects with one of these are known and not told of: in no events and no figures; empty:
            "ignore".
    """

    gallery_id: str = ""
    stream_id: str = ""
    detect_every: int = 1
    min_score: float | None = None
    min_face_px: float | None = None
    max_faces: int = 0
    min_similarity: float | None = None
    track_ttl_s: float | None = None
    lossless: bool = False
    landmarks: bool = False
    quality: bool = False
    best_shots: Literal["none", "keep", "send"] = "none"
    context_shots: bool = False
    watchlist_labels: Sequence[str] = ()
    unknown_linger_s: float | None = None
    count_interval_s: float | None = None
    lines: Sequence[Line] = ()
    zones: Sequence[Zone] = ()
    liveness: LivenessCheck | None = None
    count_attributes: bool = False
    ignore_labels: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.best_shots not in ("none", "keep", "send"):
            raise ValueError(f"best_shots must be none, keep or send, not {self.best_shots!r}")
        if self.detect_every < 1:
            raise ValueError("detect_every must be at least 1")
        liveness_check(self.liveness)
        for name in ("watchlist_labels", "ignore_labels"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} must be a list of labels; put a single one in a list")
        if self.max_faces < 0:
            raise ValueError("max_faces must not be negative")

    def message(self, encoding: stream_pb2.FrameEncoding) -> stream_pb2.StreamSettings:
        """The settings on the wire."""
        return stream_pb2.StreamSettings(
            stream_id=self.stream_id,
            gallery_id=self.gallery_id,
            encoding=encoding,
            detection=recognition_pb2.DetectionOptions(
                min_score=self.min_score, min_face_px=self.min_face_px, max_faces=self.max_faces
            ),
            detect_every=self.detect_every,
            min_similarity=self.min_similarity,
            track_ttl=_duration(self.track_ttl_s),
            lossless=self.lossless,
            return_landmarks=self.landmarks,
            return_quality=self.quality,
            best_shot=stream_pb2.BestShotOptions(
                keep=self.best_shots != "none", send=self.best_shots == "send", context=self.context_shots
            ),
            watchlist_labels=self.watchlist_labels,
            unknown_linger=_duration(self.unknown_linger_s),
            count_interval=_duration(self.count_interval_s),
            lines=[
                stream_pb2.Line(name=line.name, start=_point(line.start), end=_point(line.end)) for line in self.lines
            ],
            liveness_check=liveness_check(self.liveness),
            count_attributes=self.count_attributes,
            ignore_labels=self.ignore_labels,
            zones=[stream_pb2.Zone(name=zone.name, corners=map(_point, zone.corners)) for zone in self.zones],
        )


def _point(point: tuple[float, float]) -> stream_pb2.RelativePoint:
    return stream_pb2.RelativePoint(x=point[0], y=point[1])


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    nanos = round(seconds * 1e9)
    return Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)

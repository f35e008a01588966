"""A stream's settings: from the wire to checked values, with the server's defaults filled in."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from google.protobuf.duration_pb2 import Duration

from facewire.v1 import stream_pb2 as pb
from facewire_server.domain.boundary import Boundary, Line, Position, Zone
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.gallery import require_identifier, require_labels, require_text
from facewire_server.domain.stream import RawLayout, StreamSettings
from facewire_server.engine import Limits
from facewire_server.rpc import analysis_convert, convert

_MAX_DETECT_EVERY: Final = 1000
_MAX_TTL_S: Final = 60.0
_MAX_INTERVAL_S: Final = 86_400.0
_MAX_BOUNDARIES: Final = 32
_MAX_CORNERS: Final = 64
_WATCHLIST: Final = "watchlist"
_IGNORE: Final = "ignore"


def settings_of(message: pb.StreamSettings, limits: Limits) -> StreamSettings:
    """The settings as values.

    Raises:
        InvalidArgument: a field is wrong.
    """
    defaults = limits.stream_defaults
    detection = convert.detection_options(message.detection, limits, "settings.detection")
    if message.detect_every > _MAX_DETECT_EVERY:
        raise InvalidArgument("settings.detect_every", f"must be at most {_MAX_DETECT_EVERY}")
    stream_id = message.stream_id or f"stream-{uuid.uuid4().hex[:12]}"
    labels = require_labels("settings.watchlist_labels", message.watchlist_labels)
    ttl_s = _seconds(message, "track_ttl", defaults.track_ttl_s, _MAX_TTL_S)
    if ttl_s <= 0:
        raise InvalidArgument("settings.track_ttl", "must be positive")
    return StreamSettings(
        stream_id=require_identifier("settings.stream_id", stream_id),
        gallery_id=require_identifier("settings.gallery_id", message.gallery_id) if message.gallery_id else "",
        raw=layout_of(message.encoding),
        min_score=detection.min_score,
        min_face_px=detection.min_face_px,
        max_faces=detection.max_faces,
        detect_every=message.detect_every or 1,
        min_similarity=convert.min_similarity_of(message, "settings.min_similarity"),
        track_ttl_s=ttl_s,
        lossless=message.lossless,
        return_landmarks=message.return_landmarks,
        return_quality=message.return_quality,
        keep_shots=message.best_shot.keep,
        send_shots=message.best_shot.send,
        context_shots=message.best_shot.context,
        watchlist_labels=frozenset(labels or (_WATCHLIST,)),
        unknown_linger_s=_seconds(message, "unknown_linger", defaults.unknown_linger_s, _MAX_INTERVAL_S),
        count_interval_s=_seconds(message, "count_interval", defaults.count_interval_s, _MAX_INTERVAL_S),
        boundaries=_boundaries(message),
        liveness_check=analysis_convert.liveness_check(message.liveness_check, "settings.liveness_check"),
        count_attributes=message.count_attributes,
        ignore_labels=frozenset(require_labels("settings.ignore_labels", message.ignore_labels) or (_IGNORE,)),
    )


def changed_settings(message: pb.StreamSettings, before: StreamSettings, limits: Limits) -> StreamSettings:
    """Settings sent later in a stream: the whole is replaced, except the stream's id and whether frames are dropped.

    Raises:
        InvalidArgument: a field is wrong, or names another stream.
    """
    if message.stream_id not in ("", before.stream_id):
        raise InvalidArgument("settings.stream_id", f"cannot be changed; this stream is '{before.stream_id}'")
    return replace(settings_of(message, limits), stream_id=before.stream_id, lossless=before.lossless)


def layout_of(encoding: pb.FrameEncoding) -> RawLayout | None:
    """How raw frames lie in memory, None where frames are files; raises InvalidArgument."""
    if encoding.WhichOneof("encoding") != "raw":
        return None
    raw = encoding.raw
    pixel_format = convert.pixel_format(raw.format, "settings.encoding.raw.format")
    layout = RawLayout(pixel_format, raw.width, raw.height, raw.stride_bytes)
    if not layout.width or not layout.height:
        raise InvalidArgument("settings.encoding.raw", "needs width and height")
    return layout


def _seconds(message: pb.StreamSettings, field: str, default_s: float, longest_s: float) -> float:
    if not message.HasField(field):
        return default_s
    duration: Duration = getattr(message, field)
    seconds = duration.seconds + duration.nanos / 1e9
    if not 0 <= seconds <= longest_s:
        raise InvalidArgument(f"settings.{field}", f"must be from 0 to {longest_s:.0f} s")
    return seconds


def _boundaries(message: pb.StreamSettings) -> tuple[Boundary, ...]:
    if len(message.lines) + len(message.zones) > _MAX_BOUNDARIES:
        raise InvalidArgument("settings.lines", f"lines and zones together must be at most {_MAX_BOUNDARIES}")
    lines = [_line(line, f"settings.lines[{i}]") for i, line in enumerate(message.lines)]
    zones = [_zone(zone, f"settings.zones[{i}]") for i, zone in enumerate(message.zones)]
    boundaries: tuple[Boundary, ...] = (*lines, *zones)
    if len({boundary.name for boundary in boundaries}) < len(boundaries):
        raise InvalidArgument("settings.lines", "two lines or zones have the same name")
    return boundaries


def _line(line: pb.Line, field: str) -> Line:
    start, end = _position(line.start, f"{field}.start"), _position(line.end, f"{field}.end")
    if math.dist(start, end) < 0.01:
        raise InvalidArgument(field, "is shorter than a hundredth of the picture")
    return Line(_name(line.name, field), start, end)


def _zone(zone: pb.Zone, field: str) -> Zone:
    if not 3 <= len(zone.corners) <= _MAX_CORNERS:
        raise InvalidArgument(f"{field}.corners", f"must be 3 to {_MAX_CORNERS}, not {len(zone.corners)}")
    return Zone(_name(zone.name, field), _positions(zone.corners, f"{field}.corners"))


def _name(name: str, field: str) -> str:
    if not name:
        raise InvalidArgument(f"{field}.name", "is missing")
    return require_text(f"{field}.name", name, 63)


def _positions(points: Sequence[pb.RelativePoint], field: str) -> tuple[Position, ...]:
    return tuple(_position(point, f"{field}[{i}]") for i, point in enumerate(points))


def _position(point: pb.RelativePoint, field: str) -> Position:
    if not (0 <= point.x <= 1 and 0 <= point.y <= 1):
        raise InvalidArgument(field, "must have x and y from 0 to 1: shares of the frame's width and height")
    return point.x, point.y

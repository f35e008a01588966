from facewire.v1 import face_pb2 as _face_pb2
from facewire.v1 import image_pb2 as _image_pb2
from facewire.v1 import recognition_pb2 as _recognition_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrackState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACK_STATE_UNSPECIFIED: _ClassVar[TrackState]
    TRACK_STATE_TENTATIVE: _ClassVar[TrackState]
    TRACK_STATE_IDENTIFYING: _ClassVar[TrackState]
    TRACK_STATE_KNOWN: _ClassVar[TrackState]
    TRACK_STATE_UNKNOWN: _ClassVar[TrackState]
    TRACK_STATE_AMBIGUOUS: _ClassVar[TrackState]

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_APPEARED: _ClassVar[EventKind]
    EVENT_KIND_IDENTIFIED: _ClassVar[EventKind]
    EVENT_KIND_REVISED: _ClassVar[EventKind]
    EVENT_KIND_LEFT: _ClassVar[EventKind]
    EVENT_KIND_WATCHLIST: _ClassVar[EventKind]
    EVENT_KIND_UNKNOWN_LINGERING: _ClassVar[EventKind]
    EVENT_KIND_CROSSED_IN: _ClassVar[EventKind]
    EVENT_KIND_CROSSED_OUT: _ClassVar[EventKind]
    EVENT_KIND_COUNT: _ClassVar[EventKind]
    EVENT_KIND_SPOOF: _ClassVar[EventKind]
TRACK_STATE_UNSPECIFIED: TrackState
TRACK_STATE_TENTATIVE: TrackState
TRACK_STATE_IDENTIFYING: TrackState
TRACK_STATE_KNOWN: TrackState
TRACK_STATE_UNKNOWN: TrackState
TRACK_STATE_AMBIGUOUS: TrackState
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_APPEARED: EventKind
EVENT_KIND_IDENTIFIED: EventKind
EVENT_KIND_REVISED: EventKind
EVENT_KIND_LEFT: EventKind
EVENT_KIND_WATCHLIST: EventKind
EVENT_KIND_UNKNOWN_LINGERING: EventKind
EVENT_KIND_CROSSED_IN: EventKind
EVENT_KIND_CROSSED_OUT: EventKind
EVENT_KIND_COUNT: EventKind
EVENT_KIND_SPOOF: EventKind

class FrameEncoding(_message.Message):
    __slots__ = ("compressed", "raw")
    COMPRESSED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    compressed: CompressedFrames
    raw: RawFrames
    def __init__(self, compressed: _Optional[_Union[CompressedFrames, _Mapping]] = ..., raw: _Optional[_Union[RawFrames, _Mapping]] = ...) -> None: ...

class CompressedFrames(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RawFrames(_message.Message):
    __slots__ = ("format", "width", "height", "stride_bytes")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STRIDE_BYTES_FIELD_NUMBER: _ClassVar[int]
    format: _image_pb2.PixelFormat
    width: int
    height: int
    stride_bytes: int
    def __init__(self, format: _Optional[_Union[_image_pb2.PixelFormat, str]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., stride_bytes: _Optional[int] = ...) -> None: ...

class RelativePoint(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class Line(_message.Message):
    __slots__ = ("name", "start", "end")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    name: str
    start: RelativePoint
    end: RelativePoint
    def __init__(self, name: _Optional[str] = ..., start: _Optional[_Union[RelativePoint, _Mapping]] = ..., end: _Optional[_Union[RelativePoint, _Mapping]] = ...) -> None: ...

class Zone(_message.Message):
    __slots__ = ("name", "corners")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CORNERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    corners: _containers.RepeatedCompositeFieldContainer[RelativePoint]
    def __init__(self, name: _Optional[str] = ..., corners: _Optional[_Iterable[_Union[RelativePoint, _Mapping]]] = ...) -> None: ...

class StreamSettings(_message.Message):
    __slots__ = ("stream_id", "gallery_id", "encoding", "detection", "detect_every", "min_similarity", "track_ttl", "lossless", "return_landmarks", "return_quality", "best_shot", "watchlist_labels", "unknown_linger", "lines", "zones", "count_interval", "liveness_check", "count_attributes", "ignore_labels")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    DETECT_EVERY_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    TRACK_TTL_FIELD_NUMBER: _ClassVar[int]
    LOSSLESS_FIELD_NUMBER: _ClassVar[int]
    RETURN_LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    RETURN_QUALITY_FIELD_NUMBER: _ClassVar[int]
    BEST_SHOT_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_LABELS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_LINGER_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ZONES_FIELD_NUMBER: _ClassVar[int]
    COUNT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_CHECK_FIELD_NUMBER: _ClassVar[int]
    COUNT_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    IGNORE_LABELS_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    gallery_id: str
    encoding: FrameEncoding
    detection: _recognition_pb2.DetectionOptions
    detect_every: int
    min_similarity: float
    track_ttl: _duration_pb2.Duration
    lossless: bool
    return_landmarks: bool
    return_quality: bool
    best_shot: BestShotOptions
    watchlist_labels: _containers.RepeatedScalarFieldContainer[str]
    unknown_linger: _duration_pb2.Duration
    lines: _containers.RepeatedCompositeFieldContainer[Line]
    zones: _containers.RepeatedCompositeFieldContainer[Zone]
    count_interval: _duration_pb2.Duration
    liveness_check: _face_pb2.LivenessCheck
    count_attributes: bool
    ignore_labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stream_id: _Optional[str] = ..., gallery_id: _Optional[str] = ..., encoding: _Optional[_Union[FrameEncoding, _Mapping]] = ..., detection: _Optional[_Union[_recognition_pb2.DetectionOptions, _Mapping]] = ..., detect_every: _Optional[int] = ..., min_similarity: _Optional[float] = ..., track_ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., lossless: bool = ..., return_landmarks: bool = ..., return_quality: bool = ..., best_shot: _Optional[_Union[BestShotOptions, _Mapping]] = ..., watchlist_labels: _Optional[_Iterable[str]] = ..., unknown_linger: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[Line, _Mapping]]] = ..., zones: _Optional[_Iterable[_Union[Zone, _Mapping]]] = ..., count_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., liveness_check: _Optional[_Union[_face_pb2.LivenessCheck, str]] = ..., count_attributes: bool = ..., ignore_labels: _Optional[_Iterable[str]] = ...) -> None: ...

class BestShotOptions(_message.Message):
    __slots__ = ("keep", "send", "context")
    KEEP_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    keep: bool
    send: bool
    context: bool
    def __init__(self, keep: bool = ..., send: bool = ..., context: bool = ...) -> None: ...

class StreamFrame(_message.Message):
    __slots__ = ("sequence", "capture_time", "data")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    capture_time: _timestamp_pb2.Timestamp
    data: bytes
    def __init__(self, sequence: _Optional[int] = ..., capture_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class RecognizeStreamRequest(_message.Message):
    __slots__ = ("settings", "frame")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    settings: StreamSettings
    frame: StreamFrame
    def __init__(self, settings: _Optional[_Union[StreamSettings, _Mapping]] = ..., frame: _Optional[_Union[StreamFrame, _Mapping]] = ...) -> None: ...

class StreamOpened(_message.Message):
    __slots__ = ("stream_id", "session_id", "resumed", "last_sequence", "min_similarity")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    session_id: str
    resumed: bool
    last_sequence: int
    min_similarity: float
    def __init__(self, stream_id: _Optional[str] = ..., session_id: _Optional[str] = ..., resumed: bool = ..., last_sequence: _Optional[int] = ..., min_similarity: _Optional[float] = ...) -> None: ...

class Track(_message.Message):
    __slots__ = ("track_id", "state", "box", "landmarks", "detection_score", "quality", "subject", "similarity", "revision", "predicted", "age", "best_shot", "liveness", "ignored")
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    BEST_SHOT_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    track_id: int
    state: TrackState
    box: _face_pb2.Box
    landmarks: _face_pb2.Landmarks
    detection_score: float
    quality: _face_pb2.Quality
    subject: _recognition_pb2.Candidate
    similarity: float
    revision: int
    predicted: bool
    age: _duration_pb2.Duration
    best_shot: BestShot
    liveness: _face_pb2.Liveness
    ignored: bool
    def __init__(self, track_id: _Optional[int] = ..., state: _Optional[_Union[TrackState, str]] = ..., box: _Optional[_Union[_face_pb2.Box, _Mapping]] = ..., landmarks: _Optional[_Union[_face_pb2.Landmarks, _Mapping]] = ..., detection_score: _Optional[float] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., subject: _Optional[_Union[_recognition_pb2.Candidate, _Mapping]] = ..., similarity: _Optional[float] = ..., revision: _Optional[int] = ..., predicted: bool = ..., age: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., best_shot: _Optional[_Union[BestShot, _Mapping]] = ..., liveness: _Optional[_Union[_face_pb2.Liveness, _Mapping]] = ..., ignored: bool = ...) -> None: ...

class BestShot(_message.Message):
    __slots__ = ("track_id", "aligned_jpeg", "context_jpeg", "quality", "capture_time", "sequence")
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_JPEG_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_JPEG_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    track_id: int
    aligned_jpeg: bytes
    context_jpeg: bytes
    quality: _face_pb2.Quality
    capture_time: _timestamp_pb2.Timestamp
    sequence: int
    def __init__(self, track_id: _Optional[int] = ..., aligned_jpeg: _Optional[bytes] = ..., context_jpeg: _Optional[bytes] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., capture_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ...) -> None: ...

class StreamCounters(_message.Message):
    __slots__ = ("received", "processed", "dropped", "decode_errors", "stale", "detected", "faces_found", "faces_embedded", "queue_age_ms", "detect_every", "overloaded")
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    DECODE_ERRORS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    DETECTED_FIELD_NUMBER: _ClassVar[int]
    FACES_FOUND_FIELD_NUMBER: _ClassVar[int]
    FACES_EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    QUEUE_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    DETECT_EVERY_FIELD_NUMBER: _ClassVar[int]
    OVERLOADED_FIELD_NUMBER: _ClassVar[int]
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
    def __init__(self, received: _Optional[int] = ..., processed: _Optional[int] = ..., dropped: _Optional[int] = ..., decode_errors: _Optional[int] = ..., stale: _Optional[int] = ..., detected: _Optional[int] = ..., faces_found: _Optional[int] = ..., faces_embedded: _Optional[int] = ..., queue_age_ms: _Optional[float] = ..., detect_every: _Optional[int] = ..., overloaded: bool = ...) -> None: ...

class CrowdFigures(_message.Message):
    __slots__ = ("people_now", "unique_people", "unique_subjects", "entries", "exits", "mean_dwell_s", "interval_start", "attributes")
    PEOPLE_NOW_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_PEOPLE_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    EXITS_FIELD_NUMBER: _ClassVar[int]
    MEAN_DWELL_S_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_START_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    people_now: int
    unique_people: int
    unique_subjects: int
    entries: int
    exits: int
    mean_dwell_s: float
    interval_start: _timestamp_pb2.Timestamp
    attributes: _face_pb2.AttributeFigures
    def __init__(self, people_now: _Optional[int] = ..., unique_people: _Optional[int] = ..., unique_subjects: _Optional[int] = ..., entries: _Optional[int] = ..., exits: _Optional[int] = ..., mean_dwell_s: _Optional[float] = ..., interval_start: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Union[_face_pb2.AttributeFigures, _Mapping]] = ...) -> None: ...

class FrameError(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class FrameAnswer(_message.Message):
    __slots__ = ("sequence", "capture_time", "tracks", "error", "counters", "times", "detected", "image_size")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    DETECTED_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    capture_time: _timestamp_pb2.Timestamp
    tracks: _containers.RepeatedCompositeFieldContainer[Track]
    error: FrameError
    counters: StreamCounters
    times: _recognition_pb2.StageTimes
    detected: bool
    image_size: _recognition_pb2.ImageSize
    def __init__(self, sequence: _Optional[int] = ..., capture_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., tracks: _Optional[_Iterable[_Union[Track, _Mapping]]] = ..., error: _Optional[_Union[FrameError, _Mapping]] = ..., counters: _Optional[_Union[StreamCounters, _Mapping]] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ..., detected: bool = ..., image_size: _Optional[_Union[_recognition_pb2.ImageSize, _Mapping]] = ...) -> None: ...

class RecognizeStreamResponse(_message.Message):
    __slots__ = ("opened", "answer")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    opened: StreamOpened
    answer: FrameAnswer
    def __init__(self, opened: _Optional[_Union[StreamOpened, _Mapping]] = ..., answer: _Optional[_Union[FrameAnswer, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("event_id", "kind", "at", "stream_id", "session_id", "gallery_id", "track_id", "subject_id", "display_name", "labels", "similarity", "boundary", "dwell", "crowd")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    BOUNDARY_FIELD_NUMBER: _ClassVar[int]
    DWELL_FIELD_NUMBER: _ClassVar[int]
    CROWD_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    kind: EventKind
    at: _timestamp_pb2.Timestamp
    stream_id: str
    session_id: str
    gallery_id: str
    track_id: int
    subject_id: str
    display_name: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    similarity: float
    boundary: str
    dwell: _duration_pb2.Duration
    crowd: CrowdFigures
    def __init__(self, event_id: _Optional[int] = ..., kind: _Optional[_Union[EventKind, str]] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., stream_id: _Optional[str] = ..., session_id: _Optional[str] = ..., gallery_id: _Optional[str] = ..., track_id: _Optional[int] = ..., subject_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., similarity: _Optional[float] = ..., boundary: _Optional[str] = ..., dwell: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., crowd: _Optional[_Union[CrowdFigures, _Mapping]] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("gallery_id", "stream_id", "subject_label", "kinds", "after_event_id", "from_oldest")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_LABEL_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_OLDEST_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    stream_id: str
    subject_label: str
    kinds: _containers.RepeatedScalarFieldContainer[EventKind]
    after_event_id: int
    from_oldest: bool
    def __init__(self, gallery_id: _Optional[str] = ..., stream_id: _Optional[str] = ..., subject_label: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[EventKind, str]]] = ..., after_event_id: _Optional[int] = ..., from_oldest: bool = ...) -> None: ...

class EventsLost(_message.Message):
    __slots__ = ("first_event_id", "last_event_id")
    FIRST_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    first_event_id: int
    last_event_id: int
    def __init__(self, first_event_id: _Optional[int] = ..., last_event_id: _Optional[int] = ...) -> None: ...

class WatchPosition(_message.Message):
    __slots__ = ("event_id",)
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    def __init__(self, event_id: _Optional[int] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("event", "lost", "position")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    event: Event
    lost: EventsLost
    position: WatchPosition
    def __init__(self, event: _Optional[_Union[Event, _Mapping]] = ..., lost: _Optional[_Union[EventsLost, _Mapping]] = ..., position: _Optional[_Union[WatchPosition, _Mapping]] = ...) -> None: ...

class ListStreamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamInfo(_message.Message):
    __slots__ = ("stream_id", "session_id", "gallery_id", "peer", "opened_at", "connected", "lossless", "counters", "crowd", "frames_per_s")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    LOSSLESS_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    CROWD_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_S_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    session_id: str
    gallery_id: str
    peer: str
    opened_at: _timestamp_pb2.Timestamp
    connected: bool
    lossless: bool
    counters: StreamCounters
    crowd: CrowdFigures
    frames_per_s: float
    def __init__(self, stream_id: _Optional[str] = ..., session_id: _Optional[str] = ..., gallery_id: _Optional[str] = ..., peer: _Optional[str] = ..., opened_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., connected: bool = ..., lossless: bool = ..., counters: _Optional[_Union[StreamCounters, _Mapping]] = ..., crowd: _Optional[_Union[CrowdFigures, _Mapping]] = ..., frames_per_s: _Optional[float] = ...) -> None: ...

class ListStreamsResponse(_message.Message):
    __slots__ = ("streams",)
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[StreamInfo]
    def __init__(self, streams: _Optional[_Iterable[_Union[StreamInfo, _Mapping]]] = ...) -> None: ...

class GetBestShotRequest(_message.Message):
    __slots__ = ("stream_id", "track_id")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    track_id: int
    def __init__(self, stream_id: _Optional[str] = ..., track_id: _Optional[int] = ...) -> None: ...

class GetBestShotResponse(_message.Message):
    __slots__ = ("best_shot",)
    BEST_SHOT_FIELD_NUMBER: _ClassVar[int]
    best_shot: BestShot
    def __init__(self, best_shot: _Optional[_Union[BestShot, _Mapping]] = ...) -> None: ...

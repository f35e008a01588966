"""Answers and events of streams on the wire."""

from __future__ import annotations

from typing import Final

from google.protobuf.duration_pb2 import Duration

from facewire.v1 import face_pb2, recognition_pb2
from facewire.v1 import stream_pb2 as pb
from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.crowd import CrowdFigures
from facewire_server.domain.event import Event, EventKind
from facewire_server.domain.stream import (
    BestShot,
    FrameAnswer,
    StreamCounters,
    StreamInfo,
    StreamOpened,
    StreamSettings,
    TrackAnswer,
    TrackState,
)
from facewire_server.rpc import analysis_convert, convert
from facewire_server.rpc.status import code_name

_STATES: Final = {
    TrackState.TENTATIVE: pb.TRACK_STATE_TENTATIVE,
    TrackState.IDENTIFYING: pb.TRACK_STATE_IDENTIFYING,
    TrackState.KNOWN: pb.TRACK_STATE_KNOWN,
    TrackState.UNKNOWN: pb.TRACK_STATE_UNKNOWN,
    TrackState.AMBIGUOUS: pb.TRACK_STATE_AMBIGUOUS,
}
_KINDS: Final = {
    EventKind.APPEARED: pb.EVENT_KIND_APPEARED,
    EventKind.IDENTIFIED: pb.EVENT_KIND_IDENTIFIED,
    EventKind.REVISED: pb.EVENT_KIND_REVISED,
    EventKind.LEFT: pb.EVENT_KIND_LEFT,
    EventKind.WATCHLIST: pb.EVENT_KIND_WATCHLIST,
    EventKind.UNKNOWN_LINGERING: pb.EVENT_KIND_UNKNOWN_LINGERING,
    EventKind.CROSSED_IN: pb.EVENT_KIND_CROSSED_IN,
    EventKind.CROSSED_OUT: pb.EVENT_KIND_CROSSED_OUT,
    EventKind.COUNT: pb.EVENT_KIND_COUNT,
    EventKind.SPOOF: pb.EVENT_KIND_SPOOF,
}
KINDS_BY_NUMBER: Final = {number: kind for kind, number in _KINDS.items()}


def opened_message(opened: StreamOpened) -> pb.RecognizeStreamResponse:
    """The first answer."""
    return pb.RecognizeStreamResponse(
        opened=pb.StreamOpened(
            stream_id=opened.stream_id,
            session_id=opened.session_id,
            resumed=opened.resumed,
            last_sequence=opened.last_sequence,
            min_similarity=opened.min_similarity,
        )
    )


def answer_message(answer: FrameAnswer, calibration: ScoreCalibration | None) -> pb.RecognizeStreamResponse:
    """The answer to one frame."""
    error = None
    if answer.error is not None:
        error = pb.FrameError(code=code_name(answer.error), message=str(answer.error))
    size = None
    if answer.size is not None:
        size = recognition_pb2.ImageSize(width=answer.size[0], height=answer.size[1])
    return pb.RecognizeStreamResponse(
        answer=pb.FrameAnswer(
            sequence=answer.sequence,
            capture_time=convert.timestamp(answer.at_ms),
            tracks=[_track(track, answer.settings, calibration) for track in answer.tracks],
            error=error,
            counters=counters_message(answer.counters),
            times=recognition_pb2.StageTimes(**{f"{stage}_ms": ms for stage, ms in answer.times_ms.items()}),
            detected=answer.detected,
            image_size=size,
        )
    )


def _track(track: TrackAnswer, settings: StreamSettings, calibration: ScoreCalibration | None) -> pb.Track:
    x, y, width, height = track.box
    message = pb.Track(
        track_id=track.track_id,
        state=_STATES[track.state],
        box=face_pb2.Box(x=x, y=y, width=width, height=height),
        detection_score=track.detection_score,
        similarity=track.similarity,
        revision=track.revision,
        predicted=track.predicted,
        ignored=track.ignored,
        age=duration(track.age_s),
        liveness=None if track.liveness is None else analysis_convert.liveness_message(track.liveness),
    )
    if settings.return_landmarks:
        message.landmarks.CopyFrom(convert.landmarks_message(track.landmarks.tolist()))
    if settings.return_quality:
        message.quality.CopyFrom(convert.quality_message(track.quality))
    if track.subject is not None:
        message.subject.CopyFrom(convert.candidate_message(track.subject, calibration))
    if track.best_shot is not None:
        message.best_shot.CopyFrom(shot_message(track.best_shot))
    return message


def shot_message(shot: BestShot) -> pb.BestShot:
    """A best shot."""
    return pb.BestShot(
        track_id=shot.track_id,
        aligned_jpeg=shot.aligned_jpeg,
        context_jpeg=shot.context_jpeg,
        quality=convert.quality_message(shot.quality),
        capture_time=convert.timestamp(shot.at_ms),
        sequence=shot.sequence,
    )


def counters_message(counters: StreamCounters) -> pb.StreamCounters:
    """What happened so far."""
    return pb.StreamCounters(
        received=counters.received,
        processed=counters.processed,
        dropped=counters.dropped,
        decode_errors=counters.decode_errors,
        stale=counters.stale,
        detected=counters.detected,
        faces_found=counters.faces_found,
        faces_embedded=counters.faces_embedded,
        queue_age_ms=counters.queue_age_ms,
        detect_every=counters.detect_every,
        overloaded=counters.overloaded,
    )


def info_message(info: StreamInfo) -> pb.StreamInfo:
    """A stream."""
    return pb.StreamInfo(
        stream_id=info.stream_id,
        session_id=info.session_id,
        gallery_id=info.gallery_id,
        peer=info.peer,
        opened_at=convert.timestamp(info.opened_ms),
        connected=info.connected,
        lossless=info.lossless,
        counters=counters_message(info.counters),
        crowd=_crowd(info.crowd),
        frames_per_s=info.frames_per_s,
    )


def event_message(event_id: int, event: Event) -> pb.Event:
    """An event with its number."""
    return pb.Event(
        event_id=event_id,
        kind=_KINDS[event.kind],
        at=convert.timestamp(event.at_ms),
        stream_id=event.stream_id,
        session_id=event.session_id,
        gallery_id=event.gallery_id,
        track_id=event.track_id,
        subject_id=event.subject_id,
        display_name=event.display_name,
        labels=event.labels,
        similarity=event.similarity,
        boundary=event.boundary,
        dwell=None if event.dwell_s is None else duration(event.dwell_s),
        crowd=None if event.crowd is None else _crowd(event.crowd),
    )


def _crowd(figures: CrowdFigures) -> pb.CrowdFigures:
    return pb.CrowdFigures(
        people_now=figures.people_now,
        unique_people=figures.unique_people,
        unique_subjects=figures.unique_subjects,
        entries=figures.entries,
        exits=figures.exits,
        mean_dwell_s=figures.mean_dwell_s,
        interval_start=convert.timestamp(figures.interval_start_ms),
        attributes=analysis_convert.figures_message(figures.attributes),
    )


def duration(seconds: float) -> Duration:
    """Seconds on the wire."""
    nanos = round(seconds * 1e9)
    return Duration(seconds=nanos // 1_000_000_000, nanos=nanos % 1_000_000_000)

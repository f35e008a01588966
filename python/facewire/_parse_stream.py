"""From protobuf messages to the results of streams; the functions are named after what they return."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from facewire import _parse, _parse_analysis, results
from facewire import stream_results as streams
from facewire.v1 import stream_pb2


def _seconds(value: Duration) -> float:
    return value.seconds + value.nanos / 1e9


def _track(message: stream_pb2.Track) -> streams.Track:
    box = message.box
    return streams.Track(
        track_id=message.track_id,
        state=streams.TrackState[stream_pb2.TrackState.Name(message.state).removeprefix("TRACK_STATE_")],
        box=results.Box(box.x, box.y, box.width, box.height),
        landmarks=_parse.landmarks(message.landmarks) if message.HasField("landmarks") else None,
        detection_score=message.detection_score,
        quality=_parse.quality(message.quality) if message.HasField("quality") else None,
        subject=_parse.candidate(message.subject) if message.HasField("subject") else None,
        similarity=message.similarity if message.HasField("similarity") else None,
        revision=message.revision,
        predicted=message.predicted,
        age_s=_seconds(message.age),
        best_shot=best_shot(message.best_shot) if message.HasField("best_shot") else None,
        liveness=_parse.liveness(message.liveness) if message.HasField("liveness") else None,
        ignored=message.ignored,
    )


def best_shot(message: stream_pb2.BestShot) -> streams.BestShot:
    return streams.BestShot(
        track_id=message.track_id,
        aligned_jpeg=message.aligned_jpeg,
        context_jpeg=message.context_jpeg,
        quality=_parse.quality(message.quality),
        capture_time=_parse.time(message.capture_time),
        sequence=message.sequence,
    )


def _counters(message: stream_pb2.StreamCounters) -> streams.StreamCounters:
    return streams.StreamCounters(
        received=message.received,
        processed=message.processed,
        dropped=message.dropped,
        decode_errors=message.decode_errors,
        stale=message.stale,
        detected=message.detected,
        faces_found=message.faces_found,
        faces_embedded=message.faces_embedded,
        queue_age_ms=message.queue_age_ms,
        detect_every=message.detect_every,
        overloaded=message.overloaded,
    )


def frame_answer(message: stream_pb2.FrameAnswer) -> streams.FrameAnswer:
    error = None
    if message.HasField("error"):
        error = streams.FrameError(message.error.code, message.error.message)
    size = None
    if message.HasField("image_size"):
        size = results.ImageSize(message.image_size.width, message.image_size.height)
    return streams.FrameAnswer(
        sequence=message.sequence,
        capture_time=_parse.time(message.capture_time),
        tracks=tuple(_track(track) for track in message.tracks),
        error=error,
        counters=_counters(message.counters),
        times=_parse.times(message.times),
        detected=message.detected,
        image_size=size,
    )


def _crowd(message: stream_pb2.CrowdFigures) -> streams.CrowdFigures:
    return streams.CrowdFigures(
        people_now=message.people_now,
        unique_people=message.unique_people,
        unique_subjects=message.unique_subjects,
        entries=message.entries,
        exits=message.exits,
        mean_dwell_s=message.mean_dwell_s if message.HasField("mean_dwell_s") else None,
        interval_start=_parse.time(message.interval_start),
        attributes=_parse_analysis.figures(message.attributes) if message.HasField("attributes") else None,
    )


def event(message: stream_pb2.Event) -> streams.Event:
    return streams.Event(
        event_id=message.event_id,
        kind=streams.EventKind[stream_pb2.EventKind.Name(message.kind).removeprefix("EVENT_KIND_")],
        at=_parse.time(message.at),
        stream_id=message.stream_id,
        session_id=message.session_id,
        gallery_id=message.gallery_id,
        track_id=message.track_id,
        subject_id=message.subject_id,
        display_name=message.display_name,
        labels=tuple(message.labels),
        similarity=message.similarity if message.HasField("similarity") else None,
        boundary=message.boundary,
        dwell_s=_seconds(message.dwell) if message.HasField("dwell") else None,
        crowd=_crowd(message.crowd) if message.HasField("crowd") else None,
    )


def stream_info(message: stream_pb2.StreamInfo) -> streams.StreamInfo:
    return streams.StreamInfo(
        stream_id=message.stream_id,
        session_id=message.session_id,
        gallery_id=message.gallery_id,
        peer=message.peer,
        opened_at=_parse.time(message.opened_at),
        connected=message.connected,
        lossless=message.lossless,
        counters=_counters(message.counters),
        crowd=_crowd(message.crowd),
        frames_per_s=message.frames_per_s,
    )

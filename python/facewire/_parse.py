"""From protobuf messages to results; the functions are named after what they return."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from facewire import results
from facewire.calibration import Calibration, RateInterval
from facewire.liveness import Liveness, LivenessDecision
from facewire.review import Finding, FindingKind
from facewire.server_info import Limits, ModelInfo, ServerInfo
from facewire.v1 import admin_pb2, face_pb2, gallery_pb2, recognition_pb2


def decision(value: face_pb2.Decision) -> results.Decision:
    return results.Decision[face_pb2.Decision.Name(value).removeprefix("DECISION_")]


def no_face(value: face_pb2.NoFaceReason) -> results.NoFaceReason | None:
    if value == face_pb2.NO_FACE_REASON_UNSPECIFIED:
        return None
    return results.NoFaceReason[face_pb2.NoFaceReason.Name(value).removeprefix("NO_FACE_REASON_")]


def time(value: Timestamp) -> datetime:
    return value.ToDatetime(tzinfo=timezone.utc)


def liveness_decision(number: face_pb2.LivenessDecision) -> LivenessDecision:
    return LivenessDecision(face_pb2.LivenessDecision.Name(number).removeprefix("LIVENESS_DECISION_"))


def liveness(message: face_pb2.Liveness) -> Liveness:
    return Liveness(liveness_decision(message.decision), message.score, message.looks)


def quality(message: face_pb2.Quality) -> results.Quality:
    return results.Quality(
        sharpness=message.sharpness,
        brightness=message.brightness,
        contrast=message.contrast,
        yaw_deg=message.yaw_deg,
        pitch_deg=message.pitch_deg,
        roll_deg=message.roll_deg,
        size_px=message.size_px,
        outside_share=message.outside_share,
        glare_share=message.glare_share,
        embedding_norm=message.embedding_norm if message.HasField("embedding_norm") else None,
        score=message.score,
        issues=tuple(
            results.QualityIssue(face_pb2.QualityIssue.Name(number).removeprefix("QUALITY_ISSUE_"))
            for number in message.issues
        ),
    )


def landmarks(message: face_pb2.Landmarks) -> results.Landmarks:
    corners = (
        message.left_eye,
        message.right_eye,
        message.nose_tip,
        message.left_mouth_corner,
        message.right_mouth_corner,
    )
    return results.Landmarks(*(results.Point(point.x, point.y) for point in corners))


def face(message: face_pb2.Face) -> results.Face:
    box, points = message.box, message.landmarks
    return results.Face(
        box=results.Box(box.x, box.y, box.width, box.height),
        landmarks=landmarks(points),
        detection_score=message.detection_score,
        quality=quality(message.quality),
    )


def times(message: recognition_pb2.StageTimes) -> results.StageTimes:
    return results.StageTimes(
        message.queue_ms,
        message.decode_ms,
        message.detect_ms,
        message.align_ms,
        message.embed_ms,
        message.search_ms,
        message.liveness_ms,
        message.attributes_ms,
        message.mesh_ms,
        message.generate_ms,
    )


def size(message: recognition_pb2.ImageSize) -> results.ImageSize:
    return results.ImageSize(message.width, message.height)


def detections(message: recognition_pb2.DetectFacesResponse) -> results.Detections:
    return results.Detections(
        tuple(face(each) for each in message.faces),
        no_face(message.no_face_reason),
        size(message.image_size),
        times(message.times),
    )


def embeddings(message: recognition_pb2.EmbedFacesResponse) -> results.Embeddings:
    return results.Embeddings(
        tuple(
            results.EmbeddedFace(
                face(entry.face),
                results.Embedding(np.array(entry.embedding.values, dtype=np.float32), entry.embedding.contract_id),
            )
            for entry in message.faces
        ),
        no_face(message.no_face_reason),
        size(message.image_size),
        times(message.times),
    )


def side_report(message: recognition_pb2.VerifySideReport) -> results.SideReport:
    return results.SideReport(
        face(message.face) if message.HasField("face") else None,
        no_face(message.no_face_reason),
        message.faces_found,
        liveness(message.liveness) if message.HasField("liveness") else None,
    )


def verification(message: recognition_pb2.VerifyFacesResponse) -> results.Verification:
    return results.Verification(
        decision=decision(message.decision),
        similarity=message.similarity if message.HasField("similarity") else None,
        min_similarity=message.min_similarity,
        estimated_fmr=message.estimated_fmr if message.HasField("estimated_fmr") else None,
        probe=side_report(message.probe),
        reference=side_report(message.reference),
        times=times(message.times),
    )


def candidate(message: recognition_pb2.Candidate) -> results.Candidate:
    return results.Candidate(
        subject_id=message.subject_id,
        display_name=message.display_name,
        labels=tuple(message.labels),
        similarity=message.similarity,
        face_id=message.face_id,
        estimated_fmr=message.estimated_fmr if message.HasField("estimated_fmr") else None,
    )


def identifications(message: recognition_pb2.IdentifyFacesResponse) -> results.Identifications:
    return results.Identifications(
        faces=tuple(
            results.IdentifiedFace(
                face(entry.face) if entry.HasField("face") else None,
                decision(entry.decision),
                candidate(entry.match) if entry.HasField("match") else None,
                tuple(candidate(each) for each in entry.candidates),
                liveness(entry.liveness) if entry.HasField("liveness") else None,
            )
            for entry in message.faces
        ),
        no_face_reason=no_face(message.no_face_reason),
        image_size=size(message.image_size) if message.HasField("image_size") else None,
        min_similarity=message.min_similarity,
        times=times(message.times),
    )


def gallery(message: gallery_pb2.Gallery) -> results.Gallery:
    return results.Gallery(
        message.gallery_id,
        message.display_name,
        message.contract_id,
        time(message.created_at),
        message.subject_count,
        message.face_count,
        message.min_similarity,
        calibration(message.calibration) if message.HasField("calibration") else None,
    )


def calibration(message: gallery_pb2.Calibration) -> Calibration:
    target = message.WhichOneof("target") or "fpir"
    misses = None
    if message.HasField("miss_rate"):
        misses = RateInterval(message.miss_rate, message.miss_rate_low, message.miss_rate_high)
    return Calibration(
        target,
        RateInterval(getattr(message, target), message.rate_low, message.rate_high),
        message.min_similarity,
        misses,
        not message.shortage,
        message.shortage,
        message.subjects,
        message.templates,
        message.cohort,
        time(message.made_at),
        message.stale,
    )


def subject(message: gallery_pb2.Subject) -> results.Subject:
    return results.Subject(
        message.subject_id,
        message.display_name,
        tuple(message.labels),
        dict(message.attributes),
        time(message.created_at),
        time(message.updated_at),
        message.face_count,
    )


def enrolled_face(message: gallery_pb2.EnrolledFace) -> results.EnrolledFace:
    return results.EnrolledFace(
        message.face_id,
        message.subject_id,
        quality(message.quality),
        message.source_digest,
        message.source_name,
        time(message.created_at),
        message.negative,
    )


def _outcome(message: gallery_pb2.EnrolOutcome) -> results.EnrolOutcome:
    accepted = message.HasField("enrolled")
    name = gallery_pb2.EnrolRefusal.Name(message.refusal).removeprefix("ENROL_REFUSAL_")
    return results.EnrolOutcome(
        source_name=message.source_name,
        enrolled=enrolled_face(message.enrolled) if accepted else None,
        refusal=None if accepted else results.EnrolRefusal[name],
        detail=message.detail,
        face=face(message.face) if message.HasField("face") else None,
        look_alike=(message.look_alike_subject_id, message.look_alike_similarity)
        if message.look_alike_subject_id
        else None,
    )


def review(message: gallery_pb2.ReviewGalleryResponse) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            FindingKind(gallery_pb2.FindingKind.Name(each.kind).removeprefix("FINDING_KIND_")),
            each.subject_id,
            each.face_id,
            each.other_subject_id,
            each.other_face_id,
            each.similarity,
            each.own_similarity if each.HasField("own_similarity") else None,
        )
        for each in message.findings
    )


def enrolment(message: gallery_pb2.EnrolFacesResponse) -> results.Enrolment:
    return results.Enrolment(tuple(_outcome(outcome) for outcome in message.outcomes), subject(message.subject))


def batch_enrolment(message: gallery_pb2.BatchEnrolResponse) -> results.BatchEnrolment:
    if message.WhichOneof("result") == "error":
        text = f"{message.error.code}: {message.error.message}"
        return results.BatchEnrolment(message.index, None, text)
    return results.BatchEnrolment(message.index, enrolment(message.enrolled), None)


def server_info(message: admin_pb2.GetServerInfoResponse) -> ServerInfo:
    limits = message.limits
    return ServerInfo(
        version=message.version,
        contract_id=message.contract_id,
        models=tuple(
            ModelInfo(
                model.name,
                model.task,
                model.sha256,
                model.licence,
                model.device_requested,
                model.device,
                model.precision,
                tuple(model.input_sizes),
            )
            for model in message.models
        ),
        devices={device.name: device.full_name for device in message.devices},
        limits=Limits(
            limits.max_message_bytes,
            limits.max_image_pixels,
            limits.max_faces,
            limits.max_images_per_enrol,
            limits.max_templates_per_subject,
            limits.max_pending_calls,
        ),
        isa=message.isa,
        started_at=time(message.started_at),
        openvino_version=message.openvino_version,
    )

"""Between protobuf messages and the domain's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from facewire.v1 import face_pb2, gallery_pb2, image_pb2, liveness_pb2, recognition_pb2, stream_pb2
from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.decision import Candidate, Decision, Identification
from facewire_server.domain.errors import InvalidArgument, InvalidImage
from facewire_server.domain.face import EncodedFaces, Faces, NoFaceReason, Quality
from facewire_server.domain.frame import Frame, FrameFormat
from facewire_server.domain.gallery import EnrolledFace, EnrolRefusal, Gallery, Subject
from facewire_server.domain.stages import StageClock
from facewire_server.engine import Limits
from facewire_server.pipeline.decoding import comparable, decode_image, frame_from_raw
from facewire_server.pipeline.recognizer import DetectionOptions, GivenEmbedding

_FORMATS: Final[dict[int, FrameFormat]] = {
    image_pb2.PIXEL_FORMAT_BGR: "bgr",
    image_pb2.PIXEL_FORMAT_RGB: "rgb",
    image_pb2.PIXEL_FORMAT_GRAY: "gray",
    image_pb2.PIXEL_FORMAT_NV12: "nv12",
}
_DECISIONS: Final = {
    Decision.MATCH: face_pb2.DECISION_MATCH,
    Decision.UNKNOWN: face_pb2.DECISION_UNKNOWN,
    Decision.AMBIGUOUS: face_pb2.DECISION_AMBIGUOUS,
    Decision.NON_MATCH: face_pb2.DECISION_NON_MATCH,
}
_NO_FACE: Final = {
    None: face_pb2.NO_FACE_REASON_UNSPECIFIED,
    NoFaceReason.NONE_DETECTED: face_pb2.NO_FACE_REASON_NONE_DETECTED,
    NoFaceReason.TOO_SMALL: face_pb2.NO_FACE_REASON_TOO_SMALL,
    NoFaceReason.NOT_ALIGNABLE: face_pb2.NO_FACE_REASON_NOT_ALIGNABLE,
}

_REFUSALS: Final = {
    EnrolRefusal.BAD_IMAGE: gallery_pb2.ENROL_REFUSAL_BAD_IMAGE,
    EnrolRefusal.NO_FACE: gallery_pb2.ENROL_REFUSAL_NO_FACE,
    EnrolRefusal.SEVERAL_FACES: gallery_pb2.ENROL_REFUSAL_SEVERAL_FACES,
    EnrolRefusal.TOO_SMALL: gallery_pb2.ENROL_REFUSAL_TOO_SMALL,
    EnrolRefusal.NOT_ALIGNABLE: gallery_pb2.ENROL_REFUSAL_NOT_ALIGNABLE,
    EnrolRefusal.BLURRED: gallery_pb2.ENROL_REFUSAL_BLURRED,
    EnrolRefusal.TOO_DARK: gallery_pb2.ENROL_REFUSAL_TOO_DARK,
    EnrolRefusal.TOO_BRIGHT: gallery_pb2.ENROL_REFUSAL_TOO_BRIGHT,
    EnrolRefusal.POOR_QUALITY: gallery_pb2.ENROL_REFUSAL_POOR_QUALITY,
    EnrolRefusal.LOOKS_LIKE_ANOTHER: gallery_pb2.ENROL_REFUSAL_LOOKS_LIKE_ANOTHER,
    EnrolRefusal.SYNTHETIC: gallery_pb2.ENROL_REFUSAL_SYNTHETIC,
    EnrolRefusal.NOT_FACE_LIKE: gallery_pb2.ENROL_REFUSAL_NOT_FACE_LIKE,
    EnrolRefusal.EXTREME_POSE: gallery_pb2.ENROL_REFUSAL_EXTREME_POSE,
    EnrolRefusal.CUT_OFF: gallery_pb2.ENROL_REFUSAL_CUT_OFF,
    EnrolRefusal.DUPLICATE: gallery_pb2.ENROL_REFUSAL_DUPLICATE,
    EnrolRefusal.TEMPLATE_LIMIT: gallery_pb2.ENROL_REFUSAL_TEMPLATE_LIMIT,
}


def image_bytes(image: image_pb2.Image, field: str = "image") -> bytes:
    """What the picture was sent as; read once, each access to a bytes field copies it.

    Raises:
        InvalidArgument: neither encoded nor raw is set.
    """
    kind = image.WhichOneof("source")
    if kind is None:
        raise InvalidArgument(field, "is missing: set encoded or raw")
    return image.encoded if kind == "encoded" else image.raw.data


def frame_of(image: image_pb2.Image, data: bytes, limits: Limits, field: str = "image") -> Frame:
    """The picture decoded; ``data`` is what :func:`image_bytes` gave, ``field`` where it is in the request.

    Raises:
        InvalidImage: it cannot be.
    """
    if image.WhichOneof("source") == "encoded":
        return decode_image(data, limits.max_image_pixels, f"{field}.encoded")
    raw = image.raw
    raw_format = pixel_format(raw.format, "image.raw.format")
    return frame_from_raw(data, raw_format, raw.width, raw.height, raw.stride_bytes, limits.max_image_pixels)


def comparable_frame(
    image: image_pb2.Image, data: bytes, limits: Limits, field: str = "image", *, allow_synthetic: bool | None = None
) -> Frame:
    """As :func:`frame_of`, for a picture that is to be compared with others.

    Args:
        image, data, limits, field: as :func:`frame_of`.
        allow_synthetic: the request's field; None: it has none.

    Raises:
        InvalidImage: it cannot be decoded, or says that a model made or changed it.
    """
    frame = frame_of(image, data, limits, field)
    if allow_synthetic:
        return frame
    advice = "" if allow_synthetic is None else "; a request with allow_synthetic takes it all the same"
    return comparable(frame, f"{field}.encoded", advice)


def pixel_format(number: int, field: str) -> FrameFormat:
    """The format of raw pixels.

    Raises:
        InvalidImage: none that this server knows.
    """
    if number not in _FORMATS:
        raise InvalidImage(field, "must be BGR, RGB, GRAY or NV12")
    return _FORMATS[number]


def detection_options(
    options: recognition_pb2.DetectionOptions, limits: Limits, field: str = "options"
) -> DetectionOptions:
    """The caller's wishes within the server's limits.

    Raises:
        InvalidArgument: a value out of range.
    """
    min_score = options.min_score if options.HasField("min_score") else None
    if min_score is not None and not 0 <= min_score <= 1:
        raise InvalidArgument(f"{field}.min_score", "must be from 0 to 1")
    min_face_px = options.min_face_px if options.HasField("min_face_px") else limits.min_face_px
    if not 0 <= min_face_px <= 100_000:
        raise InvalidArgument(f"{field}.min_face_px", "must be from 0 to 100000")
    return DetectionOptions(min_score, min_face_px, min(options.max_faces or limits.max_faces, limits.max_faces))


def min_similarity_of(
    request: recognition_pb2.IdentifyFacesRequest
    | recognition_pb2.VerifyFacesRequest
    | stream_pb2.StreamSettings
    | liveness_pb2.VerifyLiveSettings,
    field: str = "min_similarity",
) -> float | None:
    """The caller's own threshold, if given.

    Raises:
        InvalidArgument: no cosine.
    """
    if not request.HasField("min_similarity"):
        return None
    if not -1 <= request.min_similarity <= 1:
        raise InvalidArgument(field, "must be from -1 to 1")
    return request.min_similarity


def given_embedding(embedding: face_pb2.Embedding) -> GivenEmbedding:
    """An embedding as sent."""
    if not embedding.contract_id:
        raise InvalidArgument("embedding.contract_id", "is missing: EmbedFaces gives it with the values")
    return GivenEmbedding(np.array(embedding.values, dtype=np.float32), embedding.contract_id)


def quality_message(quality: Quality) -> face_pb2.Quality:
    """Quality on the wire."""
    return face_pb2.Quality(
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        contrast=quality.contrast,
        yaw_deg=quality.yaw_deg,
        pitch_deg=quality.pitch_deg,
        roll_deg=quality.roll_deg,
        size_px=quality.size_px,
        outside_share=quality.outside_share,
        glare_share=quality.glare_share,
        embedding_norm=quality.embedding_norm,
        score=quality.score,
        issues=[f"QUALITY_ISSUE_{issue.name}" for issue in quality.issues],
    )


def landmarks_message(points: Sequence[Sequence[float]]) -> face_pb2.Landmarks:
    """Five points on the wire."""
    corners = [face_pb2.Point(x=x, y=y) for x, y in points]
    return face_pb2.Landmarks(
        left_eye=corners[0],
        right_eye=corners[1],
        nose_tip=corners[2],
        left_mouth_corner=corners[3],
        right_mouth_corner=corners[4],
    )


def face_messages(faces: Faces, quality: list[Quality]) -> list[face_pb2.Face]:
    """Faces on the wire."""
    messages = []
    for box, points, score, q in zip(
        faces.boxes.tolist(), faces.landmarks.tolist(), faces.scores.tolist(), quality, strict=True
    ):
        messages.append(
            face_pb2.Face(
                box=face_pb2.Box(x=box[0], y=box[1], width=box[2], height=box[3]),
                landmarks=landmarks_message(points),
                detection_score=score,
                quality=quality_message(q),
            )
        )
    return messages


def encoded_messages(encoded: EncodedFaces) -> list[face_pb2.Face]:
    """The faces of embeddings on the wire."""
    return face_messages(encoded.faces, encoded.quality)


def no_face_message(reason: NoFaceReason | None) -> face_pb2.NoFaceReason:
    """The reason on the wire."""
    return _NO_FACE[reason]


def decision_message(decision: Decision) -> face_pb2.Decision:
    """The decision on the wire."""
    return _DECISIONS[decision]


def size_message(frame: Frame) -> recognition_pb2.ImageSize:
    """The upright picture's size."""
    return recognition_pb2.ImageSize(width=frame.width, height=frame.height)


def times_message(clock: StageClock) -> recognition_pb2.StageTimes:
    """Stage times on the wire."""
    return recognition_pb2.StageTimes(**{f"{stage}_ms": ms for stage, ms in clock.ms.items()})


def candidate_message(candidate: Candidate, calibration: ScoreCalibration | None) -> recognition_pb2.Candidate:
    """A candidate with the error rate at its similarity."""
    return recognition_pb2.Candidate(
        subject_id=candidate.subject_id,
        display_name=candidate.display_name,
        labels=candidate.labels,
        similarity=candidate.similarity,
        face_id=candidate.face_id,
        estimated_fmr=None if calibration is None else calibration.fmr(candidate.similarity),
    )


def identification_message(
    identification: Identification,
    face: face_pb2.Face | None,
    calibration: ScoreCalibration | None,
    liveness: face_pb2.Liveness | None,
) -> recognition_pb2.IdentifiedFace:
    """One face's answer."""
    match = identification.match
    return recognition_pb2.IdentifiedFace(
        face=face,
        decision=decision_message(identification.decision),
        match=None if match is None else candidate_message(match, calibration),
        candidates=[candidate_message(c, calibration) for c in identification.candidates],
        liveness=liveness,
    )


def timestamp(ms: int) -> Timestamp:
    """Unix milliseconds on the wire."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def gallery_message(gallery: Gallery, min_similarity: float) -> gallery_pb2.Gallery:
    """A gallery on the wire."""
    return gallery_pb2.Gallery(
        gallery_id=gallery.gallery_id,
        display_name=gallery.display_name,
        contract_id=gallery.contract_id,
        created_at=timestamp(gallery.created_ms),
        subject_count=gallery.subject_count,
        face_count=gallery.face_count,
        min_similarity=min_similarity,
    )


def subject_message(subject: Subject) -> gallery_pb2.Subject:
    """A subject on the wire."""
    return gallery_pb2.Subject(
        subject_id=subject.subject_id,
        display_name=subject.display_name,
        labels=subject.labels,
        attributes=subject.attributes,
        created_at=timestamp(subject.created_ms),
        updated_at=timestamp(subject.updated_ms),
        face_count=subject.face_count,
    )


def enrolled_message(face: EnrolledFace) -> gallery_pb2.EnrolledFace:
    """A template's description on the wire."""
    return gallery_pb2.EnrolledFace(
        face_id=face.face_id,
        subject_id=face.subject_id,
        quality=quality_message(face.quality),
        source_digest=face.source_digest,
        source_name=face.source_name,
        created_at=timestamp(face.created_ms),
        negative=face.negative,
    )


def refusal_message(reason: EnrolRefusal) -> gallery_pb2.EnrolRefusal:
    """A refusal's reason on the wire."""
    return _REFUSALS[reason]

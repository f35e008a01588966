"""What the server answers, as frozen values.

Coordinates are pixels of the upright picture (after EXIF orientation); "left" and "right" are as seen in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facewire.calibration import Calibration
from facewire.liveness import Liveness


class Decision(Enum):
    """What the server says of a face. NON_MATCH is for 1:1, UNKNOWN and AMBIGUOUS are for 1:N."""

    MATCH = "MATCH"
    UNKNOWN = "UNKNOWN"
    AMBIGUOUS = "AMBIGUOUS"
    NON_MATCH = "NON_MATCH"


class NoFaceReason(Enum):
    """Why a picture gave no face."""

    NONE_DETECTED = "NONE_DETECTED"
    TOO_SMALL = "TOO_SMALL"
    NOT_ALIGNABLE = "NOT_ALIGNABLE"


class EnrolRefusal(Enum):
    """Why a picture was not enrolled."""

    BAD_IMAGE = "BAD_IMAGE"
    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    TOO_SMALL = "TOO_SMALL"
    NOT_ALIGNABLE = "NOT_ALIGNABLE"
    BLURRED = "BLURRED"
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    EXTREME_POSE = "EXTREME_POSE"
    CUT_OFF = "CUT_OFF"
    DUPLICATE = "DUPLICATE"
    TEMPLATE_LIMIT = "TEMPLATE_LIMIT"
    POOR_QUALITY = "POOR_QUALITY"
    LOOKS_LIKE_ANOTHER = "LOOKS_LIKE_ANOTHER"
    NOT_FACE_LIKE = "NOT_FACE_LIKE"
    SYNTHETIC = "SYNTHETIC"


class QualityIssue(Enum):
    """Why a face may be mistaken or missed. OCCLUDED: it hardly looks like one, and nothing else explains it."""

    TOO_SMALL = "TOO_SMALL"
    BLURRED = "BLURRED"
    TOO_DARK = "TOO_DARK"
    OVEREXPOSED = "OVEREXPOSED"
    EXTREME_POSE = "EXTREME_POSE"
    OCCLUDED = "OCCLUDED"
    CUT_OFF = "CUT_OFF"


class Point(NamedTuple):
    """Pixels."""

    x: float
    y: float


class Box(NamedTuple):
    """Top left corner and size, pixels; it may reach outside the picture."""

    x: float
    y: float
    width: float
    height: float


class Landmarks(NamedTuple):
    """Five points."""

    left_eye: Point
    right_eye: Point
    nose_tip: Point
    left_mouth_corner: Point
    right_mouth_corner: Point


class ImageSize(NamedTuple):
    """Of the upright picture, pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be told of a face before it is compared.

    Attributes:
        sharpness: standard deviation of the Laplacian of the aligned face, grey levels.
        brightness, contrast: mean and standard deviation of its luma, 0..255.
        yaw_deg, pitch_deg, roll_deg: head pose, estimated from the landmarks.
        size_px: shorter side of the box.
        outside_share: share of the box outside the picture, 0..1.
        glare_share: share of the face as bright as the sensor can tell, 0..1.
        embedding_norm: length of the embedding before normalisation, if it was embedded.
        score: how likely a good picture of the same person is recognised with it, 0..1; 0 of enrolled templates.
        issues: what is wrong with it.
    """

    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    size_px: float
    outside_share: float
    embedding_norm: float | None
    score: float = 0.0
    issues: tuple[QualityIssue, ...] = ()
    glare_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Face:
    """A face found in a picture. ``detection_score`` is 0..1."""

    box: Box
    landmarks: Landmarks
    detection_score: float
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A unit vector that stands for a face.

    Attributes:
        values: float32 (dim,), unit length.
        contract_id: embeddings of different contracts cannot be compared.
    """

    values: npt.NDArray[np.float32]
    contract_id: str


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Time in the server's stages, milliseconds."""

    queue_ms: float
    decode_ms: float
    detect_ms: float
    align_ms: float
    embed_ms: float
    search_ms: float
    liveness_ms: float = 0.0
    attributes_ms: float = 0.0
    mesh_ms: float = 0.0
    generate_ms: float = 0.0

    @property
    def total_ms(self) -> float:
        """Sum of the stages."""
        return float(sum(getattr(self, stage.name) for stage in fields(self)))


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces by falling detection score; a reason where there are none."""

    faces: tuple[Face, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    times: StageTimes


@dataclass(frozen=True, slots=True)
class EmbeddedFace:
    """A face and its embedding."""

    face: Face
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Faces with embeddings by falling detection score; a reason where there are none."""

    faces: tuple[EmbeddedFace, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    times: StageTimes


@dataclass(frozen=True, slots=True)
class SubjectReference:
    """An enrolled subject, as one side of a verification."""

    gallery_id: str
    subject_id: str


@dataclass(frozen=True, slots=True)
class SideReport:
    """What was seen in a verification side that was a picture; its liveness where that was checked."""

    face: Face | None
    no_face_reason: NoFaceReason | None
    faces_found: int
    liveness: Liveness | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Answer of a 1:1 comparison.

    Attributes:
        decision: MATCH or NON_MATCH; UNKNOWN where a side holds no face.
        similarity: raw cosine, None where a side holds no face.
        min_similarity: the threshold applied.
        estimated_fmr: share of pairs of different people that reach this similarity, if known.
    """

    decision: Decision
    similarity: float | None
    min_similarity: float
    estimated_fmr: float | None
    probe: SideReport
    reference: SideReport
    times: StageTimes


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject close to a probe.

    Attributes:
        similarity: raw cosine with the subject's best template, -1..1.
        face_id: that template.
        estimated_fmr: share of strangers' comparisons that reach this similarity, if known.
    """

    subject_id: str
    display_name: str
    labels: tuple[str, ...]
    similarity: float
    face_id: str
    estimated_fmr: float | None


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    """One face's answer: ``match`` is set where the decision is MATCH; candidates are no names to show."""

    face: Face | None
    decision: Decision
    match: Candidate | None
    candidates: tuple[Candidate, ...]
    liveness: Liveness | None = None


@dataclass(frozen=True, slots=True)
class Identifications:
    """Answer of a 1:N comparison: one entry a face. ``min_similarity`` is the threshold applied."""

    faces: tuple[IdentifiedFace, ...]
    no_face_reason: NoFaceReason | None
    image_size: ImageSize | None
    min_similarity: float
    times: StageTimes


@dataclass(frozen=True, slots=True)
class Gallery:
    """A named set of subjects.

    Attributes:
        min_similarity: cosine that makes a match at its present size.
        calibration: its own error rates; None: the embedder's are in force.
    """

    gallery_id: str
    display_name: str
    contract_id: str
    created_at: datetime
    subject_count: int
    face_count: int
    min_similarity: float
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """An enrolled person."""

    subject_id: str
    display_name: str
    labels: tuple[str, ...]
    attributes: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    face_count: int


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """An enrolled template. ``source_digest`` is the SHA-256 of the picture's bytes.

    A ``negative`` one says who the subject is not.
    """

    face_id: str
    subject_id: str
    quality: Quality
    source_digest: str
    source_name: str
    created_at: datetime
    negative: bool = False


@dataclass(frozen=True, slots=True)
class EnrolOutcome:
    """What became of one picture: ``enrolled``, or ``refusal`` with ``detail`` in words.

    Attributes:
        look_alike: another subject that it would be taken for, and the similarity; None: nobody.
    """

    source_name: str
    enrolled: EnrolledFace | None
    refusal: EnrolRefusal | None
    detail: str
    face: Face | None
    look_alike: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One outcome a picture, in order, and the subject as it is now."""

    outcomes: tuple[EnrolOutcome, ...]
    subject: Subject


@dataclass(frozen=True, slots=True)
class BatchEnrolment:
    """One answer on a batch stream: ``enrolment``, or the ``error`` ("CODE: message") of that request."""

    index: int
    enrolment: Enrolment | None
    error: str | None

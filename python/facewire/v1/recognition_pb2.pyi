from facewire.v1 import face_pb2 as _face_pb2
from facewire.v1 import image_pb2 as _image_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DetectionOptions(_message.Message):
    __slots__ = ("min_score", "min_face_px", "max_faces")
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    MIN_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    min_score: float
    min_face_px: float
    max_faces: int
    def __init__(self, min_score: _Optional[float] = ..., min_face_px: _Optional[float] = ..., max_faces: _Optional[int] = ...) -> None: ...

class StageTimes(_message.Message):
    __slots__ = ("queue_ms", "decode_ms", "detect_ms", "align_ms", "embed_ms", "search_ms", "liveness_ms", "attributes_ms", "mesh_ms", "generate_ms")
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    DECODE_MS_FIELD_NUMBER: _ClassVar[int]
    DETECT_MS_FIELD_NUMBER: _ClassVar[int]
    ALIGN_MS_FIELD_NUMBER: _ClassVar[int]
    EMBED_MS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_MS_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_MS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_MS_FIELD_NUMBER: _ClassVar[int]
    MESH_MS_FIELD_NUMBER: _ClassVar[int]
    GENERATE_MS_FIELD_NUMBER: _ClassVar[int]
    queue_ms: float
    decode_ms: float
    detect_ms: float
    align_ms: float
    embed_ms: float
    search_ms: float
    liveness_ms: float
    attributes_ms: float
    mesh_ms: float
    generate_ms: float
    def __init__(self, queue_ms: _Optional[float] = ..., decode_ms: _Optional[float] = ..., detect_ms: _Optional[float] = ..., align_ms: _Optional[float] = ..., embed_ms: _Optional[float] = ..., search_ms: _Optional[float] = ..., liveness_ms: _Optional[float] = ..., attributes_ms: _Optional[float] = ..., mesh_ms: _Optional[float] = ..., generate_ms: _Optional[float] = ...) -> None: ...

class ImageSize(_message.Message):
    __slots__ = ("width", "height")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class DetectFacesRequest(_message.Message):
    __slots__ = ("image", "options")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: DetectionOptions
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[DetectionOptions, _Mapping]] = ...) -> None: ...

class DetectFacesResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: ImageSize
    times: StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[ImageSize, _Mapping]] = ..., times: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

class EmbedFacesRequest(_message.Message):
    __slots__ = ("image", "options", "looks", "allow_synthetic")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: DetectionOptions
    looks: int
    allow_synthetic: bool
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[DetectionOptions, _Mapping]] = ..., looks: _Optional[int] = ..., allow_synthetic: bool = ...) -> None: ...

class EmbeddedFace(_message.Message):
    __slots__ = ("face", "embedding")
    FACE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    embedding: _face_pb2.Embedding
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., embedding: _Optional[_Union[_face_pb2.Embedding, _Mapping]] = ...) -> None: ...

class EmbedFacesResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[EmbeddedFace]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: ImageSize
    times: StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[EmbeddedFace, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[ImageSize, _Mapping]] = ..., times: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

class SubjectReference(_message.Message):
    __slots__ = ("gallery_id", "subject_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ...) -> None: ...

class VerifySide(_message.Message):
    __slots__ = ("image", "embedding", "subject")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    embedding: _face_pb2.Embedding
    subject: SubjectReference
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., embedding: _Optional[_Union[_face_pb2.Embedding, _Mapping]] = ..., subject: _Optional[_Union[SubjectReference, _Mapping]] = ...) -> None: ...

class VerifyFacesRequest(_message.Message):
    __slots__ = ("probe", "reference", "min_similarity", "liveness_check", "allow_synthetic")
    PROBE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_CHECK_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    probe: VerifySide
    reference: VerifySide
    min_similarity: float
    liveness_check: _face_pb2.LivenessCheck
    allow_synthetic: bool
    def __init__(self, probe: _Optional[_Union[VerifySide, _Mapping]] = ..., reference: _Optional[_Union[VerifySide, _Mapping]] = ..., min_similarity: _Optional[float] = ..., liveness_check: _Optional[_Union[_face_pb2.LivenessCheck, str]] = ..., allow_synthetic: bool = ...) -> None: ...

class VerifySideReport(_message.Message):
    __slots__ = ("face", "no_face_reason", "faces_found", "liveness")
    FACE_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    FACES_FOUND_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    no_face_reason: _face_pb2.NoFaceReason
    faces_found: int
    liveness: _face_pb2.Liveness
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., faces_found: _Optional[int] = ..., liveness: _Optional[_Union[_face_pb2.Liveness, _Mapping]] = ...) -> None: ...

class VerifyFacesResponse(_message.Message):
    __slots__ = ("decision", "similarity", "min_similarity", "estimated_fmr", "probe", "reference", "times")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FMR_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    decision: _face_pb2.Decision
    similarity: float
    min_similarity: float
    estimated_fmr: float
    probe: VerifySideReport
    reference: VerifySideReport
    times: StageTimes
    def __init__(self, decision: _Optional[_Union[_face_pb2.Decision, str]] = ..., similarity: _Optional[float] = ..., min_similarity: _Optional[float] = ..., estimated_fmr: _Optional[float] = ..., probe: _Optional[_Union[VerifySideReport, _Mapping]] = ..., reference: _Optional[_Union[VerifySideReport, _Mapping]] = ..., times: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

class IdentifyFacesRequest(_message.Message):
    __slots__ = ("gallery_id", "image", "embedding", "options", "max_candidates", "min_similarity", "liveness_check", "allow_synthetic")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_CHECK_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    image: _image_pb2.Image
    embedding: _face_pb2.Embedding
    options: DetectionOptions
    max_candidates: int
    min_similarity: float
    liveness_check: _face_pb2.LivenessCheck
    allow_synthetic: bool
    def __init__(self, gallery_id: _Optional[str] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., embedding: _Optional[_Union[_face_pb2.Embedding, _Mapping]] = ..., options: _Optional[_Union[DetectionOptions, _Mapping]] = ..., max_candidates: _Optional[int] = ..., min_similarity: _Optional[float] = ..., liveness_check: _Optional[_Union[_face_pb2.LivenessCheck, str]] = ..., allow_synthetic: bool = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("subject_id", "display_name", "labels", "similarity", "face_id", "estimated_fmr")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    FACE_ID_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FMR_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    display_name: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    similarity: float
    face_id: str
    estimated_fmr: float
    def __init__(self, subject_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., similarity: _Optional[float] = ..., face_id: _Optional[str] = ..., estimated_fmr: _Optional[float] = ...) -> None: ...

class IdentifiedFace(_message.Message):
    __slots__ = ("face", "decision", "match", "candidates", "liveness")
    FACE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    decision: _face_pb2.Decision
    match: Candidate
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    liveness: _face_pb2.Liveness
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., decision: _Optional[_Union[_face_pb2.Decision, str]] = ..., match: _Optional[_Union[Candidate, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., liveness: _Optional[_Union[_face_pb2.Liveness, _Mapping]] = ...) -> None: ...

class IdentifyFacesResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "min_similarity", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[IdentifiedFace]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: ImageSize
    min_similarity: float
    times: StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[IdentifiedFace, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[ImageSize, _Mapping]] = ..., min_similarity: _Optional[float] = ..., times: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

class AnalyzeFacesRequest(_message.Message):
    __slots__ = ("image", "options", "per_person")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: DetectionOptions
    per_person: bool
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[DetectionOptions, _Mapping]] = ..., per_person: bool = ...) -> None: ...

class AnalyzedFace(_message.Message):
    __slots__ = ("face", "attributes", "head_pose", "liveness")
    FACE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSE_FIELD_NUMBER: _ClassVar[int]
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    attributes: _face_pb2.FaceAttributes
    head_pose: _face_pb2.HeadPose
    liveness: _face_pb2.Liveness
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., attributes: _Optional[_Union[_face_pb2.FaceAttributes, _Mapping]] = ..., head_pose: _Optional[_Union[_face_pb2.HeadPose, _Mapping]] = ..., liveness: _Optional[_Union[_face_pb2.Liveness, _Mapping]] = ...) -> None: ...

class AnalyzeFacesResponse(_message.Message):
    __slots__ = ("faces", "figures", "no_face_reason", "image_size", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[AnalyzedFace]
    figures: _face_pb2.AttributeFigures
    no_face_reason: _face_pb2.NoFaceReason
    image_size: ImageSize
    times: StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[AnalyzedFace, _Mapping]]] = ..., figures: _Optional[_Union[_face_pb2.AttributeFigures, _Mapping]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[ImageSize, _Mapping]] = ..., times: _Optional[_Union[StageTimes, _Mapping]] = ...) -> None: ...

from facewire.v1 import face_pb2 as _face_pb2
from facewire.v1 import image_pb2 as _image_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_KIND_UNSPECIFIED: _ClassVar[FindingKind]
    FINDING_KIND_SAME_PERSON: _ClassVar[FindingKind]
    FINDING_KIND_LOOK_ALIKES: _ClassVar[FindingKind]
    FINDING_KIND_OUTLIER: _ClassVar[FindingKind]
    FINDING_KIND_DUPLICATE: _ClassVar[FindingKind]

class EnrolRefusal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENROL_REFUSAL_UNSPECIFIED: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_BAD_IMAGE: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_NO_FACE: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_SEVERAL_FACES: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_TOO_SMALL: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_NOT_ALIGNABLE: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_BLURRED: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_TOO_DARK: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_TOO_BRIGHT: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_EXTREME_POSE: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_CUT_OFF: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_DUPLICATE: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_TEMPLATE_LIMIT: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_POOR_QUALITY: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_LOOKS_LIKE_ANOTHER: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_SYNTHETIC: _ClassVar[EnrolRefusal]
    ENROL_REFUSAL_NOT_FACE_LIKE: _ClassVar[EnrolRefusal]
FINDING_KIND_UNSPECIFIED: FindingKind
FINDING_KIND_SAME_PERSON: FindingKind
FINDING_KIND_LOOK_ALIKES: FindingKind
FINDING_KIND_OUTLIER: FindingKind
FINDING_KIND_DUPLICATE: FindingKind
ENROL_REFUSAL_UNSPECIFIED: EnrolRefusal
ENROL_REFUSAL_BAD_IMAGE: EnrolRefusal
ENROL_REFUSAL_NO_FACE: EnrolRefusal
ENROL_REFUSAL_SEVERAL_FACES: EnrolRefusal
ENROL_REFUSAL_TOO_SMALL: EnrolRefusal
ENROL_REFUSAL_NOT_ALIGNABLE: EnrolRefusal
ENROL_REFUSAL_BLURRED: EnrolRefusal
ENROL_REFUSAL_TOO_DARK: EnrolRefusal
ENROL_REFUSAL_TOO_BRIGHT: EnrolRefusal
ENROL_REFUSAL_EXTREME_POSE: EnrolRefusal
ENROL_REFUSAL_CUT_OFF: EnrolRefusal
ENROL_REFUSAL_DUPLICATE: EnrolRefusal
ENROL_REFUSAL_TEMPLATE_LIMIT: EnrolRefusal
ENROL_REFUSAL_POOR_QUALITY: EnrolRefusal
ENROL_REFUSAL_LOOKS_LIKE_ANOTHER: EnrolRefusal
ENROL_REFUSAL_SYNTHETIC: EnrolRefusal
ENROL_REFUSAL_NOT_FACE_LIKE: EnrolRefusal

class Gallery(_message.Message):
    __slots__ = ("gallery_id", "display_name", "contract_id", "created_at", "subject_count", "face_count", "min_similarity", "calibration")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    display_name: str
    contract_id: str
    created_at: _timestamp_pb2.Timestamp
    subject_count: int
    face_count: int
    min_similarity: float
    calibration: Calibration
    def __init__(self, gallery_id: _Optional[str] = ..., display_name: _Optional[str] = ..., contract_id: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., subject_count: _Optional[int] = ..., face_count: _Optional[int] = ..., min_similarity: _Optional[float] = ..., calibration: _Optional[_Union[Calibration, _Mapping]] = ...) -> None: ...

class Calibration(_message.Message):
    __slots__ = ("fpir", "fmr", "min_similarity", "rate_low", "rate_high", "miss_rate", "miss_rate_low", "miss_rate_high", "shortage", "subjects", "templates", "cohort", "made_at", "stale")
    FPIR_FIELD_NUMBER: _ClassVar[int]
    FMR_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    RATE_LOW_FIELD_NUMBER: _ClassVar[int]
    RATE_HIGH_FIELD_NUMBER: _ClassVar[int]
    MISS_RATE_FIELD_NUMBER: _ClassVar[int]
    MISS_RATE_LOW_FIELD_NUMBER: _ClassVar[int]
    MISS_RATE_HIGH_FIELD_NUMBER: _ClassVar[int]
    SHORTAGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    COHORT_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    fpir: float
    fmr: float
    min_similarity: float
    rate_low: float
    rate_high: float
    miss_rate: float
    miss_rate_low: float
    miss_rate_high: float
    shortage: str
    subjects: int
    templates: int
    cohort: int
    made_at: _timestamp_pb2.Timestamp
    stale: bool
    def __init__(self, fpir: _Optional[float] = ..., fmr: _Optional[float] = ..., min_similarity: _Optional[float] = ..., rate_low: _Optional[float] = ..., rate_high: _Optional[float] = ..., miss_rate: _Optional[float] = ..., miss_rate_low: _Optional[float] = ..., miss_rate_high: _Optional[float] = ..., shortage: _Optional[str] = ..., subjects: _Optional[int] = ..., templates: _Optional[int] = ..., cohort: _Optional[int] = ..., made_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., stale: bool = ...) -> None: ...

class CalibrateRequest(_message.Message):
    __slots__ = ("gallery_id", "fpir", "fmr", "cohort", "cohort_gallery_id", "dry_run", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    FPIR_FIELD_NUMBER: _ClassVar[int]
    FMR_FIELD_NUMBER: _ClassVar[int]
    COHORT_FIELD_NUMBER: _ClassVar[int]
    COHORT_GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    fpir: float
    fmr: float
    cohort: _containers.RepeatedCompositeFieldContainer[_face_pb2.Embedding]
    cohort_gallery_id: str
    dry_run: bool
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., fpir: _Optional[float] = ..., fmr: _Optional[float] = ..., cohort: _Optional[_Iterable[_Union[_face_pb2.Embedding, _Mapping]]] = ..., cohort_gallery_id: _Optional[str] = ..., dry_run: bool = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CalibrateResponse(_message.Message):
    __slots__ = ("calibration",)
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    calibration: Calibration
    def __init__(self, calibration: _Optional[_Union[Calibration, _Mapping]] = ...) -> None: ...

class ReviewGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "max_findings")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    max_findings: int
    def __init__(self, gallery_id: _Optional[str] = ..., max_findings: _Optional[int] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("kind", "subject_id", "face_id", "other_subject_id", "other_face_id", "similarity", "own_similarity")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FACE_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_FACE_ID_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    OWN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    subject_id: str
    face_id: str
    other_subject_id: str
    other_face_id: str
    similarity: float
    own_similarity: float
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., subject_id: _Optional[str] = ..., face_id: _Optional[str] = ..., other_subject_id: _Optional[str] = ..., other_face_id: _Optional[str] = ..., similarity: _Optional[float] = ..., own_similarity: _Optional[float] = ...) -> None: ...

class ReviewGalleryResponse(_message.Message):
    __slots__ = ("findings", "templates")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    templates: int
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., templates: _Optional[int] = ...) -> None: ...

class DeleteCalibrationRequest(_message.Message):
    __slots__ = ("gallery_id", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteCalibrationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Subject(_message.Message):
    __slots__ = ("subject_id", "display_name", "labels", "attributes", "created_at", "updated_at", "face_count")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    FACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    display_name: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.ScalarMap[str, str]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    face_count: int
    def __init__(self, subject_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., face_count: _Optional[int] = ...) -> None: ...

class EnrolledFace(_message.Message):
    __slots__ = ("face_id", "subject_id", "quality", "source_digest", "source_name", "created_at", "negative")
    FACE_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    face_id: str
    subject_id: str
    quality: _face_pb2.Quality
    source_digest: str
    source_name: str
    created_at: _timestamp_pb2.Timestamp
    negative: bool
    def __init__(self, face_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., source_digest: _Optional[str] = ..., source_name: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., negative: bool = ...) -> None: ...

class CreateGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "display_name", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    display_name: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., display_name: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CreateGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class GetGalleryRequest(_message.Message):
    __slots__ = ("gallery_id",)
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    def __init__(self, gallery_id: _Optional[str] = ...) -> None: ...

class GetGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class ListGalleriesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGalleriesResponse(_message.Message):
    __slots__ = ("galleries", "next_page_token")
    GALLERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    galleries: _containers.RepeatedCompositeFieldContainer[Gallery]
    next_page_token: str
    def __init__(self, galleries: _Optional[_Iterable[_Union[Gallery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteGalleryResponse(_message.Message):
    __slots__ = ("deleted_subjects", "deleted_faces")
    DELETED_SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    DELETED_FACES_FIELD_NUMBER: _ClassVar[int]
    deleted_subjects: int
    deleted_faces: int
    def __init__(self, deleted_subjects: _Optional[int] = ..., deleted_faces: _Optional[int] = ...) -> None: ...

class CreateSubjectRequest(_message.Message):
    __slots__ = ("gallery_id", "subject", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject: Subject
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CreateSubjectResponse(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ...) -> None: ...

class GetSubjectRequest(_message.Message):
    __slots__ = ("gallery_id", "subject_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ...) -> None: ...

class GetSubjectResponse(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ...) -> None: ...

class ListSubjectsRequest(_message.Message):
    __slots__ = ("gallery_id", "page_size", "page_token", "label")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    page_size: int
    page_token: str
    label: str
    def __init__(self, gallery_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class ListSubjectsResponse(_message.Message):
    __slots__ = ("subjects", "next_page_token")
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subjects: _containers.RepeatedCompositeFieldContainer[Subject]
    next_page_token: str
    def __init__(self, subjects: _Optional[_Iterable[_Union[Subject, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateSubjectRequest(_message.Message):
    __slots__ = ("gallery_id", "subject_id", "display_name", "labels", "attributes", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    display_name: str
    labels: LabelList
    attributes: AttributeMap
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., display_name: _Optional[str] = ..., labels: _Optional[_Union[LabelList, _Mapping]] = ..., attributes: _Optional[_Union[AttributeMap, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class LabelList(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class AttributeMap(_message.Message):
    __slots__ = ("values",)
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.ScalarMap[str, str]
    def __init__(self, values: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UpdateSubjectResponse(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ...) -> None: ...

class DeleteSubjectRequest(_message.Message):
    __slots__ = ("gallery_id", "subject_id", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteSubjectResponse(_message.Message):
    __slots__ = ("deleted_faces",)
    DELETED_FACES_FIELD_NUMBER: _ClassVar[int]
    deleted_faces: int
    def __init__(self, deleted_faces: _Optional[int] = ...) -> None: ...

class EnrolImage(_message.Message):
    __slots__ = ("image", "source_name")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    source_name: str
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., source_name: _Optional[str] = ...) -> None: ...

class EnrolFacesRequest(_message.Message):
    __slots__ = ("gallery_id", "subject_id", "images", "create_subject", "display_name", "use_largest_face", "idempotency_key", "negative", "allow_synthetic")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    CREATE_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    USE_LARGEST_FACE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SYNTHETIC_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    images: _containers.RepeatedCompositeFieldContainer[EnrolImage]
    create_subject: bool
    display_name: str
    use_largest_face: bool
    idempotency_key: str
    negative: bool
    allow_synthetic: bool
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., images: _Optional[_Iterable[_Union[EnrolImage, _Mapping]]] = ..., create_subject: bool = ..., display_name: _Optional[str] = ..., use_largest_face: bool = ..., idempotency_key: _Optional[str] = ..., negative: bool = ..., allow_synthetic: bool = ...) -> None: ...

class EnrolOutcome(_message.Message):
    __slots__ = ("enrolled", "refusal", "detail", "face", "source_name", "look_alike_subject_id", "look_alike_similarity")
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKE_SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    enrolled: EnrolledFace
    refusal: EnrolRefusal
    detail: str
    face: _face_pb2.Face
    source_name: str
    look_alike_subject_id: str
    look_alike_similarity: float
    def __init__(self, enrolled: _Optional[_Union[EnrolledFace, _Mapping]] = ..., refusal: _Optional[_Union[EnrolRefusal, str]] = ..., detail: _Optional[str] = ..., face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., source_name: _Optional[str] = ..., look_alike_subject_id: _Optional[str] = ..., look_alike_similarity: _Optional[float] = ...) -> None: ...

class EnrolFacesResponse(_message.Message):
    __slots__ = ("outcomes", "subject")
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedCompositeFieldContainer[EnrolOutcome]
    subject: Subject
    def __init__(self, outcomes: _Optional[_Iterable[_Union[EnrolOutcome, _Mapping]]] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ...) -> None: ...

class BatchEnrolRequest(_message.Message):
    __slots__ = ("enrol",)
    ENROL_FIELD_NUMBER: _ClassVar[int]
    enrol: EnrolFacesRequest
    def __init__(self, enrol: _Optional[_Union[EnrolFacesRequest, _Mapping]] = ...) -> None: ...

class BatchEnrolResponse(_message.Message):
    __slots__ = ("index", "enrolled", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    enrolled: EnrolFacesResponse
    error: BatchEnrolError
    def __init__(self, index: _Optional[int] = ..., enrolled: _Optional[_Union[EnrolFacesResponse, _Mapping]] = ..., error: _Optional[_Union[BatchEnrolError, _Mapping]] = ...) -> None: ...

class BatchEnrolError(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ListFacesRequest(_message.Message):
    __slots__ = ("gallery_id", "subject_id", "page_size", "page_token")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    subject_id: str
    page_size: int
    page_token: str
    def __init__(self, gallery_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFacesResponse(_message.Message):
    __slots__ = ("faces", "next_page_token")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[EnrolledFace]
    next_page_token: str
    def __init__(self, faces: _Optional[_Iterable[_Union[EnrolledFace, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteFaceRequest(_message.Message):
    __slots__ = ("gallery_id", "face_id", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    FACE_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    face_id: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., face_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class DeleteFaceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExportGalleryRequest(_message.Message):
    __slots__ = ("gallery_id",)
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    def __init__(self, gallery_id: _Optional[str] = ...) -> None: ...

class ExportGalleryResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ImportGalleryRequest(_message.Message):
    __slots__ = ("target", "data")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    target: ImportTarget
    data: bytes
    def __init__(self, target: _Optional[_Union[ImportTarget, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImportTarget(_message.Message):
    __slots__ = ("gallery_id", "idempotency_key")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    idempotency_key: str
    def __init__(self, gallery_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ImportGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

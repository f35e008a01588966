from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QualityIssue(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_ISSUE_UNSPECIFIED: _ClassVar[QualityIssue]
    QUALITY_ISSUE_TOO_SMALL: _ClassVar[QualityIssue]
    QUALITY_ISSUE_BLURRED: _ClassVar[QualityIssue]
    QUALITY_ISSUE_TOO_DARK: _ClassVar[QualityIssue]
    QUALITY_ISSUE_OVEREXPOSED: _ClassVar[QualityIssue]
    QUALITY_ISSUE_EXTREME_POSE: _ClassVar[QualityIssue]
    QUALITY_ISSUE_OCCLUDED: _ClassVar[QualityIssue]
    QUALITY_ISSUE_CUT_OFF: _ClassVar[QualityIssue]

class NoFaceReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NO_FACE_REASON_UNSPECIFIED: _ClassVar[NoFaceReason]
    NO_FACE_REASON_NONE_DETECTED: _ClassVar[NoFaceReason]
    NO_FACE_REASON_TOO_SMALL: _ClassVar[NoFaceReason]
    NO_FACE_REASON_NOT_ALIGNABLE: _ClassVar[NoFaceReason]

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_MATCH: _ClassVar[Decision]
    DECISION_UNKNOWN: _ClassVar[Decision]
    DECISION_AMBIGUOUS: _ClassVar[Decision]
    DECISION_NON_MATCH: _ClassVar[Decision]

class LivenessDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIVENESS_DECISION_UNSPECIFIED: _ClassVar[LivenessDecision]
    LIVENESS_DECISION_LIVE: _ClassVar[LivenessDecision]
    LIVENESS_DECISION_SPOOF: _ClassVar[LivenessDecision]
    LIVENESS_DECISION_UNSURE: _ClassVar[LivenessDecision]

class LivenessCheck(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIVENESS_CHECK_UNSPECIFIED: _ClassVar[LivenessCheck]
    LIVENESS_CHECK_REPORT: _ClassVar[LivenessCheck]
    LIVENESS_CHECK_REQUIRE: _ClassVar[LivenessCheck]
QUALITY_ISSUE_UNSPECIFIED: QualityIssue
QUALITY_ISSUE_TOO_SMALL: QualityIssue
QUALITY_ISSUE_BLURRED: QualityIssue
QUALITY_ISSUE_TOO_DARK: QualityIssue
QUALITY_ISSUE_OVEREXPOSED: QualityIssue
QUALITY_ISSUE_EXTREME_POSE: QualityIssue
QUALITY_ISSUE_OCCLUDED: QualityIssue
QUALITY_ISSUE_CUT_OFF: QualityIssue
NO_FACE_REASON_UNSPECIFIED: NoFaceReason
NO_FACE_REASON_NONE_DETECTED: NoFaceReason
NO_FACE_REASON_TOO_SMALL: NoFaceReason
NO_FACE_REASON_NOT_ALIGNABLE: NoFaceReason
DECISION_UNSPECIFIED: Decision
DECISION_MATCH: Decision
DECISION_UNKNOWN: Decision
DECISION_AMBIGUOUS: Decision
DECISION_NON_MATCH: Decision
LIVENESS_DECISION_UNSPECIFIED: LivenessDecision
LIVENESS_DECISION_LIVE: LivenessDecision
LIVENESS_DECISION_SPOOF: LivenessDecision
LIVENESS_DECISION_UNSURE: LivenessDecision
LIVENESS_CHECK_UNSPECIFIED: LivenessCheck
LIVENESS_CHECK_REPORT: LivenessCheck
LIVENESS_CHECK_REQUIRE: LivenessCheck

class Point(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x", "y", "width", "height")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    width: float
    height: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., width: _Optional[float] = ..., height: _Optional[float] = ...) -> None: ...

class Landmarks(_message.Message):
    __slots__ = ("left_eye", "right_eye", "nose_tip", "left_mouth_corner", "right_mouth_corner")
    LEFT_EYE_FIELD_NUMBER: _ClassVar[int]
    RIGHT_EYE_FIELD_NUMBER: _ClassVar[int]
    NOSE_TIP_FIELD_NUMBER: _ClassVar[int]
    LEFT_MOUTH_CORNER_FIELD_NUMBER: _ClassVar[int]
    RIGHT_MOUTH_CORNER_FIELD_NUMBER: _ClassVar[int]
    left_eye: Point
    right_eye: Point
    nose_tip: Point
    left_mouth_corner: Point
    right_mouth_corner: Point
    def __init__(self, left_eye: _Optional[_Union[Point, _Mapping]] = ..., right_eye: _Optional[_Union[Point, _Mapping]] = ..., nose_tip: _Optional[_Union[Point, _Mapping]] = ..., left_mouth_corner: _Optional[_Union[Point, _Mapping]] = ..., right_mouth_corner: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ("sharpness", "brightness", "contrast", "yaw_deg", "pitch_deg", "roll_deg", "size_px", "outside_share", "embedding_norm", "score", "issues", "glare_share")
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    YAW_DEG_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEG_FIELD_NUMBER: _ClassVar[int]
    ROLL_DEG_FIELD_NUMBER: _ClassVar[int]
    SIZE_PX_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_SHARE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_NORM_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    GLARE_SHARE_FIELD_NUMBER: _ClassVar[int]
    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    size_px: float
    outside_share: float
    embedding_norm: float
    score: float
    issues: _containers.RepeatedScalarFieldContainer[QualityIssue]
    glare_share: float
    def __init__(self, sharpness: _Optional[float] = ..., brightness: _Optional[float] = ..., contrast: _Optional[float] = ..., yaw_deg: _Optional[float] = ..., pitch_deg: _Optional[float] = ..., roll_deg: _Optional[float] = ..., size_px: _Optional[float] = ..., outside_share: _Optional[float] = ..., embedding_norm: _Optional[float] = ..., score: _Optional[float] = ..., issues: _Optional[_Iterable[_Union[QualityIssue, str]]] = ..., glare_share: _Optional[float] = ...) -> None: ...

class Face(_message.Message):
    __slots__ = ("box", "landmarks", "detection_score", "quality")
    BOX_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    box: Box
    landmarks: Landmarks
    detection_score: float
    quality: Quality
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., landmarks: _Optional[_Union[Landmarks, _Mapping]] = ..., detection_score: _Optional[float] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("values", "contract_id")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    contract_id: str
    def __init__(self, values: _Optional[_Iterable[float]] = ..., contract_id: _Optional[str] = ...) -> None: ...

class Liveness(_message.Message):
    __slots__ = ("decision", "score", "looks")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    decision: LivenessDecision
    score: float
    looks: int
    def __init__(self, decision: _Optional[_Union[LivenessDecision, str]] = ..., score: _Optional[float] = ..., looks: _Optional[int] = ...) -> None: ...

class HeadPose(_message.Message):
    __slots__ = ("yaw_deg", "pitch_deg", "roll_deg")
    YAW_DEG_FIELD_NUMBER: _ClassVar[int]
    PITCH_DEG_FIELD_NUMBER: _ClassVar[int]
    ROLL_DEG_FIELD_NUMBER: _ClassVar[int]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    def __init__(self, yaw_deg: _Optional[float] = ..., pitch_deg: _Optional[float] = ..., roll_deg: _Optional[float] = ...) -> None: ...

class FaceAttributes(_message.Message):
    __slots__ = ("age", "female_probability")
    AGE_FIELD_NUMBER: _ClassVar[int]
    FEMALE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    age: float
    female_probability: float
    def __init__(self, age: _Optional[float] = ..., female_probability: _Optional[float] = ...) -> None: ...

class AgeGroup(_message.Message):
    __slots__ = ("from_age", "to_age", "people")
    FROM_AGE_FIELD_NUMBER: _ClassVar[int]
    TO_AGE_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    from_age: int
    to_age: int
    people: int
    def __init__(self, from_age: _Optional[int] = ..., to_age: _Optional[int] = ..., people: _Optional[int] = ...) -> None: ...

class AttributeFigures(_message.Message):
    __slots__ = ("people", "mean_age", "female_share", "age_groups")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    MEAN_AGE_FIELD_NUMBER: _ClassVar[int]
    FEMALE_SHARE_FIELD_NUMBER: _ClassVar[int]
    AGE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    people: int
    mean_age: float
    female_share: float
    age_groups: _containers.RepeatedCompositeFieldContainer[AgeGroup]
    def __init__(self, people: _Optional[int] = ..., mean_age: _Optional[float] = ..., female_share: _Optional[float] = ..., age_groups: _Optional[_Iterable[_Union[AgeGroup, _Mapping]]] = ...) -> None: ...

from facewire.v1 import face_pb2 as _face_pb2
from facewire.v1 import recognition_pb2 as _recognition_pb2
from facewire.v1 import stream_pb2 as _stream_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChallengeAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHALLENGE_ACTION_UNSPECIFIED: _ClassVar[ChallengeAction]
    CHALLENGE_ACTION_FACE_CAMERA: _ClassVar[ChallengeAction]
    CHALLENGE_ACTION_TURN_LEFT: _ClassVar[ChallengeAction]
    CHALLENGE_ACTION_TURN_RIGHT: _ClassVar[ChallengeAction]
    CHALLENGE_ACTION_LOOK_UP: _ClassVar[ChallengeAction]
    CHALLENGE_ACTION_LOOK_DOWN: _ClassVar[ChallengeAction]

class ChallengeHint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHALLENGE_HINT_UNSPECIFIED: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_NO_FACE: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_SEVERAL_FACES: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_COME_CLOSER: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_BAD_FRAME: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_FACE_THE_CAMERA: _ClassVar[ChallengeHint]
    CHALLENGE_HINT_KEEP_STILL: _ClassVar[ChallengeHint]

class ChallengeFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHALLENGE_FAILURE_UNSPECIFIED: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_TIMED_OUT: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_WRONG_ACTION: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_TOO_SOON: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_FACE_LOST: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_FACE_CHANGED: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_LOOKS_LIKE_A_PICTURE: _ClassVar[ChallengeFailure]
    CHALLENGE_FAILURE_FRAMES_ENDED: _ClassVar[ChallengeFailure]
CHALLENGE_ACTION_UNSPECIFIED: ChallengeAction
CHALLENGE_ACTION_FACE_CAMERA: ChallengeAction
CHALLENGE_ACTION_TURN_LEFT: ChallengeAction
CHALLENGE_ACTION_TURN_RIGHT: ChallengeAction
CHALLENGE_ACTION_LOOK_UP: ChallengeAction
CHALLENGE_ACTION_LOOK_DOWN: ChallengeAction
CHALLENGE_HINT_UNSPECIFIED: ChallengeHint
CHALLENGE_HINT_NO_FACE: ChallengeHint
CHALLENGE_HINT_SEVERAL_FACES: ChallengeHint
CHALLENGE_HINT_COME_CLOSER: ChallengeHint
CHALLENGE_HINT_BAD_FRAME: ChallengeHint
CHALLENGE_HINT_FACE_THE_CAMERA: ChallengeHint
CHALLENGE_HINT_KEEP_STILL: ChallengeHint
CHALLENGE_FAILURE_UNSPECIFIED: ChallengeFailure
CHALLENGE_FAILURE_TIMED_OUT: ChallengeFailure
CHALLENGE_FAILURE_WRONG_ACTION: ChallengeFailure
CHALLENGE_FAILURE_TOO_SOON: ChallengeFailure
CHALLENGE_FAILURE_FACE_LOST: ChallengeFailure
CHALLENGE_FAILURE_FACE_CHANGED: ChallengeFailure
CHALLENGE_FAILURE_LOOKS_LIKE_A_PICTURE: ChallengeFailure
CHALLENGE_FAILURE_FRAMES_ENDED: ChallengeFailure

class VerifyLiveRequest(_message.Message):
    __slots__ = ("settings", "frame")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    settings: VerifyLiveSettings
    frame: _stream_pb2.StreamFrame
    def __init__(self, settings: _Optional[_Union[VerifyLiveSettings, _Mapping]] = ..., frame: _Optional[_Union[_stream_pb2.StreamFrame, _Mapping]] = ...) -> None: ...

class VerifyLiveSettings(_message.Message):
    __slots__ = ("encoding", "reference", "min_similarity", "actions", "mirrored")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    MIRRORED_FIELD_NUMBER: _ClassVar[int]
    encoding: _stream_pb2.FrameEncoding
    reference: _recognition_pb2.VerifySide
    min_similarity: float
    actions: int
    mirrored: bool
    def __init__(self, encoding: _Optional[_Union[_stream_pb2.FrameEncoding, _Mapping]] = ..., reference: _Optional[_Union[_recognition_pb2.VerifySide, _Mapping]] = ..., min_similarity: _Optional[float] = ..., actions: _Optional[int] = ..., mirrored: bool = ...) -> None: ...

class ChallengePrompt(_message.Message):
    __slots__ = ("action", "done", "wanted", "time_left")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    TIME_LEFT_FIELD_NUMBER: _ClassVar[int]
    action: ChallengeAction
    done: int
    wanted: int
    time_left: _duration_pb2.Duration
    def __init__(self, action: _Optional[_Union[ChallengeAction, str]] = ..., done: _Optional[int] = ..., wanted: _Optional[int] = ..., time_left: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ChallengeProgress(_message.Message):
    __slots__ = ("sequence", "face", "head_pose", "share", "hint")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FACE_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    face: _face_pb2.Face
    head_pose: _face_pb2.HeadPose
    share: float
    hint: ChallengeHint
    def __init__(self, sequence: _Optional[int] = ..., face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., head_pose: _Optional[_Union[_face_pb2.HeadPose, _Mapping]] = ..., share: _Optional[float] = ..., hint: _Optional[_Union[ChallengeHint, str]] = ...) -> None: ...

class VerifyLiveResult(_message.Message):
    __slots__ = ("liveness", "failure", "decision", "similarity", "min_similarity", "estimated_fmr", "passive", "reference")
    LIVENESS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FMR_FIELD_NUMBER: _ClassVar[int]
    PASSIVE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    liveness: _face_pb2.LivenessDecision
    failure: ChallengeFailure
    decision: _face_pb2.Decision
    similarity: float
    min_similarity: float
    estimated_fmr: float
    passive: _face_pb2.Liveness
    reference: _recognition_pb2.VerifySideReport
    def __init__(self, liveness: _Optional[_Union[_face_pb2.LivenessDecision, str]] = ..., failure: _Optional[_Union[ChallengeFailure, str]] = ..., decision: _Optional[_Union[_face_pb2.Decision, str]] = ..., similarity: _Optional[float] = ..., min_similarity: _Optional[float] = ..., estimated_fmr: _Optional[float] = ..., passive: _Optional[_Union[_face_pb2.Liveness, _Mapping]] = ..., reference: _Optional[_Union[_recognition_pb2.VerifySideReport, _Mapping]] = ...) -> None: ...

class VerifyLiveResponse(_message.Message):
    __slots__ = ("prompt", "progress", "result")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    prompt: ChallengePrompt
    progress: ChallengeProgress
    result: VerifyLiveResult
    def __init__(self, prompt: _Optional[_Union[ChallengePrompt, _Mapping]] = ..., progress: _Optional[_Union[ChallengeProgress, _Mapping]] = ..., result: _Optional[_Union[VerifyLiveResult, _Mapping]] = ...) -> None: ...

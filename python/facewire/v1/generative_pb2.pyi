from facewire.v1 import recognition_pb2 as _recognition_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateFacesRequest(_message.Message):
    __slots__ = ("count", "seed", "spread", "visible_mark")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_MARK_FIELD_NUMBER: _ClassVar[int]
    count: int
    seed: int
    spread: float
    visible_mark: bool
    def __init__(self, count: _Optional[int] = ..., seed: _Optional[int] = ..., spread: _Optional[float] = ..., visible_mark: bool = ...) -> None: ...

class SyntheticImage(_message.Message):
    __slots__ = ("encoded", "size", "digital_source_type")
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    DIGITAL_SOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    encoded: bytes
    size: _recognition_pb2.ImageSize
    digital_source_type: str
    def __init__(self, encoded: _Optional[bytes] = ..., size: _Optional[_Union[_recognition_pb2.ImageSize, _Mapping]] = ..., digital_source_type: _Optional[str] = ...) -> None: ...

class GenerateFacesResponse(_message.Message):
    __slots__ = ("images", "seed", "model", "times")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[SyntheticImage]
    seed: int
    model: str
    times: _recognition_pb2.StageTimes
    def __init__(self, images: _Optional[_Iterable[_Union[SyntheticImage, _Mapping]]] = ..., seed: _Optional[int] = ..., model: _Optional[str] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

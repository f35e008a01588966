from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "contract_id", "models", "devices", "limits", "isa", "started_at", "openvino_version")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ISA_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    OPENVINO_VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    contract_id: str
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    devices: _containers.RepeatedCompositeFieldContainer[DeviceInfo]
    limits: Limits
    isa: str
    started_at: _timestamp_pb2.Timestamp
    openvino_version: str
    def __init__(self, version: _Optional[str] = ..., contract_id: _Optional[str] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., devices: _Optional[_Iterable[_Union[DeviceInfo, _Mapping]]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., isa: _Optional[str] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., openvino_version: _Optional[str] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("name", "task", "sha256", "licence", "device_requested", "device", "precision", "input_sizes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZES_FIELD_NUMBER: _ClassVar[int]
    name: str
    task: str
    sha256: str
    licence: str
    device_requested: str
    device: str
    precision: str
    input_sizes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., task: _Optional[str] = ..., sha256: _Optional[str] = ..., licence: _Optional[str] = ..., device_requested: _Optional[str] = ..., device: _Optional[str] = ..., precision: _Optional[str] = ..., input_sizes: _Optional[_Iterable[str]] = ...) -> None: ...

class DeviceInfo(_message.Message):
    __slots__ = ("name", "full_name")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    full_name: str
    def __init__(self, name: _Optional[str] = ..., full_name: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_message_bytes", "max_image_pixels", "max_faces", "max_images_per_enrol", "max_templates_per_subject", "max_pending_calls")
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGES_PER_ENROL_FIELD_NUMBER: _ClassVar[int]
    MAX_TEMPLATES_PER_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MAX_PENDING_CALLS_FIELD_NUMBER: _ClassVar[int]
    max_message_bytes: int
    max_image_pixels: int
    max_faces: int
    max_images_per_enrol: int
    max_templates_per_subject: int
    max_pending_calls: int
    def __init__(self, max_message_bytes: _Optional[int] = ..., max_image_pixels: _Optional[int] = ..., max_faces: _Optional[int] = ..., max_images_per_enrol: _Optional[int] = ..., max_templates_per_subject: _Optional[int] = ..., max_pending_calls: _Optional[int] = ...) -> None: ...

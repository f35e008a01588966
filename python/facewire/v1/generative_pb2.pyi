from facewire.v1 import face_pb2 as _face_pb2
from facewire.v1 import image_pb2 as _image_pb2
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

class RestoreFacesRequest(_message.Message):
    __slots__ = ("image", "options", "visible_mark")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_MARK_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: _recognition_pb2.DetectionOptions
    visible_mark: bool
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[_recognition_pb2.DetectionOptions, _Mapping]] = ..., visible_mark: bool = ...) -> None: ...

class RestoredFace(_message.Message):
    __slots__ = ("face", "image", "before")
    FACE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    image: SyntheticImage
    before: bytes
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., image: _Optional[_Union[SyntheticImage, _Mapping]] = ..., before: _Optional[bytes] = ...) -> None: ...

class RestoreFacesResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "model", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[RestoredFace]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: _recognition_pb2.ImageSize
    model: str
    times: _recognition_pb2.StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[RestoredFace, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[_recognition_pb2.ImageSize, _Mapping]] = ..., model: _Optional[str] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

class ReconstructFacesRequest(_message.Message):
    __slots__ = ("image", "options", "visible_mark")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_MARK_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: _recognition_pb2.DetectionOptions
    visible_mark: bool
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[_recognition_pb2.DetectionOptions, _Mapping]] = ..., visible_mark: bool = ...) -> None: ...

class ReconstructedFace(_message.Message):
    __slots__ = ("face", "image", "before", "psnr_db", "kl_nats", "face_likeness")
    FACE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    PSNR_DB_FIELD_NUMBER: _ClassVar[int]
    KL_NATS_FIELD_NUMBER: _ClassVar[int]
    FACE_LIKENESS_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    image: SyntheticImage
    before: bytes
    psnr_db: float
    kl_nats: float
    face_likeness: float
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., image: _Optional[_Union[SyntheticImage, _Mapping]] = ..., before: _Optional[bytes] = ..., psnr_db: _Optional[float] = ..., kl_nats: _Optional[float] = ..., face_likeness: _Optional[float] = ...) -> None: ...

class ReconstructFacesResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "model", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[ReconstructedFace]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: _recognition_pb2.ImageSize
    model: str
    times: _recognition_pb2.StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[ReconstructedFace, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[_recognition_pb2.ImageSize, _Mapping]] = ..., model: _Optional[str] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

class Latent(_message.Message):
    __slots__ = ("mean", "log_variance", "model")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    LOG_VARIANCE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    mean: _containers.RepeatedScalarFieldContainer[float]
    log_variance: _containers.RepeatedScalarFieldContainer[float]
    model: str
    def __init__(self, mean: _Optional[_Iterable[float]] = ..., log_variance: _Optional[_Iterable[float]] = ..., model: _Optional[str] = ...) -> None: ...

class EncodeLatentsRequest(_message.Message):
    __slots__ = ("image", "options")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: _recognition_pb2.DetectionOptions
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[_recognition_pb2.DetectionOptions, _Mapping]] = ...) -> None: ...

class EncodedLatent(_message.Message):
    __slots__ = ("face", "latent", "kl_nats")
    FACE_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    KL_NATS_FIELD_NUMBER: _ClassVar[int]
    face: _face_pb2.Face
    latent: Latent
    kl_nats: float
    def __init__(self, face: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., latent: _Optional[_Union[Latent, _Mapping]] = ..., kl_nats: _Optional[float] = ...) -> None: ...

class EncodeLatentsResponse(_message.Message):
    __slots__ = ("faces", "no_face_reason", "image_size", "times")
    FACES_FIELD_NUMBER: _ClassVar[int]
    NO_FACE_REASON_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[EncodedLatent]
    no_face_reason: _face_pb2.NoFaceReason
    image_size: _recognition_pb2.ImageSize
    times: _recognition_pb2.StageTimes
    def __init__(self, faces: _Optional[_Iterable[_Union[EncodedLatent, _Mapping]]] = ..., no_face_reason: _Optional[_Union[_face_pb2.NoFaceReason, str]] = ..., image_size: _Optional[_Union[_recognition_pb2.ImageSize, _Mapping]] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

class LatentSource(_message.Message):
    __slots__ = ("image", "latent")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    latent: Latent
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., latent: _Optional[_Union[Latent, _Mapping]] = ...) -> None: ...

class InterpolateFacesRequest(_message.Message):
    __slots__ = ("first", "last", "count", "visible_mark")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_MARK_FIELD_NUMBER: _ClassVar[int]
    first: LatentSource
    last: LatentSource
    count: int
    visible_mark: bool
    def __init__(self, first: _Optional[_Union[LatentSource, _Mapping]] = ..., last: _Optional[_Union[LatentSource, _Mapping]] = ..., count: _Optional[int] = ..., visible_mark: bool = ...) -> None: ...

class InterpolateFacesResponse(_message.Message):
    __slots__ = ("images", "model", "times")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    images: _containers.RepeatedCompositeFieldContainer[SyntheticImage]
    model: str
    times: _recognition_pb2.StageTimes
    def __init__(self, images: _Optional[_Iterable[_Union[SyntheticImage, _Mapping]]] = ..., model: _Optional[str] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

class AnonymiseFacesRequest(_message.Message):
    __slots__ = ("image", "options", "k", "visible_mark")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_MARK_FIELD_NUMBER: _ClassVar[int]
    image: _image_pb2.Image
    options: _recognition_pb2.DetectionOptions
    k: int
    visible_mark: bool
    def __init__(self, image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ..., options: _Optional[_Union[_recognition_pb2.DetectionOptions, _Mapping]] = ..., k: _Optional[int] = ..., visible_mark: bool = ...) -> None: ...

class AnonymiseFacesResponse(_message.Message):
    __slots__ = ("image", "faces", "replaced", "pixelated", "k", "model", "times")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    PIXELATED_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    image: SyntheticImage
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    replaced: int
    pixelated: int
    k: int
    model: str
    times: _recognition_pb2.StageTimes
    def __init__(self, image: _Optional[_Union[SyntheticImage, _Mapping]] = ..., faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., replaced: _Optional[int] = ..., pixelated: _Optional[int] = ..., k: _Optional[int] = ..., model: _Optional[str] = ..., times: _Optional[_Union[_recognition_pb2.StageTimes, _Mapping]] = ...) -> None: ...

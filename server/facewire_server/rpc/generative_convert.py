"""Between the messages of the generative service and the domain's values."""

from __future__ import annotations

import io

import numpy as np
from google.protobuf.message import Message
from PIL import Image

from facewire import synthetic
from facewire.v1 import generative_pb2 as pb
from facewire.v1 import recognition_pb2
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Frame, Pixels
from facewire_server.domain.latent import Latent
from facewire_server.engine import Engine, Limits
from facewire_server.pipeline.generating import GeneratedFaces
from facewire_server.pipeline.recognizer import Call, DetectionOptions, largest_face
from facewire_server.rpc import convert

_BESIDE = 4096  # bytes that are still to come: times


def generated(faces: GeneratedFaces) -> pb.GenerateFacesResponse:
    """Faces of nobody."""
    size = recognition_pb2.ImageSize(width=faces.size, height=faces.size)
    images = [
        pb.SyntheticImage(encoded=file, size=size, digital_source_type=synthetic.MADE_BY_MODEL) for file in faces.files
    ]
    return pb.GenerateFacesResponse(images=images, seed=faces.seed, model=faces.model)


def made(file: bytes, pixels: Pixels) -> pb.SyntheticImage:
    """A picture that a model made."""
    return _picture(file, pixels, synthetic.MADE_BY_MODEL)


def changed(file: bytes, pixels: Pixels) -> pb.SyntheticImage:
    """A picture of which a model made parts."""
    return _picture(file, pixels, synthetic.CHANGED_BY_MODEL)


def _picture(file: bytes, pixels: Pixels, source: str) -> pb.SyntheticImage:
    size = recognition_pb2.ImageSize(width=pixels.shape[1], height=pixels.shape[0])
    return pb.SyntheticImage(encoded=file, size=size, digital_source_type=source)


def as_seen(frame: Frame, pixels: Pixels) -> bytes:
    """A PNG file of a part of a picture, marked as that one is."""
    if frame.synthetic:
        return synthetic.marked_png(pixels, "facewire", source=synthetic.CHANGED_BY_MODEL)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def latent_message(latent: Latent) -> pb.Latent:
    """What stands for a face."""
    return pb.Latent(mean=latent.mean.tolist(), log_variance=latent.log_variance.tolist(), model=latent.model)


def latent_of(source: pb.LatentSource, field: str, engine: Engine, call: Call) -> FloatArray:
    """The latent that a caller sent, or that of the largest face of a picture.

    Raises:
        InvalidArgument: neither is set; the latent is of another model; there is no face.
        InvalidImage: the picture cannot be decoded.
    """
    kind = source.WhichOneof("source")
    if kind is None:
        raise InvalidArgument(field, "is missing: set image or latent")
    if kind == "latent":
        mean = np.array(source.latent.mean, dtype=np.float32)
        engine.coder.require(mean, source.latent.model, f"{field}.latent")
        return mean
    data = convert.image_bytes(source.image, f"{field}.image")
    with call.clock.stage("decode"):
        frame = convert.frame_of(source.image, data, engine.limits, f"{field}.image")
    found = engine.recognizer.detect(frame, engine.enrolment_options(), call)
    encoded = engine.coder.encode(frame, largest_face(found.faces), call)
    if not encoded:
        raise InvalidArgument(f"{field}.image", "shows no face that can be encoded")
    return encoded[0].latent.mean


def every_face(options: recognition_pb2.DetectionOptions, limits: Limits) -> DetectionOptions:
    """As for other calls, but that faces of any size count where the caller does not say otherwise."""
    asked = recognition_pb2.DetectionOptions()
    asked.CopyFrom(options)
    if not asked.HasField("min_face_px"):
        asked.min_face_px = 0.0
    return convert.detection_options(asked, limits)


def require_small(response: Message, limits: Limits) -> None:
    """Whether an answer can be sent; raises InvalidArgument."""
    size, most = response.ByteSize(), limits.max_message_bytes - _BESIDE
    if size > most:
        raise InvalidArgument(
            "image",
            f"makes an answer of {size / 2**20:.1f} MiB, {most / 2**20:.1f} can be sent (server.max_message_mib): send "
            "a smaller picture, or ask for fewer faces",
        )

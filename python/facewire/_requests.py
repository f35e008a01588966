"""Every unary call as a value: method, request, how to read the answer. Both clients send these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np

from facewire import _parse, _parse_analysis, _parse_stream, results
from facewire import stream_results as streams
from facewire.analysis import Analysis
from facewire.images import ImageLike, image_message
from facewire.liveness import LivenessCheck
from facewire.server_info import ServerInfo
from facewire.v1 import admin_pb2, face_pb2, recognition_pb2, stream_pb2

T = TypeVar("T")
VerifySideLike = ImageLike | results.Embedding | results.SubjectReference
ProbeLike = ImageLike | results.Embedding

_CHECKS: Final[Mapping[LivenessCheck | None, face_pb2.LivenessCheck]] = {
    None: face_pb2.LIVENESS_CHECK_UNSPECIFIED,
    "report": face_pb2.LIVENESS_CHECK_REPORT,
    "require": face_pb2.LIVENESS_CHECK_REQUIRE,
}


@dataclass(frozen=True, slots=True)
class Unary(Generic[T]):
    """A call. All are safe to repeat: reads change nothing, writes carry an idempotency key.

    Attributes:
        method: full path.
        request: the message.
        response: its answer's class.
        parse: from that to a result.
    """

    method: str
    request: Any
    response: Any
    parse: Callable[[Any], T]


def _recognition(name: str, request: Any, response: Any, parse: Callable[[Any], T]) -> Unary[T]:
    return Unary(f"/facewire.v1.RecognitionService/{name}", request, response, parse)


def detection_options(
    min_score: float | None, min_face_px: float | None, max_faces: int
) -> recognition_pb2.DetectionOptions:
    return recognition_pb2.DetectionOptions(min_score=min_score, min_face_px=min_face_px, max_faces=max_faces)


def detect(
    image: ImageLike, min_score: float | None, min_face_px: float | None, max_faces: int
) -> Unary[results.Detections]:
    request = recognition_pb2.DetectFacesRequest(
        image=image_message(image), options=detection_options(min_score, min_face_px, max_faces)
    )
    return _recognition("DetectFaces", request, recognition_pb2.DetectFacesResponse, _parse.detections)


def embed(
    image: ImageLike,
    min_score: float | None,
    min_face_px: float | None,
    max_faces: int,
    looks: int,
    allow_synthetic: bool,
) -> Unary[results.Embeddings]:
    request = recognition_pb2.EmbedFacesRequest(
        image=image_message(image),
        options=detection_options(min_score, min_face_px, max_faces),
        looks=looks,
        allow_synthetic=allow_synthetic,
    )
    return _recognition("EmbedFaces", request, recognition_pb2.EmbedFacesResponse, _parse.embeddings)


def embedding_message(embedding: results.Embedding) -> face_pb2.Embedding:
    """An embedding on the wire."""
    values = np.asarray(embedding.values, dtype=np.float32).ravel()
    return face_pb2.Embedding(values=values.tolist(), contract_id=embedding.contract_id)


def side_message(side: VerifySideLike) -> recognition_pb2.VerifySide:
    """A side of a verification on the wire."""
    if isinstance(side, results.Embedding):
        return recognition_pb2.VerifySide(embedding=embedding_message(side))
    if isinstance(side, results.SubjectReference):
        reference = recognition_pb2.SubjectReference(gallery_id=side.gallery_id, subject_id=side.subject_id)
        return recognition_pb2.VerifySide(subject=reference)
    return recognition_pb2.VerifySide(image=image_message(side))


def liveness_check(check: LivenessCheck | None) -> face_pb2.LivenessCheck:
    """What is asked for, on the wire."""
    if check not in _CHECKS:
        raise ValueError(f"liveness must be report or require, not {check!r}")
    return _CHECKS[check]


def analyze(
    image: ImageLike, min_score: float | None, min_face_px: float | None, max_faces: int, per_person: bool
) -> Unary[Analysis]:
    request = recognition_pb2.AnalyzeFacesRequest(
        image=image_message(image), options=detection_options(min_score, min_face_px, max_faces), per_person=per_person
    )
    return _recognition("AnalyzeFaces", request, recognition_pb2.AnalyzeFacesResponse, _parse_analysis.analysis_of)


def verify(
    probe: VerifySideLike,
    reference: VerifySideLike,
    min_similarity: float | None,
    liveness: LivenessCheck | None,
    allow_synthetic: bool,
) -> Unary[results.Verification]:
    request = recognition_pb2.VerifyFacesRequest(
        probe=side_message(probe),
        reference=side_message(reference),
        min_similarity=min_similarity,
        liveness_check=liveness_check(liveness),
        allow_synthetic=allow_synthetic,
    )
    return _recognition("VerifyFaces", request, recognition_pb2.VerifyFacesResponse, _parse.verification)


def identify(
    gallery_id: str,
    probe: ProbeLike,
    min_score: float | None,
    min_face_px: float | None,
    max_faces: int,
    max_candidates: int,
    min_similarity: float | None,
    liveness: LivenessCheck | None,
    allow_synthetic: bool,
) -> Unary[results.Identifications]:
    request = recognition_pb2.IdentifyFacesRequest(
        gallery_id=gallery_id,
        options=detection_options(min_score, min_face_px, max_faces),
        max_candidates=max_candidates,
        min_similarity=min_similarity,
        liveness_check=liveness_check(liveness),
        allow_synthetic=allow_synthetic,
    )
    if isinstance(probe, results.Embedding):
        request.embedding.CopyFrom(embedding_message(probe))
    else:
        request.image.CopyFrom(image_message(probe))
    return _recognition("IdentifyFaces", request, recognition_pb2.IdentifyFacesResponse, _parse.identifications)


def server_info() -> Unary[ServerInfo]:
    return Unary(
        "/facewire.v1.AdminService/GetServerInfo",
        admin_pb2.GetServerInfoRequest(),
        admin_pb2.GetServerInfoResponse,
        _parse.server_info,
    )


def list_streams() -> Unary[list[streams.StreamInfo]]:
    return Unary(
        "/facewire.v1.StreamService/ListStreams",
        stream_pb2.ListStreamsRequest(),
        stream_pb2.ListStreamsResponse,
        lambda m: [_parse_stream.stream_info(info) for info in m.streams],
    )


def best_shot(stream_id: str, track_id: int) -> Unary[streams.BestShot]:
    return Unary(
        "/facewire.v1.StreamService/GetBestShot",
        stream_pb2.GetBestShotRequest(stream_id=stream_id, track_id=track_id),
        stream_pb2.GetBestShotResponse,
        lambda m: _parse_stream.best_shot(m.best_shot),
    )

"""RecognitionService."""

from __future__ import annotations

from facewire.v1 import face_pb2, recognition_pb2_grpc
from facewire.v1 import recognition_pb2 as pb
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery import require_identifier
from facewire_server.engine import Engine, EngineSlot
from facewire_server.pipeline.analysis import Analysis
from facewire_server.pipeline.recognizer import (
    CLOSE_LOOKS,
    MIRRORED_LOOKS,
    Call,
    DetectedFaces,
    GivenEmbedding,
    IdentifiedFaces,
    Side,
    SideReport,
    SubjectTemplates,
    Verification,
)
from facewire_server.rpc import analysis_convert, convert
from facewire_server.rpc.call import Context, on_worker

_DEFAULT_CANDIDATES = 3
_MAX_CANDIDATES = 100


class RecognitionServicer(recognition_pb2_grpc.RecognitionServiceServicer):
    """Answers about single pictures."""

    def __init__(self, slot: EngineSlot) -> None:
        self._slot = slot

    async def DetectFaces(  # noqa: N802 - gRPC's name
        self, request: pb.DetectFacesRequest, context: Context
    ) -> pb.DetectFacesResponse:
        """Where faces are."""
        engine = self._slot.engine
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.DetectFacesResponse:
            with call.clock.stage("decode"):
                frame = convert.frame_of(request.image, data, engine.limits)
            found = engine.recognizer.detect(frame, options, call)
            return pb.DetectFacesResponse(
                faces=convert.face_messages(found.faces, found.quality),
                no_face_reason=convert.no_face_message(found.no_face_reason),
                image_size=convert.size_message(frame),
            )

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def EmbedFaces(  # noqa: N802
        self, request: pb.EmbedFacesRequest, context: Context
    ) -> pb.EmbedFacesResponse:
        """Faces and their embeddings."""
        engine = self._slot.engine
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)
        if request.looks > MIRRORED_LOOKS:
            raise InvalidArgument("looks", f"must be from 1 to {MIRRORED_LOOKS}, or 0 for the default")

        def work(call: Call) -> pb.EmbedFacesResponse:
            with call.clock.stage("decode"):
                frame = convert.comparable_frame(
                    request.image, data, engine.limits, allow_synthetic=request.allow_synthetic
                )
            found = engine.recognizer.embed(frame, options, call, request.looks or CLOSE_LOOKS)
            contract_id = engine.recognizer.contract_id
            response = pb.EmbedFacesResponse(
                no_face_reason=convert.no_face_message(found.no_face_reason),
                image_size=convert.size_message(frame),
            )
            faces = convert.encoded_messages(found.encoded)
            for face, vector in zip(faces, found.encoded.embeddings.tolist(), strict=True):
                embedded = response.faces.add(face=face)
                embedded.embedding.values.extend(vector)
                embedded.embedding.contract_id = contract_id
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def VerifyFaces(  # noqa: N802
        self, request: pb.VerifyFacesRequest, context: Context
    ) -> pb.VerifyFacesResponse:
        """Is this the person he claims to be?"""
        engine = self._slot.engine
        threshold = convert.min_similarity_of(request)
        asked = analysis_convert.liveness_check(request.liveness_check)
        options = engine.enrolment_options()

        def work(call: Call) -> pb.VerifyFacesResponse:
            allowed = request.allow_synthetic
            probe = side_of(request.probe, "probe", engine, call, allow_synthetic=allowed)
            reference = side_of(request.reference, "reference", engine, call, allow_synthetic=allowed)
            answer = engine.recognizer.verify(probe, reference, options, threshold, call, asked)
            return _verification(answer, engine, request)

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def IdentifyFaces(  # noqa: N802
        self, request: pb.IdentifyFacesRequest, context: Context
    ) -> pb.IdentifyFacesResponse:
        """Who of the gallery is this, if anyone?"""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        options = convert.detection_options(request.options, engine.limits)
        threshold = convert.min_similarity_of(request)
        asked = analysis_convert.liveness_check(request.liveness_check)
        if request.max_candidates > _MAX_CANDIDATES:
            raise InvalidArgument("max_candidates", f"must be at most {_MAX_CANDIDATES}")
        candidates = request.max_candidates or _DEFAULT_CANDIDATES
        kind = request.WhichOneof("probe")
        if kind is None:
            raise InvalidArgument("probe", "is missing: set image or embedding")
        data = convert.image_bytes(request.image) if kind == "image" else b""

        def work(call: Call) -> pb.IdentifyFacesResponse:
            probe: Frame | GivenEmbedding
            if kind == "image":
                with call.clock.stage("decode"):
                    probe = convert.comparable_frame(
                        request.image, data, engine.limits, allow_synthetic=request.allow_synthetic
                    )
            else:
                probe = convert.given_embedding(request.embedding)
            answer = engine.recognizer.identify(probe, gallery_id, options, candidates, threshold, call, asked)
            response = _identification(answer, engine, gallery_id)
            if isinstance(probe, Frame):
                response.image_size.CopyFrom(convert.size_message(probe))
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def AnalyzeFaces(  # noqa: N802
        self, request: pb.AnalyzeFacesRequest, context: Context
    ) -> pb.AnalyzeFacesResponse:
        """What faces look like."""
        engine = self._slot.engine
        engine.analyzer.require(per_person=request.per_person)
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.AnalyzeFacesResponse:
            with call.clock.stage("decode"):
                frame = convert.frame_of(request.image, data, engine.limits)
            found = engine.recognizer.detect(frame, options, call)
            call.budget.check()
            analysis = engine.analyzer.analyse(frame, found.faces, call.clock, per_person=request.per_person)
            return _analysis(found, analysis, frame)

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response


def _analysis(found: DetectedFaces, analysis: Analysis, frame: Frame) -> pb.AnalyzeFacesResponse:
    faces = [pb.AnalyzedFace(face=face) for face in convert.face_messages(found.faces, found.quality)]
    for face, attributes in zip(faces, analysis.attributes, strict=False):
        face.attributes.CopyFrom(analysis_convert.attributes_message(attributes))
    for face, pose in zip(faces, analysis.poses, strict=False):
        face.head_pose.CopyFrom(analysis_convert.pose_message(pose))
    for face, liveness in zip(faces, analysis.liveness, strict=False):
        face.liveness.CopyFrom(analysis_convert.liveness_message(liveness))
    return pb.AnalyzeFacesResponse(
        faces=faces,
        figures=analysis_convert.figures_message(analysis.figures),
        no_face_reason=convert.no_face_message(found.no_face_reason),
        image_size=convert.size_message(frame),
    )


def side_of(
    side: pb.VerifySide, field: str, engine: Engine, call: Call, *, allow_synthetic: bool | None = None
) -> Side:
    """A side of a verification, its picture decoded; raises InvalidArgument."""
    kind = side.WhichOneof("side")
    if kind == "image":
        with call.clock.stage("decode"):
            data = convert.image_bytes(side.image, f"{field}.image")
            return convert.comparable_frame(
                side.image, data, engine.limits, f"{field}.image", allow_synthetic=allow_synthetic
            )
    if kind == "embedding":
        return convert.given_embedding(side.embedding)
    if kind == "subject":
        return SubjectTemplates(
            require_identifier(f"{field}.subject.gallery_id", side.subject.gallery_id),
            require_identifier(f"{field}.subject.subject_id", side.subject.subject_id),
        )
    raise InvalidArgument(field, "is missing: set image, embedding or subject")


def gallery_of(*sides: pb.VerifySide) -> str:
    """Of the first of these sides that is a subject; empty where none is."""
    return next((side.subject.gallery_id for side in sides if side.WhichOneof("side") == "subject"), "")


def _verification(answer: Verification, engine: Engine, request: pb.VerifyFacesRequest) -> pb.VerifyFacesResponse:
    calibration = engine.recognizer.calibration(gallery_of(request.reference, request.probe))
    known = answer.similarity is not None and calibration is not None
    return pb.VerifyFacesResponse(
        decision=convert.decision_message(answer.decision),
        similarity=answer.similarity,
        min_similarity=answer.threshold,
        estimated_fmr=calibration.fmr(answer.similarity or 0.0) if known and calibration else None,
        probe=side_report(answer.probe),
        reference=side_report(answer.reference),
    )


def side_report(report: SideReport) -> pb.VerifySideReport:
    """What was seen in a side that was a picture."""
    faces = convert.encoded_messages(report.faces) if report.faces is not None else []
    return pb.VerifySideReport(
        face=faces[0] if faces else None,
        no_face_reason=convert.no_face_message(report.no_face_reason),
        faces_found=report.faces_found,
        liveness=None if report.liveness is None else analysis_convert.liveness_message(report.liveness),
    )


def _identification(answer: IdentifiedFaces, engine: Engine, gallery_id: str) -> pb.IdentifyFacesResponse:
    faces = [None] if answer.encoded is None else convert.encoded_messages(answer.encoded)
    calibration = engine.recognizer.calibration(gallery_id)
    living: list[face_pb2.Liveness | None] = [None] * len(faces)
    if answer.liveness is not None:
        living = [analysis_convert.liveness_message(each) for each in answer.liveness]
    return pb.IdentifyFacesResponse(
        faces=[
            convert.identification_message(identification, face, calibration, each)
            for identification, face, each in zip(answer.identifications, faces, living, strict=True)
        ],
        no_face_reason=convert.no_face_message(answer.no_face_reason),
        min_similarity=answer.threshold,
    )

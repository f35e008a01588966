"""EnrolFaces: pictures on a worker thread, then one write on the store's thread."""

from __future__ import annotations

from facewire.v1 import gallery_pb2 as pb
from facewire_server.domain.errors import ContractMismatch, InvalidArgument, InvalidImage
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery import (
    EnrolledFace,
    Refusal,
    Subject,
    require_identifier,
    require_text,
)
from facewire_server.domain.ports import EnrolResult
from facewire_server.engine import Engine
from facewire_server.pipeline.enrolment import Examined
from facewire_server.pipeline.recognizer import Call
from facewire_server.rpc import convert
from facewire_server.rpc.call import Context, intent_of, on_worker


async def enrol_faces(
    engine: Engine, request: pb.EnrolFacesRequest, context: Context, now_ms: int
) -> pb.EnrolFacesResponse:
    """Examines the pictures and enrols those that pass the gate.

    Raises:
        DomainError: the request as a whole is refused; a single picture's refusal is part of the answer.
    """
    gallery_id = require_identifier("gallery_id", request.gallery_id)
    subject = _subject_of(request, now_ms)
    if request.negative and request.create_subject:
        raise InvalidArgument(
            "create_subject", "must not be set with negative: who is mistaken for whom must be enrolled"
        )
    _check_images(request, engine.limits.max_images_per_enrol)
    intent = intent_of(context, request.idempotency_key, request)
    # Before the pictures are worked on: a repeated request, or a gallery that is not there.
    remembered = await engine.store.run(lambda: engine.galleries.recall(intent))
    if remembered is not None:
        return pb.EnrolFacesResponse.FromString(remembered)
    await engine.store.run(lambda: _check_target(engine, gallery_id, request))

    def examine(call: Call) -> list[Examined]:
        seen = [_examine_one(engine, image, request, call) for image in request.images]
        if request.negative:
            return seen
        return [engine.enroller.compare(each, gallery_id, subject.subject_id) for each in seen]

    examined, _ = await on_worker(engine, context, examine)
    templates = [e.template for e in examined if e.template is not None]

    def respond(result: EnrolResult) -> pb.EnrolFacesResponse:
        return _response(request, examined, result)

    def write() -> pb.EnrolFacesResponse:
        again = engine.galleries.recall(intent)
        if again is not None:
            return pb.EnrolFacesResponse.FromString(again)
        result = engine.faces.enrol(
            gallery_id,
            subject,
            templates,
            create_subject=request.create_subject,
            contract_id=engine.recognizer.contract_id,
            intent=intent,
            remember=lambda made: respond(made).SerializeToString(),
        )
        return respond(result)

    return await engine.store.run(write)


def _subject_of(request: pb.EnrolFacesRequest, now_ms: int) -> Subject:
    subject_id = require_identifier("subject_id", request.subject_id)
    name = require_text("display_name", request.display_name) or subject_id
    return Subject(subject_id, name, (), {}, now_ms, now_ms, 0)


def _check_images(request: pb.EnrolFacesRequest, most: int) -> None:
    if not request.images:
        raise InvalidArgument("images", "is empty")
    if len(request.images) > most:
        raise InvalidArgument("images", f"has {len(request.images)} entries, at most {most} are allowed")
    for number, image in enumerate(request.images):
        require_text(f"images[{number}].source_name", image.source_name)


def _check_target(engine: Engine, gallery_id: str, request: pb.EnrolFacesRequest) -> None:
    gallery = engine.galleries.get(gallery_id)
    if gallery.contract_id != engine.recognizer.contract_id:
        raise ContractMismatch(gallery.contract_id, engine.recognizer.contract_id, "a new template")
    if not request.create_subject:
        engine.subjects.get(gallery_id, request.subject_id)


def _examine_one(engine: Engine, image: pb.EnrolImage, request: pb.EnrolFacesRequest, call: Call) -> Examined:
    call.budget.check()
    picture: Frame | InvalidImage
    data = b""
    try:
        data = convert.image_bytes(image.image)
        with call.clock.stage("decode"):
            picture = convert.frame_of(image.image, data, engine.limits)
    except InvalidImage as error:
        picture = error
    return engine.enroller.examine(
        picture,
        data,
        image.source_name,
        request.use_largest_face,
        engine.enrolment_options(),
        call,
        negative=request.negative,
        allow_synthetic=request.allow_synthetic,
    )


def _response(request: pb.EnrolFacesRequest, examined: list[Examined], result: EnrolResult) -> pb.EnrolFacesResponse:
    response = pb.EnrolFacesResponse(subject=convert.subject_message(result.subject))
    stored = iter(result.outcomes)
    for image, seen in zip(request.images, examined, strict=True):
        outcome: EnrolledFace | Refusal | None = seen.refusal
        if seen.template is not None:
            outcome = next(stored)
        face = convert.encoded_messages(seen.face)[0] if seen.face is not None else None
        message = response.outcomes.add(source_name=image.source_name, face=face)
        if seen.look_alike is not None:
            message.look_alike_subject_id = seen.look_alike.subject_id
            message.look_alike_similarity = seen.look_alike.similarity
        if isinstance(outcome, EnrolledFace):
            message.enrolled.CopyFrom(convert.enrolled_message(outcome))
        elif outcome is not None:
            message.refusal = convert.refusal_message(outcome.reason)
            message.detail = outcome.detail
    return response

"""GalleryService."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from google.protobuf.message import Message

from facewire.v1 import gallery_pb2 as pb
from facewire.v1 import gallery_pb2_grpc
from facewire_server.domain.errors import DomainError, NotFound
from facewire_server.domain.gallery import (
    Gallery,
    Subject,
    SubjectChange,
    WriteIntent,
    require_attributes,
    require_idempotency_key,
    require_identifier,
    require_labels,
    require_text,
)
from facewire_server.domain.gallery_calibration import GalleryFacts
from facewire_server.domain.ports import Remember
from facewire_server.engine import Engine, EngineSlot
from facewire_server.rpc import convert
from facewire_server.rpc.calibration import calibrate_gallery, calibration_message
from facewire_server.rpc.call import Context, intent_of, peer_of
from facewire_server.rpc.enrolment import enrol_faces
from facewire_server.rpc.pages import page_of
from facewire_server.rpc.review import review_gallery
from facewire_server.rpc.status import code_name
from facewire_server.rpc.upload import receive

T = TypeVar("T")
M = TypeVar("M", bound=Message)
_EXPORT_CHUNK_BYTES = 1 << 20


class GalleryServicer(gallery_pb2_grpc.GalleryServiceServicer):
    """Who is enrolled."""

    def __init__(self, slot: EngineSlot, now_ms: Callable[[], int]) -> None:
        self._slot = slot
        self._now_ms = now_ms

    # --- galleries ------------------------------------------------------------------------------------------

    async def CreateGallery(  # noqa: N802 - gRPC's names, here and below
        self, request: pb.CreateGalleryRequest, context: Context
    ) -> pb.CreateGalleryResponse:
        """Makes an empty gallery, pinned to this server's contract."""
        engine = self._slot.engine
        gallery = Gallery(
            require_identifier("gallery_id", request.gallery_id),
            require_text("display_name", request.display_name) or request.gallery_id,
            engine.recognizer.contract_id,
            self._now_ms(),
            0,
            0,
        )
        intent = intent_of(context, request.idempotency_key, request)
        dim = engine.recognizer.dim
        return await _write(
            engine,
            intent,
            pb.CreateGalleryResponse,
            lambda remember: engine.galleries.create(gallery, dim, intent, remember),
            lambda made: pb.CreateGalleryResponse(gallery=_gallery(made, engine)),
        )

    async def GetGallery(  # noqa: N802
        self, request: pb.GetGalleryRequest, context: Context
    ) -> pb.GetGalleryResponse:
        """One gallery."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        gallery = await engine.store.run(lambda: engine.galleries.get(gallery_id))
        return pb.GetGalleryResponse(gallery=_gallery(gallery, engine))

    async def ListGalleries(  # noqa: N802
        self, request: pb.ListGalleriesRequest, context: Context
    ) -> pb.ListGalleriesResponse:
        """A page of galleries."""
        engine = self._slot.engine
        page = page_of(request)
        galleries, token = await engine.store.run(lambda: engine.galleries.list(page))
        return pb.ListGalleriesResponse(
            galleries=[_gallery(gallery, engine) for gallery in galleries], next_page_token=token
        )

    async def DeleteGallery(  # noqa: N802
        self, request: pb.DeleteGalleryRequest, context: Context
    ) -> pb.DeleteGalleryResponse:
        """Erases a gallery."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        intent = intent_of(context, request.idempotency_key, request)
        erasure = _write(
            engine,
            intent,
            pb.DeleteGalleryResponse,
            lambda remember: engine.galleries.delete(gallery_id, intent, remember),
            lambda gone: pb.DeleteGalleryResponse(deleted_subjects=gone[0], deleted_faces=gone[1]),
        )
        return await _also_from_events(engine, erasure, gallery_id)

    # --- subjects -------------------------------------------------------------------------------------------

    async def CreateSubject(  # noqa: N802
        self, request: pb.CreateSubjectRequest, context: Context
    ) -> pb.CreateSubjectResponse:
        """Makes a subject without templates."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        subject = _new_subject(request.subject, self._now_ms())
        intent = intent_of(context, request.idempotency_key, request)
        return await _write(
            engine,
            intent,
            pb.CreateSubjectResponse,
            lambda remember: engine.subjects.create(gallery_id, subject, intent, remember),
            lambda made: pb.CreateSubjectResponse(subject=convert.subject_message(made)),
        )

    async def GetSubject(  # noqa: N802
        self, request: pb.GetSubjectRequest, context: Context
    ) -> pb.GetSubjectResponse:
        """One subject."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        subject_id = require_identifier("subject_id", request.subject_id)
        subject = await engine.store.run(lambda: engine.subjects.get(gallery_id, subject_id))
        return pb.GetSubjectResponse(subject=convert.subject_message(subject))

    async def ListSubjects(  # noqa: N802
        self, request: pb.ListSubjectsRequest, context: Context
    ) -> pb.ListSubjectsResponse:
        """A page of subjects."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        page, label = page_of(request), request.label
        subjects, token = await engine.store.run(lambda: engine.subjects.list(gallery_id, label, page))
        return pb.ListSubjectsResponse(
            subjects=[convert.subject_message(subject) for subject in subjects],
            next_page_token=token,
        )

    async def UpdateSubject(  # noqa: N802
        self, request: pb.UpdateSubjectRequest, context: Context
    ) -> pb.UpdateSubjectResponse:
        """Changes a subject's own fields."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        subject_id = require_identifier("subject_id", request.subject_id)
        change = _change_of(request)
        intent = intent_of(context, request.idempotency_key, request)
        return await _write(
            engine,
            intent,
            pb.UpdateSubjectResponse,
            lambda remember: engine.subjects.update(gallery_id, subject_id, change, intent, remember),
            lambda changed: pb.UpdateSubjectResponse(subject=convert.subject_message(changed)),
        )

    async def DeleteSubject(  # noqa: N802
        self, request: pb.DeleteSubjectRequest, context: Context
    ) -> pb.DeleteSubjectResponse:
        """Erases a subject."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        subject_id = require_identifier("subject_id", request.subject_id)
        intent = intent_of(context, request.idempotency_key, request)
        erasure = _write(
            engine,
            intent,
            pb.DeleteSubjectResponse,
            lambda remember: engine.subjects.delete(gallery_id, subject_id, intent, remember),
            lambda faces: pb.DeleteSubjectResponse(deleted_faces=faces),
        )
        return await _also_from_events(engine, erasure, gallery_id, subject_id)

    # --- faces ----------------------------------------------------------------------------------------------

    async def EnrolFaces(  # noqa: N802
        self, request: pb.EnrolFacesRequest, context: Context
    ) -> pb.EnrolFacesResponse:
        """Several pictures of one subject."""
        return await enrol_faces(self._slot.engine, request, context, self._now_ms())

    async def BatchEnrol(  # noqa: N802
        self, requests: AsyncIterator[pb.BatchEnrolRequest], context: Context
    ) -> AsyncIterator[pb.BatchEnrolResponse]:
        """Many subjects on one stream, answered one by one: gRPC's flow control holds the sender back."""
        index = 0
        async for request in requests:
            response = pb.BatchEnrolResponse(index=index)
            try:
                enrolled = await enrol_faces(self._slot.engine, request.enrol, context, self._now_ms())
                response.enrolled.CopyFrom(enrolled)
            except DomainError as error:
                response.error.code, response.error.message = code_name(error), str(error)
            yield response
            index += 1

    async def ListFaces(  # noqa: N802
        self, request: pb.ListFacesRequest, context: Context
    ) -> pb.ListFacesResponse:
        """A page of templates."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        subject_id = request.subject_id and require_identifier("subject_id", request.subject_id)
        page = page_of(request)
        faces, token = await engine.store.run(lambda: engine.faces.list(gallery_id, subject_id, page))
        return pb.ListFacesResponse(faces=[convert.enrolled_message(face) for face in faces], next_page_token=token)

    async def DeleteFace(  # noqa: N802
        self, request: pb.DeleteFaceRequest, context: Context
    ) -> pb.DeleteFaceResponse:
        """Erases one template."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        face_id = require_identifier("face_id", request.face_id)
        intent = intent_of(context, request.idempotency_key, request)
        return await _write(
            engine,
            intent,
            pb.DeleteFaceResponse,
            lambda remember: engine.faces.delete(gallery_id, face_id, intent, remember),
            lambda _: pb.DeleteFaceResponse(),
        )

    # --- files ----------------------------------------------------------------------------------------------

    async def ExportGallery(  # noqa: N802
        self, request: pb.ExportGalleryRequest, context: Context
    ) -> AsyncIterator[pb.ExportGalleryResponse]:
        """The gallery as a file, in pieces."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        pieces = engine.transfer.export(gallery_id, peer_of(context))
        while (piece := await engine.store.run(lambda: next(pieces, None))) is not None:
            for start in range(0, len(piece), _EXPORT_CHUNK_BYTES):
                yield pb.ExportGalleryResponse(data=piece[start : start + _EXPORT_CHUNK_BYTES])

    async def ImportGallery(  # noqa: N802
        self, requests: AsyncIterator[pb.ImportGalleryRequest], context: Context
    ) -> pb.ImportGalleryResponse:
        """Makes a gallery from a file, whole or not at all."""
        engine = self._slot.engine
        # Has no name from the start: templates must not lie about if the process dies.
        with tempfile.TemporaryFile(dir=engine.limits.spool_dir) as spool:
            target, digest = await receive(requests, spool, engine.limits.max_import_bytes)
            gallery_id = target.gallery_id
            if gallery_id:
                require_identifier("target.gallery_id", gallery_id)
            intent = WriteIntent(peer_of(context), require_idempotency_key(target.idempotency_key), digest)
            contract_id = engine.recognizer.contract_id
            return await _write(
                engine,
                intent,
                pb.ImportGalleryResponse,
                lambda remember: engine.transfer.import_file(
                    spool, gallery_id, contract_id, engine.recognizer.dim, intent, remember
                ),
                lambda made: pb.ImportGalleryResponse(gallery=_gallery(made, engine)),
            )

    # --- error rates ----------------------------------------------------------------------------------------

    async def Calibrate(  # noqa: N802
        self, request: pb.CalibrateRequest, context: Context
    ) -> pb.CalibrateResponse:
        """Measures the gallery's own error rates."""
        return await calibrate_gallery(self._slot.engine, request, context, self._now_ms())

    async def ReviewGallery(  # noqa: N802
        self, request: pb.ReviewGalleryRequest, context: Context
    ) -> pb.ReviewGalleryResponse:
        """What the gallery's owner should look at."""
        return await review_gallery(self._slot.engine, request, context)

    async def DeleteCalibration(  # noqa: N802
        self, request: pb.DeleteCalibrationRequest, context: Context
    ) -> pb.DeleteCalibrationResponse:
        """Back to the embedder's own."""
        engine = self._slot.engine
        gallery_id = require_identifier("gallery_id", request.gallery_id)
        intent = intent_of(context, request.idempotency_key, request)
        return await _write(
            engine,
            intent,
            pb.DeleteCalibrationResponse,
            lambda remember: engine.calibrations.delete(gallery_id, intent, remember),
            lambda _: pb.DeleteCalibrationResponse(),
        )


async def _also_from_events(
    engine: Engine, erasure: Coroutine[Any, Any, T], gallery_id: str, subject_id: str = ""
) -> T:
    """The erasure's answer, given when the events are rid of the names too.

    Both go to their end even if the caller goes away. A repetition that finds nothing left to erase in the gallery may
    still find names in the events.
    """

    async def both() -> T:
        try:
            return await erasure
        finally:
            if not _is_there(engine, gallery_id, subject_id):
                await asyncio.to_thread(engine.events.forget, gallery_id, subject_id)

    return await asyncio.shield(asyncio.create_task(both()))


def _is_there(engine: Engine, gallery_id: str, subject_id: str) -> bool:
    if subject_id:
        return engine.live.knows(gallery_id, subject_id)
    try:
        engine.live.facts(gallery_id)
    except NotFound:
        return False
    return True


async def _write(
    engine: Engine,
    intent: WriteIntent,
    kind: type[M],
    act: Callable[[Remember[T]], T],
    respond: Callable[[T], M],
) -> M:
    """Writes on the store's thread, unless this very request was answered before: then that answer again."""

    def replay_or_write() -> M:
        remembered = engine.galleries.recall(intent)
        if remembered is not None:
            return kind.FromString(remembered)
        return respond(act(lambda result: respond(result).SerializeToString()))

    return await engine.store.run(replay_or_write)


def _gallery(gallery: Gallery, engine: Engine) -> pb.Gallery:
    try:
        facts = engine.live.facts(gallery.gallery_id)
    except NotFound:  # it is being made
        facts = GalleryFacts(gallery.face_count, gallery.subject_count, None)
    message = convert.gallery_message(gallery, engine.recognizer.identify_threshold(facts))
    if facts.calibration is not None:
        message.calibration.CopyFrom(calibration_message(facts.calibration, facts))
    return message


def _new_subject(given: pb.Subject, now_ms: int) -> Subject:
    subject_id = given.subject_id or f"s-{uuid.uuid4().hex[:16]}"
    return Subject(
        require_identifier("subject.subject_id", subject_id),
        require_text("subject.display_name", given.display_name) or subject_id,
        require_labels("subject.labels", given.labels),
        require_attributes("subject.attributes", given.attributes),
        now_ms,
        now_ms,
        0,
    )


def _change_of(request: pb.UpdateSubjectRequest) -> SubjectChange:
    return SubjectChange(
        display_name=require_text("display_name", request.display_name) if request.HasField("display_name") else None,
        labels=require_labels("labels", request.labels.values) if request.HasField("labels") else None,
        attributes=require_attributes("attributes", request.attributes.values)
        if request.HasField("attributes")
        else None,
    )

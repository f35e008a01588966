"""GenerativeService."""

from __future__ import annotations

from facewire.v1 import generative_pb2 as pb
from facewire.v1 import generative_pb2_grpc
from facewire_server.domain.errors import InvalidArgument
from facewire_server.engine import Engine, EngineSlot
from facewire_server.pipeline.generating import GenerationOrder
from facewire_server.pipeline.recognizer import Call, DetectionOptions
from facewire_server.rpc import convert
from facewire_server.rpc import generative_convert as told
from facewire_server.rpc.call import Context, on_worker

_DEFAULT_STEPS = 8
_DEFAULT_K = 10


class GenerativeServicer(generative_pb2_grpc.GenerativeServiceServicer):
    """Makes and changes faces."""

    def __init__(self, slot: EngineSlot) -> None:
        self._slot = slot

    async def GenerateFaces(  # noqa: N802 - gRPC's name
        self, request: pb.GenerateFacesRequest, context: Context
    ) -> pb.GenerateFacesResponse:
        """Faces of nobody."""
        engine = self._slot.engine
        order = GenerationOrder(
            count=request.count or 1,
            seed=request.seed if request.HasField("seed") else None,
            spread=request.spread if request.HasField("spread") else 1.0,
            visible_mark=request.visible_mark,
        )
        engine.studio.check(order)

        def work(call: Call) -> pb.GenerateFacesResponse:
            return told.generated(engine.studio.generate(order, call.budget, call.clock))

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def RestoreFaces(  # noqa: N802
        self, request: pb.RestoreFacesRequest, context: Context
    ) -> pb.RestoreFacesResponse:
        """Faces made readable."""
        engine = self._slot.engine
        restorer = engine.restoration.restorer
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.RestoreFacesResponse:
            with call.clock.stage("decode"):
                frame = convert.frame_of(request.image, data, engine.limits)
            found = engine.recognizer.detect(frame, options, call)
            restored = engine.restoration.restore(frame, found.faces, call)
            response = pb.RestoreFacesResponse(
                no_face_reason=convert.no_face_message(found.no_face_reason),
                image_size=convert.size_message(frame),
                model=restorer.name,
            )
            faces = convert.face_messages(found.faces, found.quality)
            with call.clock.stage("generate"):
                for each in restored:
                    call.budget.check()
                    file = engine.restoration.file_of(each.after, visible_mark=request.visible_mark)
                    response.faces.add(
                        face=faces[each.row], image=told.made(file, each.after), before=told.as_seen(frame, each.before)
                    )
            told.require_small(response, engine.limits)
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def ReconstructFaces(  # noqa: N802
        self, request: pb.ReconstructFacesRequest, context: Context
    ) -> pb.ReconstructFacesResponse:
        """Faces made again of their latents."""
        engine = self._slot.engine
        encoder = engine.coder.autoencoder.encoder
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.ReconstructFacesResponse:
            with call.clock.stage("decode"):
                frame = convert.frame_of(request.image, data, engine.limits)
            found = engine.recognizer.detect(frame, options, call)
            response = pb.ReconstructFacesResponse(
                no_face_reason=convert.no_face_message(found.no_face_reason),
                image_size=convert.size_message(frame),
                model=encoder.name,
            )
            faces = convert.face_messages(found.faces, found.quality)
            for each in engine.coder.reconstruct(frame, found.faces, call):
                call.budget.check()
                file = engine.coder.file_of(each.made, visible_mark=request.visible_mark)
                response.faces.add(
                    face=faces[each.encoded.row],
                    image=told.made(file, each.made),
                    before=told.as_seen(frame, each.encoded.face),
                    psnr_db=each.psnr_db,
                    kl_nats=each.encoded.latent.kl_nats,
                    face_likeness=each.face_likeness,
                )
            told.require_small(response, engine.limits)
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def EncodeLatents(  # noqa: N802
        self, request: pb.EncodeLatentsRequest, context: Context
    ) -> pb.EncodeLatentsResponse:
        """Faces as few numbers each."""
        engine = self._slot.engine
        engine.coder.autoencoder  # noqa: B018 - raises where none is configured
        options = convert.detection_options(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.EncodeLatentsResponse:
            with call.clock.stage("decode"):
                frame = convert.frame_of(request.image, data, engine.limits)
            found = engine.recognizer.detect(frame, options, call)
            response = pb.EncodeLatentsResponse(
                no_face_reason=convert.no_face_message(found.no_face_reason), image_size=convert.size_message(frame)
            )
            faces = convert.face_messages(found.faces, found.quality)
            for each in engine.coder.encode(frame, found.faces, call):
                latent = told.latent_message(each.latent)
                response.faces.add(face=faces[each.row], latent=latent, kl_nats=each.latent.kl_nats)
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def InterpolateFaces(  # noqa: N802
        self, request: pb.InterpolateFacesRequest, context: Context
    ) -> pb.InterpolateFacesResponse:
        """Faces on the way from one to another."""
        engine = self._slot.engine
        encoder = engine.coder.autoencoder.encoder
        count = request.count or _DEFAULT_STEPS
        if not 2 <= count <= engine.limits.max_made_faces:
            raise InvalidArgument("count", f"must be from 2 to {engine.limits.max_made_faces} (generation.max_faces)")

        def work(call: Call) -> pb.InterpolateFacesResponse:
            ends = [
                told.latent_of(source, field, engine, call)
                for field, source in (("first", request.first), ("last", request.last))
            ]
            response = pb.InterpolateFacesResponse(model=encoder.name)
            for pixels in engine.coder.way(ends[0], ends[1], count, call):
                call.budget.check()
                file = engine.coder.file_of(pixels, visible_mark=request.visible_mark)
                response.images.append(told.made(file, pixels))
            told.require_small(response, engine.limits)
            return response

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response

    async def AnonymiseFaces(  # noqa: N802
        self, request: pb.AnonymiseFacesRequest, context: Context
    ) -> pb.AnonymiseFacesResponse:
        """A picture whose faces are nobody's."""
        engine = self._slot.engine
        k = request.k or _DEFAULT_K
        engine.anonymiser.check(k)
        options = told.every_face(request.options, engine.limits)
        data = convert.image_bytes(request.image)

        def work(call: Call) -> pb.AnonymiseFacesResponse:
            return _anonymised(request, data, k, engine, call, options)

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response


def _anonymised(
    request: pb.AnonymiseFacesRequest, data: bytes, k: int, engine: Engine, call: Call, options: DetectionOptions
) -> pb.AnonymiseFacesResponse:
    with call.clock.stage("decode"):
        frame = convert.frame_of(request.image, data, engine.limits)
    done = engine.anonymiser.anonymise(frame, k, options, call)
    with call.clock.stage("generate"):
        file = engine.anonymiser.file_of(done.pixels, visible_mark=request.visible_mark)
    response = pb.AnonymiseFacesResponse(
        image=told.changed(file, done.pixels),
        faces=convert.face_messages(done.found.faces, done.found.quality),
        replaced=done.replaced,
        pixelated=done.pixelated,
        k=k,
        model=engine.coder.autoencoder.encoder.name,
    )
    told.require_small(response, engine.limits)
    return response

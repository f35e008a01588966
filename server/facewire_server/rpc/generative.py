"""GenerativeService."""

from __future__ import annotations

from facewire import synthetic
from facewire.v1 import generative_pb2 as pb
from facewire.v1 import generative_pb2_grpc, recognition_pb2
from facewire_server.engine import EngineSlot
from facewire_server.pipeline.generating import GeneratedFaces, GenerationOrder
from facewire_server.pipeline.recognizer import Call
from facewire_server.rpc import convert
from facewire_server.rpc.call import Context, on_worker


class GenerativeServicer(generative_pb2_grpc.GenerativeServiceServicer):
    """Makes faces."""

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
            return _response(engine.studio.generate(order, call.budget, call.clock))

        response, call = await on_worker(engine, context, work)
        response.times.CopyFrom(convert.times_message(call.clock))
        return response


def _response(made: GeneratedFaces) -> pb.GenerateFacesResponse:
    size = recognition_pb2.ImageSize(width=made.size, height=made.size)
    images = [
        pb.SyntheticImage(encoded=file, size=size, digital_source_type=synthetic.MADE_BY_MODEL) for file in made.files
    ]
    return pb.GenerateFacesResponse(images=images, seed=made.seed, model=made.model)

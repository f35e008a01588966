"""The Open Inference Protocol v2 for the raw models, so that tritonclient and its like work unchanged."""

from __future__ import annotations

import math

import numpy as np

from facewire_server.domain.errors import DomainError, InvalidArgument, NotFound
from facewire_server.domain.ports import ModelRunner, Tensor, TensorInfo
from facewire_server.engine import Engine, EngineSlot
from facewire_server.oip import open_inference_pb2 as pb
from facewire_server.oip import open_inference_pb2_grpc
from facewire_server.pipeline.recognizer import Call
from facewire_server.rpc.call import Context, on_worker

_VERSION = "1"
_DATATYPE = "FP32"
_MAX_ELEMENTS = 1 << 28


class OpenInferenceServicer(open_inference_pb2_grpc.GRPCInferenceServiceServicer):
    """Detector and embedder as plain networks."""

    def __init__(self, slot: EngineSlot, version: str) -> None:
        self._slot = slot
        self._version = version

    async def ServerLive(  # noqa: N802 - gRPC's names, here and below
        self, request: pb.ServerLiveRequest, context: Context
    ) -> pb.ServerLiveResponse:
        """Always."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(  # noqa: N802
        self, request: pb.ServerReadyRequest, context: Context
    ) -> pb.ServerReadyResponse:
        """Once the models are loaded."""
        return pb.ServerReadyResponse(ready=self._ready())

    async def ModelReady(  # noqa: N802
        self, request: pb.ModelReadyRequest, context: Context
    ) -> pb.ModelReadyResponse:
        """Once it is loaded."""
        if not self._ready():
            return pb.ModelReadyResponse(ready=False)
        _find(self._slot.engine, request.name, request.version)
        return pb.ModelReadyResponse(ready=True)

    async def ServerMetadata(  # noqa: N802
        self, request: pb.ServerMetadataRequest, context: Context
    ) -> pb.ServerMetadataResponse:
        """Name and version."""
        return pb.ServerMetadataResponse(name="facewire", version=self._version)

    async def ModelMetadata(  # noqa: N802
        self, request: pb.ModelMetadataRequest, context: Context
    ) -> pb.ModelMetadataResponse:
        """Inputs and outputs."""
        model = _find(self._slot.engine, request.name, request.version)
        return pb.ModelMetadataResponse(
            name=model.name,
            versions=[_VERSION],
            platform="openvino",
            inputs=[_tensor_metadata(info) for info in model.inputs],
            outputs=[_tensor_metadata(info) for info in model.outputs],
        )

    async def ModelInfer(  # noqa: N802
        self, request: pb.ModelInferRequest, context: Context
    ) -> pb.ModelInferResponse:
        """Runs the network on raw tensors."""
        engine = self._slot.engine
        model = _find(engine, request.model_name, request.model_version)
        names = [output.name for output in request.outputs]
        known = {info.name for info in model.outputs}
        for name in names:
            if name not in known:
                raise InvalidArgument("outputs", f"model '{model.name}' has no output '{name}'")

        def work(_: Call) -> pb.ModelInferResponse:
            outputs = model.run(_input_tensor(request, model))
            return _response(request, {n: outputs[n] for n in names} if names else outputs)

        response, _ = await on_worker(engine, context, work)
        return response

    def _ready(self) -> bool:
        try:
            return self._slot.engine is not None
        except DomainError:
            return False


def _find(engine: Engine, name: str, version: str) -> ModelRunner:
    if name not in engine.models or version not in ("", _VERSION):
        raise NotFound("model", f"{name}:{version}" if version else name)
    return engine.models[name]


def _tensor_metadata(info: TensorInfo) -> pb.ModelMetadataResponse.TensorMetadata:
    return pb.ModelMetadataResponse.TensorMetadata(name=info.name, datatype=_DATATYPE, shape=info.shape)


def _input_tensor(request: pb.ModelInferRequest, model: ModelRunner) -> Tensor:
    wanted = model.inputs[0].name
    if len(request.inputs) != 1 or request.inputs[0].name != wanted:
        raise InvalidArgument("inputs", f"model '{model.name}' has exactly one input, '{wanted}'")
    given = request.inputs[0]
    if given.datatype != _DATATYPE:
        raise InvalidArgument("inputs.datatype", f"must be {_DATATYPE}, not '{given.datatype}'")
    shape = list(given.shape)
    # The length first: multiplying a hundred thousand large numbers would hold up everybody.
    if len(shape) != len(model.inputs[0].shape) or min(shape) < 1 or math.prod(shape) > _MAX_ELEMENTS:
        raise InvalidArgument(
            "inputs.shape", f"must have {len(model.inputs[0].shape)} positive sides, like {list(model.inputs[0].shape)}"
        )
    if len(request.raw_input_contents) > 1:
        raise InvalidArgument("raw_input_contents", "has more entries than there are inputs")
    if request.raw_input_contents:
        data = request.raw_input_contents[0]
        if len(data) != 4 * math.prod(shape):
            raise InvalidArgument(
                "raw_input_contents", f"has {len(data)} bytes, shape {shape} needs {4 * math.prod(shape)}"
            )
        values = np.frombuffer(data, dtype="<f4")
    else:
        values = np.array(given.contents.fp32_contents, dtype=np.float32)
        if values.size != math.prod(shape):
            raise InvalidArgument(
                "inputs.contents", f"has {values.size} values, shape {shape} needs {math.prod(shape)}"
            )
    return values.reshape(shape).astype(np.float32, copy=False)


def _response(request: pb.ModelInferRequest, outputs: dict[str, Tensor]) -> pb.ModelInferResponse:
    response = pb.ModelInferResponse(model_name=request.model_name, model_version=_VERSION, id=request.id)
    for name, value in outputs.items():
        response.outputs.add(name=name, datatype=_DATATYPE, shape=value.shape)
        response.raw_output_contents.append(value.astype("<f4").tobytes())
    return response

"""AdminService."""

from __future__ import annotations

from facewire.v1 import admin_pb2 as pb
from facewire.v1 import admin_pb2_grpc
from facewire_server.engine import EngineSlot, Limits, ModelFacts
from facewire_server.rpc.call import Context
from facewire_server.rpc.convert import timestamp


class AdminServicer(admin_pb2_grpc.AdminServiceServicer):
    """What operating a server needs."""

    def __init__(self, slot: EngineSlot) -> None:
        self._slot = slot

    async def GetServerInfo(  # noqa: N802 - gRPC's name
        self, request: pb.GetServerInfoRequest, context: Context
    ) -> pb.GetServerInfoResponse:
        """Build, models, contract, devices, limits."""
        engine = self._slot.engine
        facts = engine.facts
        return pb.GetServerInfoResponse(
            version=facts.version,
            contract_id=engine.recognizer.contract_id,
            models=[_model(model) for model in facts.models],
            devices=[pb.DeviceInfo(name=n, full_name=full) for n, full in facts.devices.items()],
            limits=_limits(engine.limits),
            isa=facts.isa,
            started_at=timestamp(facts.started_ms),
            openvino_version=facts.openvino_version,
        )


def _model(model: ModelFacts) -> pb.ModelInfo:
    return pb.ModelInfo(
        name=model.name,
        task=model.task,
        sha256=model.sha256,
        licence=model.licence,
        device_requested=model.device_requested,
        device=model.device,
        precision=model.precision,
        input_sizes=model.input_sizes,
    )


def _limits(limits: Limits) -> pb.Limits:
    return pb.Limits(
        max_message_bytes=limits.max_message_bytes,
        max_image_pixels=limits.max_image_pixels,
        max_faces=limits.max_faces,
        max_images_per_enrol=limits.max_images_per_enrol,
        max_templates_per_subject=limits.max_templates_per_subject,
        max_pending_calls=limits.max_pending_calls,
    )

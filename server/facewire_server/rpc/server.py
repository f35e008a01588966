"""The gRPC server: services, health, reflection, limits, shutdown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from facewire.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    gallery_pb2,
    gallery_pb2_grpc,
    generative_pb2,
    generative_pb2_grpc,
    liveness_pb2,
    liveness_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
    stream_pb2,
    stream_pb2_grpc,
)
from facewire_server.engine import EngineSlot
from facewire_server.oip import open_inference_pb2, open_inference_pb2_grpc
from facewire_server.rpc.admin import AdminServicer
from facewire_server.rpc.boundary import ErrorBoundary
from facewire_server.rpc.gallery import GalleryServicer
from facewire_server.rpc.generative import GenerativeServicer
from facewire_server.rpc.liveness import LivenessServicer
from facewire_server.rpc.open_inference import OpenInferenceServicer
from facewire_server.rpc.recognition import RecognitionServicer
from facewire_server.rpc.streams import StreamServicer

log = logging.getLogger(__name__)

SERVICES: Final = (
    recognition_pb2.DESCRIPTOR.services_by_name["RecognitionService"].full_name,
    gallery_pb2.DESCRIPTOR.services_by_name["GalleryService"].full_name,
    generative_pb2.DESCRIPTOR.services_by_name["GenerativeService"].full_name,
    liveness_pb2.DESCRIPTOR.services_by_name["LivenessService"].full_name,
    stream_pb2.DESCRIPTOR.services_by_name["StreamService"].full_name,
    admin_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name,
    open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name,
)


class PortTaken(Exception):
    """The address cannot be listened on."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The network side's settings."""

    host: str
    port: int
    max_message_bytes: int
    max_connection_age_s: int
    version: str


class RpcServer:
    """Listens and answers. For one event loop."""

    def __init__(self, slot: EngineSlot, options: ServerOptions, now_ms: Callable[[], int]) -> None:
        self._options = options
        self._boundary = ErrorBoundary(SERVICES)
        self._server = grpc.aio.server(interceptors=[self._boundary], options=_channel_options(options))
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # there since Python 3.6 only
        recognition_pb2_grpc.add_RecognitionServiceServicer_to_server(RecognitionServicer(slot), self._server)
        generative_pb2_grpc.add_GenerativeServiceServicer_to_server(GenerativeServicer(slot), self._server)
        self._liveness = LivenessServicer(slot)
        liveness_pb2_grpc.add_LivenessServiceServicer_to_server(self._liveness, self._server)
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(GalleryServicer(slot, now_ms), self._server)
        self._streams = StreamServicer(slot, now_ms)
        stream_pb2_grpc.add_StreamServiceServicer_to_server(self._streams, self._server)
        admin_pb2_grpc.add_AdminServiceServicer_to_server(AdminServicer(slot), self._server)
        open_inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(
            OpenInferenceServicer(slot, options.version), self._server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)

    async def start(self) -> int:
        """Listens; returns the port. Health says NOT_SERVING until :meth:`serving`.

        Raises:
            PortTaken: another process listens there, or the address is not this machine's.
        """
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        address = f"{self._options.host}:{self._options.port}"
        if ":" in self._options.host:
            address = f"[{self._options.host}]:{self._options.port}"
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise PortTaken(
                f"cannot listen on {address}: the port is taken, or the address is not this machine's"
            ) from error
        await self._server.start()
        return port

    async def serving(self) -> None:
        """Health says SERVING from now on."""
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Tells health watchers, takes no new calls, lets running ones finish for ``grace_s``."""
        await self._health.enter_graceful_shutdown()
        self._streams.stop()
        self._liveness.stop()
        begun = time.monotonic()
        await self._boundary.drain(grace_s)
        await self._server.stop(max(0.0, grace_s - (time.monotonic() - begun)))

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        await asyncio.gather(*(self._health.set(service, status) for service in ("", *SERVICES)))


def _channel_options(options: ServerOptions) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_send_message_length", options.max_message_bytes),
        # A frame of 150 kB arrives in one piece instead of ten, without waiting for permission in between.
        ("grpc.http2.lookahead_bytes", 4 << 20),
        ("grpc.http2.max_frame_size", 1 << 20),
        # Otherwise a second server would take the port without a word and half of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_connection_age_ms", options.max_connection_age_s * 1000),
        ("grpc.max_connection_age_grace_ms", 60_000),
        # Must admit what our client sends (every 30 s), or it is sent away with ENHANCE_YOUR_CALM.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]

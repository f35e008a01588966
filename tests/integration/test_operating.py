"""What operating needs: server info, health for each service, reflection, logs."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import facewire
from facewire import kernels
from tests.conftest import RunningServer, StartServer

SERVICES = [
    "facewire.v1.AdminService",
    "facewire.v1.GalleryService",
    "facewire.v1.RecognitionService",
    "facewire.v1.GenerativeService",
    "facewire.v1.LivenessService",
    "facewire.v1.StreamService",
    "inference.GRPCInferenceService",
]


def test_server_info_tells_what_runs(client: facewire.Client) -> None:
    info = client.server_info()
    precision = "int8" if platform.machine() == "x86_64" else "f32"
    assert [(m.task, m.name, m.device, m.precision) for m in info.models] == [
        ("detector", "yunet-2023mar", "CPU", precision),
        ("embedder", "sface-2021dec", "CPU", precision),
    ]
    assert info.contract_id.startswith("fw1-")
    assert info.isa == kernels.isa()
    assert info.limits.max_message_bytes == 32 << 20
    assert "CPU" in info.devices


def test_health_is_told_for_the_server_and_each_service(server: RunningServer) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", *SERVICES):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services(server: RunningServer) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([request]))
    names = {service.name for service in answer.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} == names


def test_the_contract_names_what_embeddings_depend_on(
    start_server: StartServer, client: facewire.Client, tmp_path: Path
) -> None:
    """Another number of workers changes nothing; another precision does."""
    here = client.server_info().contract_id
    with facewire.Client(start_server("--set", "pipeline.workers=1").target) as other:
        assert other.server_info().contract_id == here
    with facewire.Client(
        start_server("--set", "models.precision=f32", gallery_db=tmp_path / "other.db").target
    ) as other:
        assert other.server_info().contract_id != here


def test_listening_beyond_loopback_is_warned_of(start_server: StartServer) -> None:
    server = start_server("--host", "0.0.0.0")  # noqa: S104 - that is what is tested
    server.stop()
    assert any("WITHOUT ENCRYPTION" in line for line in server.log)


def test_json_logs_are_json(start_server: StartServer) -> None:
    server = start_server("--set", "logging.format=json")
    server.stop()
    entries = [json.loads(line) for line in server.log]
    assert any(entry["message"].startswith("load, warm and test models") for entry in entries)


def test_a_watcher_of_events_does_not_hold_up_the_stop(start_server: StartServer) -> None:
    running = start_server()
    troubles: list[str] = []
    with facewire.Client(running.target) as client:
        events = client.watch_events(reconnect_s=3.0, on_trouble=troubles.append)
        watching = threading.Thread(target=lambda: next(events, None), daemon=True)
        watching.start()
        time.sleep(0.5)
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 3, "the grace is 8 s"
        deadline = time.monotonic() + 5
        while not troubles and time.monotonic() < deadline:
            time.sleep(0.05)
    assert "is lost" in troubles[0]


def test_the_asyncio_client_is_there_without_an_import_of_its_own() -> None:
    command = "import facewire; print(facewire.aio.Client.__name__)"
    done = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True)
    assert done.stdout == "Client\n"

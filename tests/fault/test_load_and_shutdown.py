"""Overload, cancellation, shutdown: the server says so at once, stays responsive, and loses nothing."""

from __future__ import annotations

import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

import facewire
from facewire.v1 import image_pb2, recognition_pb2, recognition_pb2_grpc
from tests.conftest import StartServer
from tests.pictures import read_bgr


def big_picture(samples: Path) -> np.ndarray:
    """Work for some tens of milliseconds."""
    return np.ascontiguousarray(np.tile(read_bgr(samples / "person_b_1.jpg"), (2, 3, 1)))


def test_overload_is_refused_at_once_with_a_time_to_retry(start_server: StartServer, samples: Path) -> None:
    server = start_server("--set", "pipeline.max_pending=2", "--set", "pipeline.workers=1")
    picture = big_picture(samples)
    refusals: list[facewire.OverloadedError] = []
    done = 0

    def call(_: int) -> bool:
        with facewire.Client(server.target, retries=0) as client:
            try:
                client.embed(picture)
            except facewire.OverloadedError as error:
                refusals.append(error)
                return False
            return True

    with ThreadPoolExecutor(12) as pool:
        done = sum(pool.map(call, range(24)))
    assert done >= 2
    assert refusals
    assert all(error.retry_after_s and error.retry_after_s > 0 for error in refusals)
    assert "queue is full" in str(refusals[0])


def test_health_answers_while_all_workers_are_busy(start_server: StartServer, samples: Path) -> None:
    server = start_server()
    picture = big_picture(samples)
    stop = threading.Event()

    def load() -> None:
        with facewire.Client(server.target) as client:
            while not stop.is_set():
                client.embed(picture)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    times = []
    with facewire.Client(server.target) as client:
        for _ in range(40):
            start = time.perf_counter()
            assert client.is_serving()
            times.append(time.perf_counter() - start)
            time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    # The test shares two cores with the server and four clients; alone it answers in about a millisecond.
    assert sorted(times)[len(times) // 2] < 0.05


def test_cancelled_calls_give_their_place_back(start_server: StartServer, samples: Path) -> None:
    server = start_server("--set", "pipeline.max_pending=4", "--set", "pipeline.workers=1")
    pixels = big_picture(samples)
    raw = image_pb2.RawImage(
        format=image_pb2.PIXEL_FORMAT_BGR, width=pixels.shape[1], height=pixels.shape[0], data=pixels.tobytes()
    )
    request = recognition_pb2.EmbedFacesRequest(image=image_pb2.Image(raw=raw))
    with grpc.insecure_channel(server.target, [("grpc.max_send_message_length", 64 << 20)]) as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        for _ in range(10):
            futures = [stub.EmbedFaces.future(request) for _ in range(4)]
            time.sleep(0.03)
            for future in futures:
                future.cancel()
    with facewire.Client(server.target) as client:
        assert client.embed(samples / "person_a_1.jpg").faces
    assert not [line for line in server.log if "Traceback" in line or "ERROR" in line]


def test_sigterm_finishes_what_is_under_way(start_server: StartServer, samples: Path) -> None:
    server = start_server()
    picture = big_picture(samples)
    answers: list[int] = []
    failures: list[facewire.ServerError] = []
    started = threading.Barrier(3)

    def call() -> None:
        with facewire.Client(server.target, retries=0) as client:
            client.is_serving()
            started.wait()
            for _ in range(30):
                try:
                    answers.append(len(client.embed(picture).faces))
                except facewire.UnavailableError:
                    return
                except facewire.ServerError as error:
                    failures.append(error)
                    return

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    started.wait()
    time.sleep(0.3)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert answers
    assert not failures, f"a call under way was lost: {failures[0]}"
    assert not [line for line in server.log if "Traceback" in line]


def test_sigint_ends_cleanly(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=20) == 0
    again = start_server(gallery_db=tmp_path / "other.db")
    assert again.stop() == 0


def test_a_taken_port_is_refused(start_server: StartServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match="cannot listen on"):
            start_server("--port", str(port))


def test_calls_before_the_models_are_loaded_are_told_to_wait(start_server: StartServer) -> None:
    """Health answers NOT_SERVING and calls answer UNAVAILABLE with RetryInfo while the models load."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    target = f"127.0.0.1:{port}"
    seen: list[facewire.ServerError] = []
    answers: list[facewire.ServerInfo] = []
    stop = threading.Event()

    def be_patient() -> None:
        """A client with retries needs to know nothing of all this."""
        with facewire.Client(target, retries=100, timeout_s=60) as client:
            answers.append(client.server_info())

    def ask() -> None:
        with facewire.Client(target, retries=0, timeout_s=5) as client:
            while not stop.is_set():
                try:
                    client.server_info()
                    return
                except facewire.ServerError as error:
                    if error.reason:
                        seen.append(error)
                time.sleep(0.01)

    threads = [threading.Thread(target=work) for work in (ask, be_patient)]
    for thread in threads:
        thread.start()
    try:
        # Sizes that no cache has: long enough to be met while they are compiled.
        sizes = ",".join(f"{width}x{height}" for width in (1024, 1088, 1152, 1216) for height in (576, 640, 704))
        start_server("--port", str(port), "--set", f"models.detector_sizes={sizes}")
    finally:
        threads[0].join(timeout=10)
        stop.set()
        for thread in threads:
            thread.join()
    assert answers
    assert seen
    assert all(error.reason == "NOT_READY" and error.retry_after_s for error in seen)

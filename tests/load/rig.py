"""What the load programs share: a server with people enrolled, frames to send, its memory, threads and files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

import facewire
from facewire_server.config import load_config
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples
from tests.conftest import RunningServer, running_server
from tests.pictures import jpeg, walking

GALLERY = "load"


@dataclass(frozen=True, slots=True)
class Rig:
    """A server under load."""

    server: RunningServer
    samples: Path
    frames: list[bytes]

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self.server.process.pid)

    def rss_mib(self) -> float:
        """Resident memory."""
        return self.process.memory_info().rss / 2**20

    def resources(self) -> tuple[int, int]:
        """Threads and open files."""
        return self.process.num_threads(), self.process.num_fds()


@contextmanager
def rig(*settings: str) -> Iterator[Rig]:
    """Starts a server, enrols the sample people, makes frames of them."""
    config = load_config(None)
    cache = ModelCache(config.models.cache_dir)
    for spec in load_manifest().models.values():
        fetch_model(cache, spec, config.index_url, lambda done, total: None)
    samples = fetch_samples(cache.folder, config.index_url, lambda done, total: None)
    with (
        tempfile.TemporaryDirectory(prefix="facewire-load-") as folder,
        running_server(cache, Path(folder) / "gallery.db", *settings) as server,
        facewire.Client(server.target) as client,
    ):
        client.create_gallery(GALLERY)
        client.enrol(GALLERY, "person-a", [samples / "person_a_1.jpg"])
        client.enrol(GALLERY, "person-b", [samples / "person_b_1.jpg"])
        yield Rig(server, samples, [jpeg(frame) for frame in walking(samples / "person_a_2.jpg", 40)])

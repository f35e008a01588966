"""A real server process for the benchmark, with the bench's people enrolled, and what it uses."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

import facewire
from tests.bench.our_pipeline import GALLERY
from tests.bench.scenes import ENROLLED, ready_cache, samples
from tests.conftest import RunningServer, running_server


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    running: RunningServer

    @property
    def target(self) -> str:
        """host:port."""
        return self.running.target

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, to the nanosecond (the kernel's ticks are 10 ms)."""
        pid = self.running.process.pid
        return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3)

    def rss_mib(self) -> float:
        """Resident memory."""
        return psutil.Process(self.running.process.pid).memory_info().rss / 2**20


@contextmanager
def bench_server(*settings: str, gallery_db: Path | None = None) -> Iterator[Server]:
    """Starts it; with a gallery of its own unless one is given."""
    with (
        tempfile.TemporaryDirectory(prefix="facewire-bench-") as folder,
        running_server(ready_cache(), gallery_db or Path(folder) / "gallery.db", *settings) as running,
    ):
        if gallery_db is None:
            with facewire.Client(running.target) as client:
                client.create_gallery(GALLERY)
                for name, photo in ENROLLED.items():
                    client.enrol(GALLERY, name, [samples() / f"{photo}.jpg"])
        yield Server(running)

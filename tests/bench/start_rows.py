"""Start, memory, the first call, and the largest gallery."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import facewire
from facewire.kernels import GalleryIndex
from tests.bench.our_pipeline import GALLERY as BENCH_GALLERY
from tests.bench.our_pipeline import OurPipeline
from tests.bench.row import Row, at_most
from tests.bench.scenes import jpegs
from tests.bench.server_process import Server, bench_server
from tests.bench.stream_rows import drive
from tests.large_gallery import GALLERY, unit_vectors, write_large_gallery

TEMPLATES, MANY = 100_000, 1_000_000


def rows(rounds: int) -> Iterator[Row]:
    """A gallery of 100,000 templates, then one of 1,000,000."""
    contract = OurPipeline(10).models.contract
    with tempfile.TemporaryDirectory(prefix="facewire-bench-") as folder:
        path = Path(folder) / "gallery.db"
        write_large_gallery(path, unit_vectors(TEMPLATES, contract.dim), contract.contract_id)
        yield _start(path, rounds)
        yield _first_call(path, rounds)
        with bench_server(gallery_db=path) as server:
            yield _memory(server)
    with tempfile.TemporaryDirectory(prefix="facewire-bench-") as folder:
        path = Path(folder) / "gallery.db"
        vectors = unit_vectors(MANY, contract.dim)
        write_large_gallery(path, vectors, contract.contract_id)
        with bench_server(gallery_db=path) as server:
            yield _identify_many(server, vectors, contract.contract_id)


def _start(path: Path, rounds: int) -> Row:
    """From the start of the process to 'serving at', the disk's cache warm; the stages are the server's own log."""
    took: list[float] = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        with bench_server(gallery_db=path) as server:
            took.append(time.perf_counter() - begun)
            stages = [line.split(": ", 1)[1].strip() for line in server.running.log if line.rstrip().endswith(" s")]
    return at_most(
        "facewire serve to SERVING, warm cache, 100,000 templates",
        "process start to 'serving at'",
        statistics.median(took[1:]),
        "s",
        3.0,
        note="; ".join(stages),
    )


def _first_call(path: Path, rounds: int) -> Row:
    frames = jpegs(1)
    ratios, firsts, hundredths = [], [], []
    # The client's own start is not the server's: it has talked to another server before.
    with bench_server() as other, facewire.Client(other.target) as client:
        for _ in range(10):
            client.identify(BENCH_GALLERY, frames[0])
    for _ in range(rounds):
        with bench_server(gallery_db=path) as server, facewire.Client(server.target) as client:
            client.server_info()  # nor is the connection's
            took_ms = [_timed_ms(client, frames[0]) for _ in range(105)]
        firsts.append(took_ms[0])
        hundredths.append(statistics.median(took_ms[95:]))
        ratios.append(took_ms[0] / hundredths[-1])
    ratio = statistics.median(ratios)
    return Row(
        name="first request after SERVING, against the hundredth",
        ours="unary Identify, 720p JPEG, 1 face",
        our_value=statistics.median(firsts),
        unit="ms",
        goal="<= 1.5x",
        met=ratio <= 1.5,
        peer="median of the 96th to 105th",
        peer_value=statistics.median(hundredths),
        ratio=1 / ratio,
        note=f"the first takes {ratio:.2f} times as long",
    )


def _timed_ms(client: facewire.Client, frame: bytes) -> float:
    start = time.perf_counter()
    client.identify(GALLERY, frame)
    return (time.perf_counter() - start) * 1e3


def _memory(server: Server) -> Row:
    idle = server.rss_mib()
    drive(server, 4, 1, seconds=15.0, gallery=GALLERY)
    return at_most(
        "resident memory, 100,000 templates, 4 streams",
        "after 15 s of 4 x 25 frames/s 720p",
        server.rss_mib(),
        "MiB",
        450.0,
        note=f"{idle:.0f} MiB before the first frame",
        more={"idle_mib": idle},
    )


def _identify_many(server: Server, vectors: np.ndarray, contract_id: str) -> Row:
    """Embeddings in, names out; against the same search called in this process."""
    index = GalleryIndex(vectors.shape[1])
    index.add(vectors, np.arange(len(vectors)) // 2)
    alone_ms, over_ms = [], []
    with facewire.Client(server.target) as client:
        for i in range(60):
            query = np.ascontiguousarray(vectors[i * 1000 : i * 1000 + 1])
            start = time.perf_counter()
            index.search(query, 5)
            middle = time.perf_counter()
            found = client.identify(GALLERY, facewire.Embedding(query[0], contract_id))
            over_ms.append((time.perf_counter() - middle) * 1e3)
            alone_ms.append((middle - start) * 1e3)
            if found.faces[0].match is None or found.faces[0].match.subject_id != f"s-{i * 500}":
                raise SystemExit(f"the server does not find template {i * 1000} of its gallery")
    alone, over = statistics.median(alone_ms[5:]), statistics.median(over_ms[5:])
    return at_most(
        f"identify over gRPC with {MANY:,} templates, beyond the search alone",
        "embedding in, name out; p50",
        over - alone,
        "ms",
        3.0,
        note=f"search alone p50 {alone:.1f} ms, over gRPC {over:.1f}",
    )

"""Top-10 of a million templates against exact searches of others, one thread each."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import faiss
import numpy as np
import numpy.typing as npt
from usearch.index import search as usearch_search

from facewire.kernels import GalleryIndex, read_bandwidth
from tests.bench.row import Row, Work, alternate, faster, quartiles

ROWS, DIM, TOP = 1_000_000, 128, 10
Vectors = npt.NDArray[np.float32]


def rows(rounds: int) -> Iterator[Row]:
    """Random and clustered templates; identical answers are required, not measured."""
    faiss.omp_set_num_threads(1)
    for kind, make in (("random", _random), ("clustered", _clustered)):
        vectors, queries = make(np.random.default_rng(3))
        yield from _compare(kind, vectors, queries, rounds)


def _random(random: np.random.Generator) -> tuple[Vectors, Vectors]:
    vectors = _unit(random.standard_normal((ROWS, DIM), dtype=np.float32))
    return vectors, _unit(vectors[:: ROWS // 8][:8] + 0.06 * random.standard_normal((8, DIM), dtype=np.float32))


def _clustered(random: np.random.Generator) -> tuple[Vectors, Vectors]:
    """Two thousand people of five hundred templates each: cosines of about 0.6 within, as of one person's pictures."""
    middles = _unit(random.standard_normal((ROWS // 500, DIM), dtype=np.float32))
    noise = random.standard_normal((ROWS, DIM), dtype=np.float32) * (0.8 / DIM**0.5)
    vectors = _unit(middles[np.arange(ROWS) % len(middles)] + noise)
    return vectors, _unit(middles[:8] + random.standard_normal((8, DIM), dtype=np.float32) * (0.8 / DIM**0.5))


def _unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _compare(kind: str, vectors: Vectors, queries: Vectors, rounds: int) -> Iterator[Row]:
    ours = GalleryIndex(DIM)
    ours.add(vectors, np.arange(len(vectors)))
    flat = faiss.IndexFlatIP(DIM)
    flat.add(vectors)
    _require_same_answers(ours, flat, queries)
    turn = iter(range(1 << 30))

    def each(search: Callable[[Vectors], object]) -> Work:
        return lambda: search(queries[(at := next(turn) % len(queries)) : at + 1])

    def by_numpy(query: Vectors) -> object:
        scores = vectors @ query[0]
        best = np.argpartition(scores, -TOP)[-TOP:]
        return best[np.argsort(-scores[best])]

    took = alternate(
        {
            "codes": each(lambda q: ours.search(q, TOP)),
            "floats": each(lambda q: ours.search(q, TOP, compressed=False)),
            "faiss IndexFlatIP": each(lambda q: flat.search(q, TOP)),
            "usearch exact": each(lambda q: usearch_search(vectors, q[0], TOP, "ip", exact=True, threads=1)),
            "numpy": each(by_numpy),
        },
        rounds,
        seconds=0.3,
    )
    peers = ("faiss IndexFlatIP", "usearch exact", "numpy")
    best = min(peers, key=lambda name: statistics.median(took[name]))
    others = ", ".join(f"{name} {statistics.median(took[name]) * 1e3:.1f} ms" for name in peers)
    name = f"top-10 of 1,000,000 x {DIM}, {kind}"
    yield faster(f"{name}: float32", ("every row's floats", took["floats"]), (best, took[best]), 1.2, note=others)
    yield faster(
        f"{name}: compressed",
        ("8-bit codes, candidates by floats; identical top-10", took["codes"]),
        (best, took[best]),
        3.0,
        note=others,
    )
    if kind == "random":
        for form in ("floats", "codes"):
            yield _bandwidth(ours, form, took[form])


def _bandwidth(ours: GalleryIndex, form: str, took: list[float]) -> Row:
    limits = [read_bandwidth(512 << 20) / 1e9 for _ in took]
    scanned = ours.scanned_bytes(compressed=form == "codes") / 1e9
    ratios = [scanned / seconds / limit for seconds, limit in zip(took, limits, strict=True)]
    ratio = statistics.median(ratios)
    return Row(
        name=f"bytes scanned a second: {form}",
        ours=f"search, {scanned * 1e3:.0f} MB",
        our_value=scanned / statistics.median(took),
        unit="GB/s",
        goal=">= 0.8x",
        met=ratio >= 0.8,
        peer="sum of 512 MB by the widest registers, one thread, the best of five",
        peer_value=statistics.median(limits),
        ratio=ratio,
        spread=quartiles(ratios),
    )


def _require_same_answers(ours: GalleryIndex, flat: faiss.IndexFlatIP, queries: Vectors) -> None:
    quick, whole = ours.search(queries, TOP), ours.search(queries, TOP, compressed=False)
    if any((quick[part] != whole[part]).any() for part in range(3)):
        raise SystemExit("the compressed search does not answer as the float search does")
    scores, _ = flat.search(queries, TOP)
    np.testing.assert_allclose(whole[1], scores, atol=2e-6)

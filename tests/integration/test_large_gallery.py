"""A gallery of 100,000 templates is loaded in seconds and searched in milliseconds."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from facewire_server.gallery.opened import open_gallery
from tests.large_gallery import unit_vectors, write_large_gallery

TEMPLATES, DIM = 100_000, 128


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A database file with 50,000 subjects of two templates each, written in one transaction, and the vectors."""
    path = tmp_path_factory.mktemp("large") / "gallery.db"
    vectors = unit_vectors(TEMPLATES, DIM)
    write_large_gallery(path, vectors, "c")
    return path, vectors


def test_it_is_loaded_in_under_two_seconds_and_answers_exactly(large: tuple[Path, np.ndarray]) -> None:
    path, vectors = large
    start = time.process_time()
    opened = open_gallery(path, 10)
    loading_s = time.process_time() - start
    assert loading_s < 2.0
    assert opened.live.facts("g").comparisons == TEMPLATES * 3 // 2
    queries = vectors[[5, 77_777]]
    start = time.process_time()
    found = opened.live.search("g", queries, "c", 3)
    searching_s = time.process_time() - start
    assert [candidates[0].subject_id for candidates in found] == ["s-2", "s-38888"]
    means = vectors.reshape(-1, 2, vectors.shape[1]).sum(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    best = np.maximum((vectors @ queries[0]).reshape(-1, 2).max(axis=1), means @ queries[0])
    # Of strangers only those are looked at whose templates are nearest; each counts by template or mean.
    assert found[0][0].similarity == pytest.approx(best.max(), abs=1e-5)
    for candidate in found[0]:
        assert candidate.similarity == pytest.approx(best[int(candidate.subject_id.removeprefix("s-"))], abs=1e-5)
    assert searching_s < 0.5
    opened.database.close()
    print(f"\nload {TEMPLATES} templates: {loading_s:.2f} s CPU; search two: {searching_s * 1e3:.1f} ms CPU")

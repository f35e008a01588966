"""Faces of several frames in one embedder call: the same embeddings as one by one, whoever asks at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facewire_server.config import Config
from facewire_server.domain.face import EncodedFaces, Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels, load_models
from facewire_server.streaming.batching import FaceBatcher
from tests.pictures import read_bgr

PICTURES = ("person_a_1.jpg", "person_b_1.jpg", "impostor_1.jpg", "person_a_2.jpg", "impostor_2.jpg")


@pytest.fixture(scope="module")
def batched(config: Config) -> LoadedModels:
    """The default embedder, also compiled for batches of two and four."""
    models = config.models.model_copy(update={"embedder_batches": (1, 2, 4)})
    return load_models(config.model_copy(update={"models": models}))


@pytest.fixture(scope="module")
def shots(batched: LoadedModels, samples: Path) -> list[tuple[Frame, Faces]]:
    frames = [Frame(read_bgr(samples / name), "bgr") for name in PICTURES]
    return [(frame, batched.detector.detect(frame, None, 10)) for frame in frames]


def same(a: EncodedFaces, b: EncodedFaces) -> None:
    assert np.abs(a.embeddings - b.embeddings).max() < 2e-5
    assert np.array_equal(a.faces.boxes, b.faces.boxes)
    assert [q.sharpness for q in a.quality] == [q.sharpness for q in b.quality]


def test_a_common_batch_gives_what_single_calls_give(
    batched: LoadedModels, loaded: LoadedModels, shots: list[tuple[Frame, Faces]]
) -> None:
    nobody = (shots[0][0], shots[0][1].select(np.empty(0, dtype=np.intp)))
    broken = Faces(shots[1][1].boxes, np.zeros_like(shots[1][1].landmarks), shots[1][1].scores)
    together = batched.embedder.encode_many([*shots, nobody, (shots[1][0], broken), shots[0]], StageClock())
    assert [len(encoded.faces) for encoded in together] == [1, 1, 1, 1, 1, 0, 0, 1]
    for encoded, (frame, faces) in zip(together, shots, strict=False):
        same(encoded, loaded.embedder.encode(frame, faces, StageClock()))
    same(together[-1], together[0])


def test_the_size_that_measured_fastest_is_one_that_is_compiled(batched: LoadedModels, loaded: LoadedModels) -> None:
    assert batched.embedder.best_batch in (1, 2, 4)
    assert loaded.embedder.best_batch == 1


def test_many_threads_share_batches(
    batched: LoadedModels, shots: list[tuple[Frame, Faces]], monkeypatch: pytest.MonkeyPatch
) -> None:
    batcher = FaceBatcher(batched.embedder)
    batcher._batch = 4  # as where it measured fastest
    sizes: list[int] = []
    together = batched.embedder.encode_many

    def noted(orders: Sequence[tuple[Frame, Faces]], clock: StageClock) -> list[EncodedFaces]:
        sizes.append(len(orders))
        return together(orders, clock)

    monkeypatch.setattr(batched.embedder, "encode_many", noted)
    alone = [batched.embedder.encode(frame, faces, StageClock()) for frame, faces in shots]

    def embed(number: int) -> EncodedFaces:
        frame, faces = shots[number % len(shots)]
        return batcher.encode(frame, faces, StageClock())

    with ThreadPoolExecutor(8) as threads:
        sizes.clear()
        results = list(threads.map(embed, range(40)))
    assert sum(sizes) == 40
    assert max(sizes) > 1, "nobody shared"
    for number, result in enumerate(results):
        same(result, alone[number % len(shots)])


def test_an_error_reaches_everybody_in_the_batch_and_the_next_batch_works(
    batched: LoadedModels, shots: list[tuple[Frame, Faces]]
) -> None:
    batcher = FaceBatcher(batched.embedder)
    batcher._batch = 4
    frame, faces = shots[0]
    bad = Faces(faces.boxes, faces.landmarks.astype(np.float64), faces.scores)
    with pytest.raises(TypeError):
        batcher.encode(frame, bad, StageClock())
    assert len(batcher.encode(frame, faces, StageClock()).faces) == 1

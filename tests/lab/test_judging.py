"""What is said of a generator: figures against hand-computed ones, and a cheat that must show."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facewire_lab.errors import LabError
from facewire_lab.faces import CHIP, FaceFacts, PreparedFaces, load_faces, save_faces
from facewire_lab.judging import Judge, frechet_distance, mean_cosine
from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Pixels
from facewire_server.domain.stages import StageClock
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.loading import LoadedModels
from tests.integration.test_cli import run
from tests.lab.made_up import write_faces


def test_mean_cosine_is_that_of_all_pairs() -> None:
    vectors = np.random.default_rng(1).normal(size=(40, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = (vectors @ vectors.T)[np.triu_indices(40, 1)]
    assert mean_cosine(vectors) == pytest.approx(pairs.mean())


def test_frechet_distance_of_normal_distributions() -> None:
    """Independent columns: the sum over them of (difference of means)^2 + (difference of deviations)^2."""
    random = np.random.default_rng(2)
    a = random.normal([0, 1, 2], [1, 2, 3], (200_000, 3))
    b = random.normal([0.5, 1, 0], [1, 1, 5], (200_000, 3))
    assert frechet_distance(a, b) == pytest.approx(0.25 + 1 + 4 + 4, rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


@pytest.fixture
def many(samples: Path, tmp_path: Path) -> PreparedFaces:
    """Real faces of five people, each changed a little in sixty ways."""
    (tmp_path / "pictures").mkdir()
    for path in samples.glob("*.jpg"):
        (tmp_path / "pictures" / path.name).write_bytes(path.read_bytes())
    assert run("lab", "prepare", tmp_path / "pictures", tmp_path / "faces").returncode == 0
    chips = load_faces(tmp_path / "faces").chips
    random = np.random.default_rng(3)
    changed = [
        cv2.convertScaleAbs(np.asarray(chip), alpha=random.uniform(0.7, 1.3), beta=random.uniform(-20, 20))
        for chip in chips
        for _ in range(-(-310 // len(chips)))
    ]
    names = [str(number) for number in range(len(changed))]
    return PreparedFaces(np.stack(changed).astype(np.uint8), FaceFacts("", 0.7, names, names), "")


class Copier:
    """The generator that everybody fears: it learnt its pictures by heart."""

    name, latent, size = "copier", 2, CHIP

    def __init__(self, faces: PreparedFaces) -> None:
        self._faces = faces
        self._next = 0

    def generate(self, latent: FloatArray, clock: StageClock) -> Pixels:
        self._next += 1
        return self._faces.chips[self._next % len(self._faces)]


def test_copies_of_training_pictures_show(many: PreparedFaces, loaded: LoadedModels) -> None:
    looked: list[int] = []
    judge = Judge(loaded.detector, loaded.embedder, lambda: looked.append(1))
    found = judge.judge(Copier(many), many, 310, seed=1)
    assert len(looked) == 310 + len(many)
    assert found.faces_made > 0.95
    assert found.nearest_training[0] > 0.999
    assert found.frechet < 0.02


def test_too_few_faces_are_told(many: PreparedFaces, loaded: LoadedModels) -> None:
    few = PreparedFaces(many.chips[:20], many.facts, "")
    with pytest.raises(LabError, match="in 20 real faces only; 300 are needed"):
        Judge(loaded.detector, loaded.embedder, lambda: None).judge(Copier(many), few, 310, seed=1)


def test_the_verb_wants_to_know_which_generator(tmp_path: Path, model_cache: ModelCache) -> None:
    faces = write_faces(tmp_path / "faces")
    done = run("lab", "evaluate", "gan", faces)
    assert (done.returncode, "--set generation.model=NAME" in done.stderr) == (1, True)
    fetch_model(model_cache, load_manifest(None).get("dcgan-faces-64"), None, lambda done, total: None)
    done = run("lab", "evaluate", "gan", faces, "--count", "400", "--set", "generation.model=dcgan-faces-64")
    assert (done.returncode, "in 0 real faces only" in done.stderr) == (1, True)


def test_the_packaged_generator_is_judged(many: PreparedFaces, tmp_path: Path, model_cache: ModelCache) -> None:
    fetch_model(model_cache, load_manifest(None).get("dcgan-faces-64"), None, lambda done, total: None)
    save_faces(tmp_path / "many", np.asarray(many.chips), many.facts)
    done = run(
        "lab",
        "evaluate",
        "gan",
        tmp_path / "many",
        "--count",
        "400",
        "--set",
        "generation.model=dcgan-faces-64",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["faces_made"] >= 0.9
    assert found["mean_cosine_made"] < 0.35
    assert found["nearest_training"][1] < 0.6, "no copies of people it never saw"

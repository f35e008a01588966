"""Noise, tilt and orientation: what they cost is given back, and good pictures are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.corruption import Corruption
from facewire_server.loading import LoadedModels
from facewire_server.pipeline.clearing import Clearing
from facewire_server.pipeline.turning import TurningDetector
from tests.conftest import StartServer
from tests.pictures import Pixels, read_bgr

PICTURES = ("person_a_1", "person_a_2", "person_b_1", "person_b_2", "impostor_1", "impostor_2")


def embedding(models: LoadedModels, frame: Frame, faces: Faces) -> np.ndarray:
    return models.embedder.encode(frame, faces, StageClock()).embeddings[0]


@pytest.mark.parametrize("name", PICTURES)
def test_good_pictures_are_left_as_they_are(samples: Path, name: str) -> None:
    frame = Frame(read_bgr(samples / f"{name}.jpg"), "bgr")
    assert Clearing(3.0).clear(frame) is frame


def test_dark_pictures_are_nearer_to_the_good_ones_when_cleared(loaded: LoadedModels, samples: Path) -> None:
    gained = []
    for name in PICTURES:
        picture = Image.open(samples / f"{name}.jpg").convert("RGB")
        picture.thumbnail((250, 250))  # faces of 100 px: larger ones lose their noise when they are drawn smaller
        good = Frame(np.ascontiguousarray(np.asarray(picture)[..., ::-1]), "bgr")
        faces = loaded.detector.detect(good, None, 1)
        wanted = embedding(loaded, good, faces)
        pixels = np.asarray(Corruption("dark", 0.0625).apply(picture, None, name))[..., ::-1]
        dark = Frame(np.ascontiguousarray(pixels), "bgr")
        cleared = Clearing(3.0).clear(dark)
        assert cleared is not dark
        gained.append(float(embedding(loaded, cleared, faces) @ wanted - embedding(loaded, dark, faces) @ wanted))
    assert np.mean(gained) > 0.1


def turned(pixels: Pixels, quarters: int) -> Frame:
    return Frame(np.ascontiguousarray(np.rot90(pixels, quarters)), "bgr")


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_faces_in_any_orientation_are_the_same_faces(loaded: LoadedModels, samples: Path, quarters: int) -> None:
    upright = Frame(read_bgr(samples / "person_a_2.jpg"), "bgr")
    wanted = loaded.detector.detect(upright, None, 1)
    frame = turned(upright.pixels, quarters)
    found = TurningDetector(loaded.detector).detect(frame, None, 1)
    assert embedding(loaded, frame, found) @ embedding(loaded, upright, wanted) > 0.98
    x, y, width, height = found.boxes[0]
    inside = found.landmarks[0] - np.array([x, y])
    assert (inside >= 0).all()
    assert (inside <= [width, height]).all()


@pytest.mark.parametrize("degrees", [-35, 20, 40])
def test_a_tilted_face_is_looked_at_upright(loaded: LoadedModels, samples: Path, degrees: int) -> None:
    picture = Image.open(samples / "person_b_2.jpg").convert("RGB")
    upright = Frame(np.ascontiguousarray(np.asarray(picture)[..., ::-1]), "bgr")
    wanted = embedding(loaded, upright, loaded.detector.detect(upright, None, 1))
    tilted = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120))
    frame = Frame(np.ascontiguousarray(np.asarray(tilted)[..., ::-1]), "bgr")
    first = loaded.detector.detect(frame, None, 1)
    assert len(first) == 1
    closer = loaded.detector.look_again(frame, first)
    assert not np.array_equal(closer.landmarks, first.landmarks), "the close-up shows it"
    assert embedding(loaded, frame, closer) @ wanted > 0.9


def test_a_close_up_that_shows_nothing_changes_nothing(loaded: LoadedModels) -> None:
    frame = Frame(np.full((300, 400, 3), 90, dtype=np.uint8), "bgr")
    points = np.array([[[100, 100], [130, 100], [115, 118], [104, 135], [126, 135]]], dtype=np.float32)
    faces = Faces(np.array([[85, 80, 60, 70]], dtype=np.float32), points, np.array([0.9], dtype=np.float32))
    np.testing.assert_array_equal(loaded.detector.look_again(frame, faces).landmarks, points)


def test_the_server_looks_in_any_orientation_if_told_to(start_server: StartServer, samples: Path) -> None:
    running = start_server("--set", "pipeline.any_orientation=true")
    upside_down = np.ascontiguousarray(np.rot90(read_bgr(samples / "person_a_2.jpg"), 2))
    with facewire.Client(running.target) as client:
        answer = client.verify(upside_down, samples / "person_a_1.jpg")
        assert answer.decision is facewire.Decision.MATCH
        (face,) = client.embed(samples / "person_a_1.jpg").faces
        assert face.face.quality.score > 0.5
        assert face.face.quality.issues == ()
        small = client.detect(_small(samples))
        assert facewire.QualityIssue.TOO_SMALL in small.faces[0].quality.issues


def _small(samples: Path) -> Pixels:
    picture = Image.open(samples / "person_a_1.jpg").convert("RGB")
    picture.thumbnail((90, 90))
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])

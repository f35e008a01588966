"""Faces for training are cut out by the product's own detector and alignment, and what is left out is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facewire import kernels, synthetic
from facewire_lab.errors import LabError
from facewire_lab.faces import load_faces
from facewire_lab.recipe import load_recipe
from facewire_lab.recipes import GanRecipe
from facewire_server.domain.frame import Frame
from facewire_server.loading import LoadedModels
from tests.integration.test_cli import run
from tests.lab.made_up import write_faces


@pytest.fixture
def pictures(samples: Path, tmp_path: Path) -> Path:
    """Two people, a stray picture, a wall, a broken file."""
    folder = tmp_path / "pictures"
    for person, names in (("ada", ("person_a_1", "person_a_2")), ("ben", ("person_b_1",))):
        (folder / person).mkdir(parents=True)
        for name in names:
            shutil.copy(samples / f"{name}.jpg", folder / person)
    shutil.copy(samples / "impostor_1.jpg", folder)
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    (folder / "made.png").write_bytes(synthetic.marked_png(np.zeros((64, 64, 3), np.uint8), "tool"))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_each_picture_gives_its_largest_face_or_a_reason(pictures: Path, tmp_path: Path) -> None:
    done = run("lab", "prepare", pictures, tmp_path / "faces", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faces"] == 4
    assert told["left_out"]["wall.png"] == "no face"
    assert "a model made" in told["left_out"]["made.png"]
    assert "is not a JPEG" in told["left_out"]["broken.jpg"]
    faces = load_faces(tmp_path / "faces")
    assert faces.facts.pictures == ["ada/person_a_1.jpg", "ada/person_a_2.jpg", "ben/person_b_1.jpg", "impostor_1.jpg"]
    assert faces.facts.people == ["ada", "ada", "ben", ""]


def test_pictures_that_a_model_made_are_taken_where_that_is_asked_for(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with Image.open(samples / "person_a_1.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB"))
    (tmp_path / "made" / "a.png").write_bytes(synthetic.marked_png(pixels, "tool"))
    assert run("lab", "prepare", tmp_path / "made", tmp_path / "faces").returncode == 1
    assert run("lab", "prepare", tmp_path / "made", tmp_path / "faces", "--allow-synthetic").returncode == 0
    assert len(load_faces(tmp_path / "faces")) == 1


@pytest.mark.parametrize("view", [0.6, 0.8])
def test_landmarks_lie_where_the_view_says(pictures: Path, tmp_path: Path, loaded: LoadedModels, view: float) -> None:
    assert run("lab", "prepare", pictures, tmp_path / "faces", "--view", str(view)).returncode == 0
    expected = (kernels.ARCFACE_TEMPLATE - 55.5) * view + 55.5
    for chip in load_faces(tmp_path / "faces").chips:
        enlarged = cv2.resize(np.asarray(chip), None, fx=3, fy=3)
        found = loaded.detector.detect(Frame(np.ascontiguousarray(enlarged, dtype=np.uint8), "rgb"), None, 1)
        assert len(found) == 1
        # The alignment is a similarity: faces differ from the template's by some pixels, the view by ten.
        assert np.abs((found.landmarks[0] + 0.5) / 3 - 0.5 - expected).mean() < 4


def test_a_folder_without_pictures_or_faces_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("lab", "prepare", tmp_path / "empty", tmp_path / "faces")
    assert (done.returncode, "has no JPEG, PNG or WebP pictures" in done.stderr) == (1, True)
    cv2.imwrite(str(tmp_path / "empty" / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    done = run("lab", "prepare", tmp_path / "empty", tmp_path / "faces")
    assert (done.returncode, "no face was found in any of the 1 pictures" in done.stderr) == (1, True)


def test_what_was_not_prepared_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="facewire lab prepare"):
        load_faces(tmp_path)


def test_faces_that_are_prepared_anew_leave_open_ones_alone(tmp_path: Path) -> None:
    folder = write_faces(tmp_path / "faces", colour=(1, 2, 3))
    before = load_faces(folder)
    write_faces(folder, count=5)
    assert before.chips[11, 0, 0].tolist() == [1, 2, 3]
    assert len(load_faces(folder)) == 5
    (folder / "faces.npy").write_bytes((folder / "faces.npy").read_bytes()[:-1] + b"x")
    with pytest.raises(LabError, match="is damaged: prepare it anew"):
        load_faces(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("stepz=3",), "stepz: unknown setting"),
        (("steps=0",), "steps: .*greater than or equal to 1"),
        (("steps",), "--set takes KEY=VALUE"),
    ],
)
def test_recipes_are_checked(settings: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabError, match=message):
        load_recipe(GanRecipe, None, settings)


def test_settings_override_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gan.toml"
    file.write_text("steps = 5\nbatch = 8\n")
    recipe = load_recipe(GanRecipe, file, ("steps=7",))
    assert (recipe.steps, recipe.batch) == (7, 8)

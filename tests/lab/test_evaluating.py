"""``facewire lab evaluate``: the figures of models that do nothing, copy, or are the committed ones, on photographs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facewire_lab import terminal
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces, load_faces
from facewire_server.cli.settings import effective_config
from facewire_server.domain.frame import Pixels
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.latents import Autoencoder
from tests.integration.test_cli import run

torch = pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

from facewire_lab import vae_judging  # noqa: E402 - needs PyTorch
from facewire_lab.degradation import DARK, DEGRADATIONS, FAR, Degradation  # noqa: E402
from facewire_lab.restorer_judging import judge_restorer  # noqa: E402
from facewire_lab.vae_judging import People, VaeJudge, other_things  # noqa: E402


@pytest.fixture(scope="module")
def faces(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photographs of four people."""
    folder = tmp_path_factory.mktemp("evaluating")
    for path in samples.glob("*.jpg"):
        person = path.stem if path.stem.startswith("impostor") else path.stem[:-2]
        (folder / "pictures" / person).mkdir(parents=True, exist_ok=True)
        (folder / "pictures" / person / path.name).write_bytes(path.read_bytes())
    done = run("lab", "prepare", folder / "pictures", folder / "faces")
    assert done.returncode == 0, done.stderr
    return folder / "faces"


@pytest.fixture(scope="module")
def prepared(faces: Path) -> PreparedFaces:
    return load_faces(faces)


@pytest.fixture(scope="module")
def made_here(small_models: tuple[str, ...]) -> LoadedModels:
    """The committed models, in this process."""
    return load_models(effective_config(None, small_models[1::2]))


def found(*arguments: str | Path) -> dict[str, object]:
    done = run("lab", "evaluate", *arguments, "--held-out", "1", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_committed_autoencoder_is_measured(faces: Path, small_models: tuple[str, ...], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    told = json.loads(json.dumps(found("vae", faces, *small_models, "--draws", "2", "--sheet", sheet)))
    assert (told["model"], told["faces"], told["units"]) == ("lfw-vae", 6, 160)
    assert 20 < told["psnr_db"] < 30
    assert told["active_units"] > 100
    assert told["likeness"]["patterns"]["auc"] > 0.95
    assert told["likeness"]["faces"]["refused"] == [0, 0]
    assert told["likeness"]["faces on their side"]["count"] == 6
    for k in ("k=5", "k=10"):
        hidden = told["anonymised"][k]
        assert hidden["people"] == 4
        assert hidden["rank1_before"]["mean"] == 1
        assert hidden["rank1"]["mean"] <= 0.5
        assert hidden["detected"]["mean"] == 1
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_more_people_than_there_are_cannot_be_told_apart(faces: Path, small_models: tuple[str, ...]) -> None:
    done = run("lab", "evaluate", "vae", faces, *small_models, "--held-out", "1", "--people", "5")
    assert (done.returncode, "4 of the people are measured, 5 are to be told apart" in done.stderr) == (1, True)


def test_an_anonymiser_that_changes_nothing_hides_nobody(
    prepared: PreparedFaces, made_here: LoadedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(autoencoder: Autoencoder, chip: Pixels, k: int) -> Pixels:
        return chip

    monkeypatch.setattr(vae_judging, "anonymous", nothing)
    assert made_here.autoencoder is not None
    judge = VaeJudge(made_here.autoencoder, made_here.detector, made_here.embedder)
    told = judge.anonymised(prepared, np.arange(len(prepared)), People(4, 2, 1), 5, lambda: None)
    assert told.rank1 == told.rank1_before
    assert told.rank1.mean == 1
    assert told.landmark_shift.mean == 0


def test_covered_faces_are_covered_where_mouth_and_eyes_are(prepared: PreparedFaces) -> None:
    things = other_things(prepared, np.arange(len(prepared)), [])
    first = prepared.chips[0]
    mouth, eyes = things["faces, mouth and nose covered"][0], things["faces, eyes covered"][0]
    assert (mouth[:50] == first[:50]).all()
    assert (mouth[78, 45:67] == (200, 205, 210)).all()
    assert (eyes[70:] == first[70:]).all()
    assert (eyes[48, 45:67] == (25, 25, 30)).all()


class Same:
    """A restorer that does nothing."""

    name, view = "same", 0.7

    def restore(self, chip: Pixels, clock: StageClock) -> Pixels:
        return chip


@pytest.mark.parametrize("way", [FAR, DEGRADATIONS["blurred"]])
def test_a_restorer_that_does_nothing_gains_nothing(
    prepared: PreparedFaces, loaded: LoadedModels, way: Degradation
) -> None:
    told = judge_restorer(Same(), loaded.embedder, way, prepared, np.arange(len(prepared)), lambda: None)
    for before, after in (told.psnr_db, told.ssim, told.cosine, told.cosine_as_cut):
        assert before == after
    assert 15 < told.psnr_db[0] < 35
    assert told.cosine[0] < 0.9


def test_dark_faces_are_compared_with_brightened_ones(prepared: PreparedFaces, loaded: LoadedModels) -> None:
    told = judge_restorer(Same(), loaded.embedder, DARK, prepared, np.arange(len(prepared)), lambda: None)
    assert told.psnr_db[0] > told.psnr_db[1] + 5


@pytest.mark.parametrize("degrade", sorted(DEGRADATIONS))
def test_the_committed_restorer_is_measured(
    faces: Path, small_models: tuple[str, ...], degrade: str, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    told = found("restorer", faces, *small_models, "--degrade", degrade, "--sheet", sheet)
    assert (told["model"], told["degraded"], told["faces"]) == ("lfw-restorer", degrade, 6)
    assert sheet.read_bytes().startswith(b"\x89PNG")
    if degrade == "far":
        before, after = told["psnr_db"]  # type: ignore[misc]
        assert after > before + 0.5  # type: ignore[has-type]


def test_the_packaged_embedder_is_measured(faces: Path) -> None:
    told = found("cnn", faces)
    assert (told["genuine"], told["impostor"], told["auc"]) == (2, 4, 1)
    assert told["tar"] == {}, "four pairs tell no rate"


def test_without_pytorch_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=r"pip install 'facewire\[lab\]'"):
        terminal.require_torch()


def test_faces_of_another_view_are_refused(small_models: tuple[str, ...], samples: Path, tmp_path: Path) -> None:
    assert run("lab", "prepare", samples, tmp_path / "tight", "--view", "1").returncode == 0
    for verb in ("vae", "restorer"):
        done = run("lab", "evaluate", verb, tmp_path / "tight", *small_models, "--held-out", "1")
        assert (done.returncode, "facewire lab prepare PICTURES FACES --view 0.7" in done.stderr) == (1, True)


def test_a_sheet_overwrites_no_photograph(
    faces: Path, small_models: tuple[str, ...], samples: Path, tmp_path: Path
) -> None:
    with Image.open(samples / "person_a_1.jpg") as photo:
        photo.save(tmp_path / "photo.png")
    before = (tmp_path / "photo.png").read_bytes()
    for name in ("photo.png", "sheet.jpg"):
        sheet = ("--sheet", tmp_path / name)
        done = run("lab", "evaluate", "restorer", faces, *small_models, "--held-out", "1", *sheet)
        assert done.returncode == 2, done.stderr
    assert (tmp_path / "photo.png").read_bytes() == before
    assert not (tmp_path / "sheet.jpg").exists()

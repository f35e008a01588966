"""Every family from training to the server: trained, gone on with after a kill, exported, answering as PyTorch does."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire_lab.faces import load_faces
from facewire_lab.families import FAMILIES
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from tests.conftest import StartServer
from tests.integration.test_cli import FACEWIRE, run
from tests.lab.made_up import ORIGIN, write_faces

torch = pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

from facewire_lab.checkpoint import load_checkpoint  # noqa: E402 - needs PyTorch
from facewire_lab.export import trained  # noqa: E402
from facewire_lab.journal import read_journal  # noqa: E402
from facewire_lab.planes import as_planes  # noqa: E402
from facewire_lab.recipes import VaeRecipe  # noqa: E402
from facewire_lab.restorer_export import restorer_of  # noqa: E402
from facewire_lab.training import Training, train  # noqa: E402
from facewire_lab.vae_export import networks_of  # noqa: E402
from facewire_lab.vae_task import VaeTask  # noqa: E402

SMALL = {
    "cnn": ("width=4", "batch=4", "dim=8", "held_out=0.4"),
    "gan": ("width=4", "batch=4", "latent=8"),
    "vae": ("width=4", "batch=4", "latent=8", "held_out=0.4"),
    "restorer": ("width=4", "batch=4", "blocks=1", "identity=0", "held_out=0.4", "refine_after=0.5"),
    "adapter": (),
}


def settings(family: str, *more: str) -> list[str]:
    return [text for setting in (*SMALL[family], *more) for text in ("--set", setting)]


@pytest.fixture
def faces(tmp_path: Path, model_cache: ModelCache) -> Path:
    """Six people with four pictures each."""
    return write_faces(tmp_path / "faces", count=24, each=4)


def losses(folder: Path) -> list[float]:
    rows = read_journal(folder / "log.csv")
    return [float(row[next(name for name in row if name.startswith("loss"))]) for row in rows]


def train_family(family: str, faces: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    done = run("lab", "train", family, faces, folder, *settings(family, *more))
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_killed_training_goes_on_as_if_nothing_had_happened(family: str, faces: Path, tmp_path: Path) -> None:
    count = 1000 if family == "adapter" else 120  # its steps are so quick that it could be done before the kill
    steps = (f"steps={count}", "checkpoint_every=3", "validate_every=10", "patience=0")
    train_family(family, faces, tmp_path / "whole", *steps)
    folder = tmp_path / "killed"
    command = [str(FACEWIRE), "lab", "train", family, str(faces), str(folder), *settings(family, *steps)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (folder / "checkpoint.pt").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was killed before it was done"
    assert load_checkpoint(folder / "checkpoint.pt").step < count
    train_family(family, faces, folder, *steps)
    assert losses(folder) == pytest.approx(losses(tmp_path / "whole"), rel=1e-3, abs=1e-4)
    measured = [read_journal(each / "validation.csv") for each in (folder, tmp_path / "whole")]
    assert [row["step"] for row in measured[0]] == [row["step"] for row in measured[1]]
    if family in ("cnn", "vae", "restorer"):
        assert [row["step"] for row in measured[0]] == [str(step) for step in range(10, 121, 10)]
        assert trained(folder).step == trained(tmp_path / "whole").step, "the same state is the best"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_sheet_shows_what_it_does(family: str, faces: Path, tmp_path: Path) -> None:
    train_family(family, faces, tmp_path / "run", "steps=2")
    done = run("lab", "sample", tmp_path / "run", tmp_path / "sheet.png", "--count", "4")
    assert done.returncode == 0, done.stderr
    sheet = (tmp_path / "sheet.png").read_bytes()
    assert facewire.synthetic.says_synthetic(sheet)
    assert np.asarray(Image.open(io.BytesIO(sheet))).std() > 1, "something is on it"


class GettingWorse(VaeTask):
    """Whose measurements fall from the third on."""

    measured = 0

    def validate(self, held: object) -> dict[str, float]:
        self.measured += 1
        return {"score": -abs(3.0 - self.measured)}


def test_a_training_ends_when_nothing_gets_better_and_the_best_is_exported(faces: Path, tmp_path: Path) -> None:
    recipe = VaeRecipe(width=4, batch=4, latent=8, steps=100, held_out=0.4, validate_every=2, patience=3)
    task = GettingWorse(recipe, torch.device("cpu"))
    training = Training("vae", task, recipe, load_faces(faces), tmp_path / "run")
    outcome = train(training, lambda done, numbers: None)
    assert (outcome.done, outcome.early) == (12, True)
    assert trained(tmp_path / "run").step == 6
    assert load_checkpoint(tmp_path / "run" / "checkpoint.pt").step == 12
    again = train(training, lambda done, numbers: None)
    assert (again.done, again.early) == (12, True), "it stays ended"
    longer = Training(
        "vae", task, recipe.model_copy(update={"patience": 0, "steps": 14}), load_faces(faces), training.folder
    )
    assert train(longer, lambda done, numbers: None).done == 14, "more patience goes on"


def test_held_out_people_are_never_trained_on(faces: Path, tmp_path: Path) -> None:
    seen: set[int] = set()

    class Watched(VaeTask):
        def step(self, batch):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            seen.update(batch.people.tolist())
            return super().step(batch)

        def validate(self, held):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            assert not seen & set(held.people.tolist())
            return super().validate(held)

    recipe = VaeRecipe(width=4, batch=4, latent=8, steps=20, held_out=0.4, validate_every=5)
    train(
        Training("vae", Watched(recipe, torch.device("cpu")), recipe, load_faces(faces), tmp_path / "run"),
        lambda *_: None,
    )
    assert len(seen) == 4


def export_and_fetch(run_folder: Path, out: Path, cache: ModelCache, *more: str | Path) -> Path:
    done = run("lab", "export", run_folder, out, "--name", "mine", *ORIGIN, *more)
    assert done.returncode == 0, done.stderr
    for name in load_manifest(out / "mine.toml").models:
        if name.startswith("mine"):
            fetch_model(cache, load_manifest(out / "mine.toml").get(name), None, lambda done, total: None)
    card = (out / "mine.md").read_text()
    assert re.search(r"^\| licence \| (.+; )?own \|$", card, re.MULTILINE)
    assert "| data | made up |" in card
    assert re.search(r"^\| trained on \| \d+ faces of \d+ people", card, re.MULTILINE)
    return out / "mine.toml"


def pixels_of(encoded: bytes) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")).astype(np.float32)


def test_the_server_restores_as_pytorch_does(
    faces: Path, tmp_path: Path, model_cache: ModelCache, start_server: StartServer, samples: Path
) -> None:
    train_family("restorer", faces, tmp_path / "run", "steps=12", "learning_rate=0.01")
    manifest = export_and_fetch(tmp_path / "run", tmp_path / "models", model_cache)
    server = start_server("--set", f"models.manifest={manifest}", "--set", "generation.restorer=mine")
    with facewire.Client(server.target) as client:
        (face,) = client.restore(samples / "person_a_1.jpg").faces
    before = pixels_of(face.before)
    network = restorer_of(trained(tmp_path / "run"))
    with torch.no_grad():
        expected = network(as_planes(torch.from_numpy(before.astype(np.uint8))[None], 112, torch.device("cpu")))
    after = np.clip((expected[0].permute(1, 2, 0).numpy() + 1) * 127.5, 0, 255)
    assert np.abs(pixels_of(face.image.encoded) - after).max() <= 2
    assert np.abs(after - before).mean() > 0.1, "it changes something"


def test_the_server_encodes_as_pytorch_does(
    faces: Path, tmp_path: Path, model_cache: ModelCache, start_server: StartServer, samples: Path
) -> None:
    train_family("vae", faces, tmp_path / "run", "steps=30")
    alone = run("lab", "export", tmp_path / "run", tmp_path / "no", "--name", "mine", *ORIGIN)
    assert (alone.returncode, "give them with --faces" in alone.stderr) == (1, True)
    assert not (tmp_path / "no").exists()
    manifest = export_and_fetch(tmp_path / "run", tmp_path / "models", model_cache, "--faces", faces)
    server = start_server("--set", f"models.manifest={manifest}", "--set", "generation.encoder=mine")
    with facewire.Client(server.target) as client:
        (found,) = client.encode(samples / "person_a_1.jpg").faces
        (again,) = client.reconstruct(samples / "person_a_1.jpg").faces
        with pytest.raises(facewire.InvalidArgumentError, match="must have 8 numbers"):
            client.interpolate(facewire.Latent((0.0,), (), "mine"), samples / "person_a_1.jpg")
    encoder, decoder = networks_of(trained(tmp_path / "run"))
    small = pixels_of(again.before).astype(np.uint8)
    with torch.no_grad():
        mean, _ = encoder(as_planes(torch.from_numpy(small)[None], 64, torch.device("cpu")))
        made = decoder(mean)[0].permute(1, 2, 0).numpy()
    assert found.latent.mean == pytest.approx(mean[0].tolist(), abs=0.02)
    assert np.abs(pixels_of(again.image.encoded) - np.clip((made + 1) * 127.5, 0, 255)).max() <= 3


@pytest.mark.parametrize("network", ["classic", "mobilefacenet"])
def test_the_server_recognises_with_an_embedder_trained_here(
    network: str, faces: Path, tmp_path: Path, model_cache: ModelCache, start_server: StartServer, samples: Path
) -> None:
    train_family("cnn", faces, tmp_path / "run", "steps=12", f"network={network}", "loss=cosface")
    manifest = export_and_fetch(tmp_path / "run", tmp_path / "models", model_cache, "--faces", faces)
    server = start_server(
        "--set", f"models.manifest={manifest}", "--set", "models.embedder=mine", "--set", "models.precision=f32"
    )
    with facewire.Client(server.target) as client:
        contract = client.server_info().contract_id
        same = client.verify(samples / "person_a_1.jpg", samples / "person_a_1.jpg")
    assert f"| contract | {contract} " in (tmp_path / "models" / "mine.md").read_text()
    assert same.decision is facewire.Decision.MATCH
    assert same.similarity == pytest.approx(1.0, abs=1e-3)


def test_the_server_compares_through_an_adapter(
    tmp_path: Path, model_cache: ModelCache, start_server: StartServer, samples: Path
) -> None:
    """As the plain embedder's embeddings, mapped by the trained matrix."""
    folder = tmp_path / "people"
    for person in ("person_a", "person_b"):
        (folder / person).mkdir(parents=True)
        for path in samples.glob(f"{person}_*.jpg"):
            (folder / person / path.name).write_bytes(path.read_bytes())
    assert run("lab", "prepare", folder, tmp_path / "faces", "--view", "1").returncode == 0
    hard = ("strength=0", "margin=0.9", "learning_rate=0.05")  # two people are told apart well enough as they are
    train_family("adapter", tmp_path / "faces", tmp_path / "run", *hard)
    manifest = export_and_fetch(tmp_path / "run", tmp_path / "models", model_cache)
    adapter = trained(tmp_path / "run").task["adapter"]["change"].numpy()
    matrix = np.eye(len(adapter)) + (adapter + adapter.T) / 2
    assert np.abs(matrix - np.eye(len(adapter))).max() > 1e-3, "it learnt something"
    wanted: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    given: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for more in ((), ("--set", f"models.manifest={manifest}", "--set", "models.embedder=mine")):
        server = start_server("--set", "models.precision=f32", *more, gallery_db=tmp_path / f"{len(more)}.db")
        with facewire.Client(server.target) as client:
            vector = client.embed(samples / "person_a_1.jpg", looks=1).faces[0].embedding.values
        (given if more else wanted).append(np.array(vector))
    mapped = wanted[0] @ matrix
    assert given[0] == pytest.approx(mapped / np.linalg.norm(mapped), abs=1e-4)


def test_an_adapter_is_judged_on_people_it_was_not_trained_on(tmp_path: Path, model_cache: ModelCache) -> None:
    """Noise has no people in it: nothing is gained, and every figure is there."""
    faces = write_faces(tmp_path / "faces", count=40, each=5)
    done = run("lab", "evaluate", "adapter", faces, "--enrol", "3", "--splits", "2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"best of templates", "as the server compares", "with an adapter"}
    assert all(0 <= each["fnir"] <= 1 for each in told.values())


def test_a_folder_without_people_trains_no_embedder(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    done = run("lab", "train", "cnn", faces, tmp_path / "run", "--set", "batch=4")
    assert (done.returncode, "two people with 2 pictures each are needed" in done.stderr) == (1, True)


def test_another_family_does_not_go_on_with_a_run(faces: Path, tmp_path: Path) -> None:
    train_family("gan", faces, tmp_path / "run", "steps=2")
    done = run("lab", "train", "vae", faces, tmp_path / "run", *settings("vae", "steps=4"))
    assert (done.returncode, "holds a training of family 'gan'" in done.stderr) == (1, True)


def test_a_recipe_of_another_family_is_refused(faces: Path, tmp_path: Path) -> None:
    done = run("lab", "train", "vae", faces, tmp_path / "run", "--set", "network=classic")
    assert (done.returncode, "recipe: network: unknown setting" in done.stderr) == (1, True)


def test_exporting_with_other_faces_is_told(faces: Path, tmp_path: Path) -> None:
    train_family("vae", faces, tmp_path / "run", "steps=2")
    others = write_faces(tmp_path / "others", count=13)
    done = run(
        "lab",
        "export",
        tmp_path / "run",
        tmp_path / "o",
        "--name",
        "x",
        *ORIGIN,
        "--faces",
        others,
    )
    assert (done.returncode, "was trained on other faces" in done.stderr) == (1, True)

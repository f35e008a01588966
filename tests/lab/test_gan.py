"""A GAN from training to the server: it learns, goes on after a kill, and the server makes PyTorch's faces."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire import synthetic
from facewire_lab.errors import LabError
from facewire_lab.faces import load_faces
from facewire_lab.recipe import load_recipe
from facewire_lab.recipes import GanRecipe
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from tests.conftest import StartServer
from tests.integration.test_cli import FACEWIRE, run
from tests.lab.made_up import ORIGIN, write_faces

torch = pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

from facewire_lab.augmentation import augment  # noqa: E402 - needs PyTorch
from facewire_lab.checkpoint import load_checkpoint  # noqa: E402
from facewire_lab.dcgan import Discriminator, Generator  # noqa: E402
from facewire_lab.export import trained  # noqa: E402
from facewire_lab.gan import GanTask  # noqa: E402
from facewire_lab.gan_export import generator_of  # noqa: E402
from facewire_lab.journal import read_journal  # noqa: E402
from facewire_lab.training import Training, train  # noqa: E402

SMALL = ("--set", "width=4", "--set", "batch=4", "--set", "latent=8", "--set", "checkpoint_every=3")


def small(steps: int, **changes: float) -> GanRecipe:
    values = {"width": 4, "batch": 4, "latent": 8, "steps": steps, "checkpoint_every": 3, "sample_every": 1000}
    return load_recipe(GanRecipe, None, tuple(f"{key}={value}" for key, value in (values | changes).items()))


def run_training(folder: Path, faces: Path, recipe: GanRecipe) -> list[float]:
    """The generator's losses."""
    train(training(folder, faces, recipe), lambda done, numbers: None)
    return losses(folder)


def training(folder: Path, faces: Path, recipe: GanRecipe, task: GanTask | None = None) -> Training:
    return Training("gan", task or GanTask(recipe, torch.device("cpu")), recipe, load_faces(faces), folder)


def losses(folder: Path) -> list[float]:
    return [float(row["loss_generator"]) for row in read_journal(folder / "log.csv")]


def test_the_networks_are_those_of_the_paper() -> None:
    generator, discriminator = Generator(100, 64), Discriminator(64)
    pictures = generator(torch.zeros(2, 100, 1, 1))
    assert pictures.shape == (2, 3, 64, 64)
    assert discriminator(pictures).shape == (2,)
    shapes = [tuple(v.shape) for v in generator.state_dict().values() if v.ndim == 4]
    assert shapes == [(100, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 64, 4, 4), (64, 3, 4, 4)]


def test_it_learns(tmp_path: Path) -> None:
    """Real faces are all of one colour: made ones must come near it."""
    colour = (200, 60, 120)
    faces = write_faces(tmp_path / "faces", colour=colour)
    recipe = small(300, ema=0.9, learning_rate=0.002, augment=0, width=8)
    task = GanTask(recipe, torch.device("cpu"))
    before = shown_colour(task)
    train(training(tmp_path / "run", faces, recipe, task), lambda done, numbers: None)
    after = shown_colour(task)
    assert np.abs(before - colour).max() > 50
    assert np.abs(after - colour).max() < 25


def shown_colour(task: GanTask) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The mean of a sheet, but for its white lines."""
    pixels = np.asarray(Image.open(io.BytesIO(task.sample(None))))
    return pixels[(pixels != 255).any(axis=2)].mean(axis=0)


def test_the_same_seed_trains_the_same(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    first, second, other = (
        run_training(tmp_path / name, faces, small(4, seed=seed)) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == pytest.approx(second, rel=1e-4)
    assert first != pytest.approx(other, rel=1e-2)


def kill_at(folder: Path, faces: Path, lines: int) -> None:
    """Starts or goes on with a training, and kills it once its log has so many lines and there is a checkpoint."""
    command = [str(FACEWIRE), "lab", "train", "gan", str(faces), str(folder), *SMALL, "--set", "steps=300"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (folder / "checkpoint.pt").exists() and len(losses(folder)) >= lines:
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was killed before it was done"


def test_a_training_that_is_killed_twice_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    whole = run_training(tmp_path / "whole", faces, small(300))
    folder = tmp_path / "killed"
    kill_at(folder, faces, 1)
    once = len(losses(folder))
    kill_at(folder, faces, once + 20)
    assert once < len(losses(folder)) < 300
    done = run("lab", "train", "gan", faces, folder, *SMALL, "--set", "steps=300")
    assert done.returncode == 0, done.stderr
    steps = [int(row["step"]) for row in read_journal(folder / "log.csv")]
    assert steps == list(range(300)), "each step is in the log once"
    assert losses(folder) == pytest.approx(whole, rel=1e-3)


def test_a_training_that_is_asked_to_stop_keeps_its_work(tmp_path: Path) -> None:
    faces, folder = write_faces(tmp_path / "faces"), tmp_path / "run"
    command = [str(FACEWIRE), "lab", "train", "gan", str(faces), str(folder), *SMALL[:-2], "--set", "steps=100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (folder / "tensorboard").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    done = load_checkpoint(folder / "checkpoint.pt").step
    assert f"stopped after {done} of 100000 steps; the same command goes on" in errors
    assert len(losses(folder)) == done > 0


def test_the_average_has_statistics_of_its_own(tmp_path: Path) -> None:
    """With another network's its pictures would be flat."""
    faces, folder = write_faces(tmp_path / "faces"), tmp_path / "run"
    run_training(folder, faces, small(60, ema=0.98))
    generator = generator_of(trained(folder))
    last = [module for module in generator.modules() if isinstance(module, torch.nn.BatchNorm2d)][-1]
    seen = []
    last.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    with torch.no_grad():
        generator(torch.randn(256, 8, 1, 1, generator=torch.Generator().manual_seed(1)))
    measured = seen[0].var(dim=(0, 2, 3))
    assert (measured / last.running_var).log().abs().max() < 0.4


def test_another_recipe_does_not_go_on_with_a_run(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    run_training(tmp_path / "run", faces, small(3))
    with pytest.raises(LabError, match="was begun with another latent, width"):
        run_training(tmp_path / "run", faces, small(6, latent=9, width=5))
    assert len(run_training(tmp_path / "run", faces, small(6))) == 6, "more steps may be asked for"


def other_torch_file() -> bytes:
    out = io.BytesIO()
    torch.save({"weights": torch.zeros(3)}, out)
    return out.getvalue()


@pytest.mark.parametrize("content", [b"", b"nothing that torch.save wrote", other_torch_file()])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, content: bytes) -> None:
    faces = write_faces(tmp_path / "faces")
    run_training(tmp_path / "run", faces, small(3))
    (tmp_path / "run" / "checkpoint.pt").write_bytes(content)
    with pytest.raises(LabError, match=r"checkpoint\.pt is damaged, or no checkpoint of a training"):
        run_training(tmp_path / "run", faces, small(6))
    with pytest.raises(LabError, match="is damaged"):
        trained(tmp_path / "run")


def test_a_run_stays_with_its_faces_and_its_steps(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    run_training(tmp_path / "run", faces, small(6))
    with pytest.raises(LabError, match="was begun with other faces"):
        run_training(tmp_path / "run", write_faces(tmp_path / "others", count=13), small(9))
    with pytest.raises(LabError, match="6 steps are done already, more than the 3"):
        run_training(tmp_path / "run", faces, small(3))
    done = run("lab", "train", "gan", faces, faces, *SMALL)
    assert (done.returncode, "RUN and FACES are the same folder" in done.stderr) == (1, True)


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    recipe = small(2)

    def train_there_too(done: int, numbers: dict[str, float]) -> None:
        with pytest.raises(LabError, match="another training works in"):
            run_training(tmp_path / "run", faces, recipe)

    train(training(tmp_path / "run", faces, recipe), train_there_too)


@pytest.mark.parametrize("name", ["../escaped", "a/b", "", "Capital", "line\nbreak", "x" * 64])
def test_names_that_no_manifest_takes_are_refused(tmp_path: Path, name: str) -> None:
    faces = write_faces(tmp_path / "faces")
    run_training(tmp_path / "run", faces, small(2))
    done = run("lab", "export", tmp_path / "run", tmp_path / "out", "--name", name, *ORIGIN)
    assert (done.returncode, "a model's name is" in done.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def test_losses_that_are_no_numbers_end_the_training(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    recipe = small(2)
    task = GanTask(recipe, torch.device("cpu"))
    with torch.no_grad():
        for weight in task.average.parameters():
            weight.fill_(float("nan"))
    state = task.state()
    task.restore({**state, "generator": state["average"]})
    with pytest.raises(LabError, match="train into a new folder with a lower learning_rate"):
        train(training(tmp_path / "run", faces, recipe, task), lambda done, numbers: None)


def test_too_few_faces_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="3 faces are fewer than a batch of 4"):
        run_training(tmp_path / "run", write_faces(tmp_path / "faces", count=3), small(1))


def test_augmentation_changes_pictures_and_lets_gradients_pass() -> None:
    pictures = torch.rand(8, 3, 64, 64, requires_grad=True)
    assert augment(pictures, 0) is pictures
    changed = augment(pictures, 1)
    assert changed.shape == pictures.shape
    assert all(not torch.equal(a, b) for a, b in zip(changed, pictures, strict=True))
    changed.sum().backward()
    assert pictures.grad is not None
    assert (pictures.grad != 0).float().mean() > 0.3


def test_the_server_makes_what_pytorch_makes(
    tmp_path: Path, model_cache: ModelCache, start_server: StartServer
) -> None:
    """Trained, exported, fetched, served: the same pixels for the same numbers."""
    faces, folder, out = write_faces(tmp_path / "faces"), tmp_path / "run", tmp_path / "models"
    assert run("lab", "train", "gan", faces, folder, *SMALL, "--set", "steps=30").returncode == 0
    done = run("lab", "export", folder, out, "--name", "mine", "--licence", 'our "own" \U0001f600', "--data", "made up")
    assert done.returncode == 0, done.stderr
    card = (out / "mine.md").read_text()
    assert "| steps | 30 |" in card
    assert "batch 4" in card
    spec = load_manifest(out / "mine.toml").get("mine")
    assert spec.licence == 'our "own" \U0001f600'
    assert spec.golden is not None
    fetch_model(model_cache, spec, None, lambda done, total: None)
    server = start_server("--set", f"models.manifest={out / 'mine.toml'}", "--set", "generation.model=mine")
    with facewire.Client(server.target) as client:
        made = client.generate(4, seed=11)
    found = trained(folder)
    generator = generator_of(found)
    assert found.step == 30
    numbers = np.random.default_rng(11)
    for image in made.images:
        z = numbers.standard_normal(8, dtype=np.float32)
        with torch.no_grad():
            expected = generator(torch.from_numpy(z).reshape(1, 8, 1, 1))[0].permute(1, 2, 0).numpy()
        pixels = np.asarray(Image.open(io.BytesIO(image.encoded))).astype(np.float32)
        assert np.abs(pixels - np.clip((expected + 1) * 127.5, 0, 255)).max() <= 1


def test_samples_are_on_a_marked_sheet(tmp_path: Path) -> None:
    faces, folder = write_faces(tmp_path / "faces"), tmp_path / "run"
    run_training(folder, faces, small(3))
    sheets = [path.read_bytes() for path in (folder / "samples").iterdir()]
    done = run("lab", "sample", folder, tmp_path / "sheet.png", "--count", "5")
    assert done.returncode == 0, done.stderr
    sheets.append((tmp_path / "sheet.png").read_bytes())
    assert len(sheets) == 2
    assert all(synthetic.says_synthetic(sheet) for sheet in sheets)


def test_untrained_runs_are_told(tmp_path: Path) -> None:
    done = run("lab", "sample", tmp_path, tmp_path / "sheet.png")
    assert (done.returncode, "train first" in done.stderr) == (1, True)


def test_without_pytorch_the_remedy_is_told(tmp_path: Path) -> None:
    faces = write_faces(tmp_path / "faces")
    code = (
        "import sys; sys.modules['torch'] = None; from facewire.cli.main import main; "
        f"sys.argv = ['facewire', 'lab', 'train', 'gan', {str(faces)!r}, {str(tmp_path / 'run')!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'facewire[lab]'" in done.stderr) == (1, True)

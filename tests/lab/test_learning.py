"""Each family learns: what it is trained for gets better, and each term of a loss pulls its way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facewire_lab.faces import FaceFacts, PreparedFaces, load_faces
from facewire_lab.families import make_training
from facewire_lab.recipe import Recipe
from facewire_lab.recipes import CnnRecipe, RestorerRecipe, VaeRecipe
from facewire_server.config import Config
from tests.integration.test_cli import run

torch = pytest.importorskip("torch", reason="PyTorch is not installed; 'make lab-test' installs it")

from torch import Tensor  # noqa: E402 - needs PyTorch

from facewire_lab.journal import read_journal  # noqa: E402 - needs PyTorch
from facewire_lab.restorer_task import RestorerTask  # noqa: E402
from facewire_lab.task import Batch  # noqa: E402
from facewire_lab.training import train  # noqa: E402


@pytest.fixture(scope="module")
def people(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedFaces:
    """Six photographs as twelve people, each turned and made lighter or darker in eight ways."""
    folder = tmp_path_factory.mktemp("learning")
    done = run("lab", "prepare", samples, folder / "faces")
    assert done.returncode == 0, done.stderr
    random, chips, names = np.random.default_rng(3), [], []
    for number, chip in enumerate(load_faces(folder / "faces").chips):
        for mirrored in (False, True):
            for _ in range(8):
                shown = np.roll(chip[:, ::-1] if mirrored else chip, random.integers(-3, 4, 2), axis=(0, 1))
                chips.append((shown * random.uniform(0.7, 1.0)).astype(np.uint8))
                names.append(f"{number} {mirrored}")
    pictures = [f"{number}.png" for number in range(len(chips))]
    return PreparedFaces(np.stack(chips), FaceFacts("", 0.7, pictures, names), "")


def trained(family: str, recipe: Recipe, people: PreparedFaces, folder: Path, config: Config) -> list[dict[str, float]]:
    """The numbers of each step."""
    rows: list[dict[str, float]] = []
    training = make_training(family, recipe, people, folder, torch.device("cpu"), config)
    train(training, lambda done, numbers: rows.append(numbers) if numbers else None)
    return rows


def mean(rows: list[dict[str, float]], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def test_a_cnn_learns_whom_it_sees(people: PreparedFaces, tmp_path: Path, config: Config) -> None:
    recipe = CnnRecipe(network="classic", loss="softmax", width=8, dim=16, batch=24, steps=80, augment=0.2)
    rows = trained("cnn", recipe, people, tmp_path / "run", config)
    assert mean(rows[-10:], "right") > 0.6, "of twelve people"
    assert mean(rows[-10:], "loss") < 0.5 * mean(rows[:5], "loss")


def test_a_vae_learns_to_reconstruct_and_its_kl_term_holds_the_latent(
    people: PreparedFaces, tmp_path: Path, config: Config
) -> None:
    found = {}
    for beta in (0.0, 30.0):
        recipe = VaeRecipe(
            width=8, latent=16, batch=16, steps=80, beta=beta, beta_steps=10, validate_every=80, learning_rate=2e-3
        )
        folder = tmp_path / f"{beta}"
        rows = trained("vae", recipe, people, folder, config)
        assert mean(rows[-10:], "mse") < 0.5 * mean(rows[:5], "mse")
        found[beta] = float(read_journal(folder / "validation.csv")[-1]["kl_nats"])
    assert found[30.0] < 0.7 * found[0.0]


@pytest.mark.parametrize("name", ["pixel", "structure", "identity"])
def test_each_loss_of_a_restorer_falls_where_it_alone_counts(
    people: PreparedFaces, tmp_path: Path, config: Config, name: str
) -> None:
    """On the same faces, spoilt the same way each time."""
    weights = {each: float(each == name) for each in ("pixel", "structure", "identity", "adversarial")}
    recipe = RestorerRecipe(width=16, blocks=1, batch=8, refine_after=0.0, learning_rate=3e-3, steps=30)
    task = make_training(
        "restorer", recipe.model_copy(update=weights), people, tmp_path, torch.device("cpu"), config
    ).task
    batch = Batch(torch.from_numpy(people.chips[:8]), torch.zeros(8, dtype=torch.int64), torch.arange(8))
    losses = []
    for _ in range(30):
        torch.manual_seed(1)
        losses.append(task.step(batch)[f"loss_{name}"])
    assert np.mean(losses[-5:]) < 0.97 * losses[0]


def test_any_face_of_a_batch_may_be_compared_by_the_embedder(
    people: PreparedFaces, tmp_path: Path, config: Config
) -> None:
    """A batch is in the order of its people: were its first faces taken, the last people would never be."""
    recipe = RestorerRecipe(width=8, blocks=1, batch=16, steps=1)
    task = make_training("restorer", recipe, people, tmp_path, torch.device("cpu"), config).task
    assert isinstance(task, RestorerTask)
    clean = torch.arange(16.0).view(16, 1, 1, 1).expand(16, 3, 4, 4)
    seen: set[float] = set()

    def embedder(faces: Tensor) -> Tensor:
        seen.update(faces[:, 0, 0, 0].tolist())
        return faces.flatten(1)

    task._embedder = embedder
    for step in range(100):
        torch.manual_seed(step)
        task._unlike(clean, clean)
    assert seen == set(range(16))

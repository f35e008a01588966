"""The one training loop: batches, checkpoints, going on after a kill, logs, sample sheets."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor

from facewire import synthetic
from facewire_lab.checkpoint import load_checkpoint, save_checkpoint
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces
from facewire_lab.journal import Journal
from facewire_lab.recipe import GanRecipe

CHECKPOINT: Final = "checkpoint.pt"
RECIPE: Final = "recipe.json"
_STEPS_OF_A_SEED: Final = 1_000_003
_MAY_CHANGE: Final = {"steps", "checkpoint_every", "sample_every"}
OnStep = Callable[[int, dict[str, float]], None]  # steps done, the numbers of the last one


class Task(Protocol):
    """What is trained."""

    def step(self, chips: Tensor) -> dict[str, float]:
        """One step on uint8 (n, 112, 112, 3) faces; the numbers to log."""
        ...

    def sample(self) -> Tensor:
        """Pictures for people's eyes, uint8 (n, S, S, 3)."""
        ...

    def state(self) -> dict[str, Any]:
        """All that training goes on from."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state."""
        ...


def train(task: Task, faces: PreparedFaces, recipe: GanRecipe, folder: Path, on_step: OnStep) -> None:
    """Trains in a folder of its own until the recipe's steps are done; goes on from its checkpoint, if there is one.

    Each step's random numbers follow from the seed and its number alone, so that a training that was killed becomes the
    same as one that was not.

    Raises:
        LabError: too few faces, a damaged checkpoint, one of another recipe.
    """
    if len(faces) < recipe.batch:
        raise LabError(f"{len(faces)} faces are fewer than a batch of {recipe.batch}; prepare more, or set batch")
    folder.mkdir(parents=True, exist_ok=True)
    _keep_recipe(folder, recipe)
    path = folder / CHECKPOINT
    done = 0
    if path.exists():
        state = load_checkpoint(path)
        task.restore(state["task"])
        done = int(state["step"])
    on_step(done, {})
    with closing(Journal(folder, done)) as journal:
        for step in range(done, recipe.steps):
            numbers = task.step(_batch(faces, recipe, step))
            if not all(np.isfinite(value) for value in numbers.values()):
                raise LabError(f"step {step}: the losses are no numbers any more ({numbers}); lower learning_rate")
            journal.write(step, numbers)
            on_step(step + 1, numbers)
            last = step + 1 == recipe.steps
            if last or (step + 1) % recipe.sample_every == 0:
                _write_sheet(folder, task.sample(), step + 1)
            if last or (step + 1) % recipe.checkpoint_every == 0:
                journal.flush()
                save_checkpoint(path, {"task": task.state(), "step": step + 1})


def _batch(faces: PreparedFaces, recipe: GanRecipe, step: int) -> Tensor:
    """Faces of a step, each at most once; also sets the random numbers of the step."""
    torch.manual_seed(recipe.seed * _STEPS_OF_A_SEED + step)
    chosen = np.random.default_rng([recipe.seed, step]).choice(len(faces), recipe.batch, replace=False)
    return torch.from_numpy(faces.chips[np.sort(chosen)])


def _keep_recipe(folder: Path, recipe: GanRecipe) -> None:
    path = folder / RECIPE
    wanted = recipe.model_dump()
    if path.exists() and (folder / CHECKPOINT).exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [key for key, value in wanted.items() if key not in _MAY_CHANGE and before.get(key) != value]
        if changed:
            raise LabError(
                f"{folder} was begun with another {', '.join(changed)}: train into a new folder, or use the same recipe"
            )
    path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def _write_sheet(folder: Path, pictures: Tensor, step: int) -> None:
    files = [synthetic.marked_png(picture, "facewire lab") for picture in pictures.numpy()]
    (folder / "samples").mkdir(exist_ok=True)
    (folder / "samples" / f"step-{step:07d}.png").write_bytes(synthetic.contact_sheet(files, "facewire lab"))

"""The one training loop: batches, checkpoints, going on after a kill, logs, sample sheets."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor

from facewire import synthetic
from facewire_lab.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces
from facewire_lab.journal import Journal
from facewire_lab.recipe import GanRecipe

CHECKPOINT: Final = "checkpoint.pt"
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


def train(
    task: Task, faces: PreparedFaces, recipe: GanRecipe, folder: Path, on_step: OnStep,
    stop: Callable[[], bool] = lambda: False,
) -> int:  # fmt: skip
    """Trains in a folder of its own until the recipe's steps are done; goes on from its checkpoint, if there is one.

    Each step's random numbers follow from the seed and its number alone, so that a training that was killed becomes the
    same as one that was not.

    Args:
        task, faces, recipe, folder: what, on what, how, and where.
        on_step: told of each step.
        stop: asked after each step; True ends the training with a checkpoint.

    Returns:
        How many steps are done.

    Raises:
        LabError: too few faces; a damaged checkpoint, one of another recipe or other faces; another training works in
            the folder.
        OSError: the disk refuses.
    """
    if len(faces) < recipe.batch:
        raise LabError(f"{len(faces)} faces are fewer than a batch of {recipe.batch}; prepare more, or set batch")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        done = _go_back(task, faces, recipe, folder)
        on_step(done, {})
        with closing(Journal(folder, done)) as journal:
            for step in range(done, recipe.steps):
                numbers = task.step(_batch(faces, recipe, step))
                if not all(np.isfinite(value) for value in numbers.values()):
                    raise LabError(
                        f"step {step}: the losses are no numbers any more; begin anew with a lower learning_rate"
                    )
                journal.write(step, numbers)
                done = step + 1
                on_step(done, numbers)
                last = done == recipe.steps or stop()
                if last or done % recipe.sample_every == 0:
                    _write_sheet(folder, task.sample(), done)
                if last or done % recipe.checkpoint_every == 0:
                    journal.flush()
                    state = Checkpoint(done, recipe.model_dump(), faces.digest, asdict(faces.facts), task.state())
                    save_checkpoint(folder / CHECKPOINT, state)
                if last:
                    break
    return done


def _go_back(task: Task, faces: PreparedFaces, recipe: GanRecipe, folder: Path) -> int:
    """To the checkpoint, if there is one; how many steps are done."""
    path = folder / CHECKPOINT
    if not path.exists():
        return 0
    before = load_checkpoint(path)
    changed = [
        key for key, value in recipe.model_dump().items() if key not in _MAY_CHANGE and before.recipe.get(key) != value
    ]
    if changed:
        raise LabError(
            f"{folder} was begun with another {', '.join(changed)}: train into a new folder, or use the same recipe"
        )
    if before.faces != faces.digest:
        raise LabError(
            f"{folder} was begun with other faces (of {before.facts.get('source')}): train into a new folder"
        )
    if before.step > recipe.steps:
        raise LabError(f"{before.step} steps are done already, more than the {recipe.steps} that are asked for")
    try:
        task.restore(before.task)
    except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise LabError(f"{path} is of another kind of model: train into a new folder") from error
    return before.step


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two trainings in one folder would take each other's files."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"another training works in {folder}") from error
        yield


def _batch(faces: PreparedFaces, recipe: GanRecipe, step: int) -> Tensor:
    """Faces of a step, each at most once; also sets the random numbers of the step."""
    torch.manual_seed(recipe.seed * _STEPS_OF_A_SEED + step)
    chosen = np.random.default_rng([recipe.seed, step]).choice(len(faces), recipe.batch, replace=False)
    return torch.from_numpy(faces.chips[np.sort(chosen)])


def _write_sheet(folder: Path, pictures: Tensor, step: int) -> None:
    files = [synthetic.marked_png(picture, "facewire lab") for picture in pictures.numpy()]
    (folder / "samples").mkdir(exist_ok=True)
    (folder / "samples" / f"step-{step:07d}.png").write_bytes(synthetic.contact_sheet(files, "facewire lab"))

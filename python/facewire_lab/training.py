"""The one training loop: batches, measurements, checkpoints, going on after a kill, logs, sample sheets."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from facewire_lab.checkpoint import Best, Checkpoint, load_checkpoint, of_this_kind, save_checkpoint
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces, Rows
from facewire_lab.journal import Journal
from facewire_lab.recipe import Recipe
from facewire_lab.task import SCORE, Batch, Task

CHECKPOINT: Final = "checkpoint.pt"
BEST: Final = "best.pt"
_STEPS_OF_A_SEED: Final = 1_000_003
_VALIDATION_SEED: Final = 11
_MOST_VALIDATED: Final = 512
_MAY_CHANGE: Final = {"steps", "checkpoint_every", "sample_every", "patience"}
OnStep = Callable[[int, dict[str, float]], None]  # steps done, the numbers of the last one


@dataclass(frozen=True, slots=True)
class Training:
    """What is trained, on what, how, and where.

    Attributes:
        family: its name.
        task, recipe, faces: what is done with what.
        folder: of its own; made where missing.
    """

    family: str
    task: Task
    recipe: Recipe
    faces: PreparedFaces
    folder: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many steps are done, and whether it ended because nothing got better any more."""

    done: int
    early: bool


def train(training: Training, on_step: OnStep, stop: Callable[[], bool] = lambda: False) -> Outcome:
    """Trains until the recipe's steps are done, or nothing gets better; goes on from the checkpoint, if there is one.

    Each step's random numbers follow from the seed and its number alone, so that a training that was killed becomes the
    same as one that was not.

    Args:
        training: what.
        on_step: told of each step.
        stop: asked after each step; True ends the training with a checkpoint.

    Raises:
        LabError: too few faces; a damaged checkpoint, one of another recipe or other faces; another training works in
            the folder.
        OSError: the disk refuses.
    """
    recipe, folder = training.recipe, training.folder
    run = _Run(training)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        done = run.go_back()
        on_step(done, {})
        with ExitStack() as closed:
            log = closed.enter_context(closing(Journal(folder, "log", done)))
            measured = closed.enter_context(closing(Journal(folder, "validation", done + 1)))  # rows are of steps done
            while done < recipe.steps and not run.is_settled:
                numbers = training.task.step(run.batch(done))
                _require_finite(numbers, done)
                log.write(done, numbers)
                done += 1
                on_step(done, numbers)
                last = done == recipe.steps or stop()
                if done == recipe.steps or done % recipe.validate_every == 0:
                    run.validate(done, measured)
                if last or run.is_settled or done % recipe.sample_every == 0:
                    run.write_sheet(done)
                if last or run.is_settled or done % recipe.checkpoint_every == 0:
                    log.flush()
                    measured.flush()
                    save_checkpoint(folder / CHECKPOINT, run.checkpoint(done))
                if last:
                    break
    return Outcome(done, run.is_settled)


class _Run:
    """One training, its faces divided into those it sees and those it is measured on."""

    def __init__(self, training: Training) -> None:
        self._training = training
        recipe, faces = training.recipe, training.faces
        self._seen, held = faces.split(recipe.held_out)
        if len(self._seen) < recipe.batch:
            beside = f" beside the {len(held)} that are held out" if len(held) else ""
            raise LabError(
                f"{len(self._seen)} faces{beside} are fewer than a batch of {recipe.batch}; prepare more, or set batch"
            )
        some = np.random.default_rng(_VALIDATION_SEED).permutation(len(held))[:_MOST_VALIDATED]
        self._held = self._batch_of(held[np.sort(some)]) if len(held) else None
        self._best: Best | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing got better for long."""
        patience = self._training.recipe.patience
        return patience > 0 and self._best is not None and self._best.worse_since >= patience

    def batch(self, step: int) -> Batch:
        """Faces of a step, each at most once; also sets the random numbers of the step."""
        recipe = self._training.recipe
        torch.manual_seed(recipe.seed * _STEPS_OF_A_SEED + step)
        chosen = np.random.default_rng([recipe.seed, step]).choice(len(self._seen), recipe.batch, replace=False)
        return self._batch_of(self._seen[np.sort(chosen)])

    def _batch_of(self, rows: Rows) -> Batch:
        faces = self._training.faces
        people = torch.from_numpy(faces.numbers[rows])
        return Batch(torch.from_numpy(faces.chips[rows]), people, torch.from_numpy(rows))

    def validate(self, done: int, journal: Journal) -> None:
        """Measures; keeps what is the best so far."""
        if self._held is None:
            return
        torch.manual_seed(_VALIDATION_SEED)
        numbers = self._training.task.validate(self._held)
        journal.write(done, numbers)
        score = numbers[SCORE]
        _require_finite({SCORE: score}, done)
        if self._best is None or score > self._best.score:
            self._best = Best(score, done, 0)
            save_checkpoint(self._training.folder / BEST, self.checkpoint(done))
        else:
            self._best = Best(self._best.score, self._best.step, self._best.worse_since + 1)

    def write_sheet(self, done: int) -> None:
        """What it makes now, for people's eyes."""
        torch.manual_seed(_VALIDATION_SEED)
        folder = self._training.folder / "samples"
        folder.mkdir(exist_ok=True)
        (folder / f"step-{done:07d}.png").write_bytes(self._training.task.sample(self._held))

    def checkpoint(self, done: int) -> Checkpoint:
        """All that training goes on from."""
        training = self._training
        return Checkpoint(
            family=training.family,
            step=done,
            recipe=training.recipe.model_dump(),
            faces=training.faces.digest,
            facts=asdict(training.faces.facts),
            best=None if self._best is None else asdict(self._best),
            task=training.task.state(),
        )

    def go_back(self) -> int:
        """To the checkpoint, if there is one; how many steps are done."""
        training = self._training
        path = training.folder / CHECKPOINT
        if not path.exists():
            (training.folder / BEST).unlink(missing_ok=True)  # of a training that was killed before its first
            return 0
        before = load_checkpoint(path)
        _require_the_same(training, before)
        with of_this_kind():
            training.task.restore(before.task)
            self._best = None if before.best is None else Best(**before.best)
        return before.step


def _require_finite(numbers: dict[str, float], step: int) -> None:
    for name, value in numbers.items():
        if not np.isfinite(value):
            raise LabError(f"step {step}: {name} is {value}: train into a new folder with a lower learning_rate")


def _require_the_same(training: Training, before: Checkpoint) -> None:
    """A training goes on with the recipe and the faces that it was begun with."""
    folder, recipe = training.folder, training.recipe
    if before.family != training.family:
        raise LabError(f"{folder} holds a training of family '{before.family}': train into a new folder")
    changed = [
        key for key, value in recipe.model_dump().items() if key not in _MAY_CHANGE and before.recipe.get(key) != value
    ]
    if changed:
        raise LabError(
            f"{folder} was begun with another {', '.join(changed)}: train into a new folder, or use the same recipe"
        )
    if before.faces != training.faces.digest:
        raise LabError(
            f"{folder} was begun with other faces (of {before.facts.get('source')}): train into a new folder"
        )
    if before.step > recipe.steps:
        raise LabError(f"{before.step} steps are done already, more than the {recipe.steps} that are asked for")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two trainings in one folder would take each other's files."""
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"another training works in {folder}") from error
        yield

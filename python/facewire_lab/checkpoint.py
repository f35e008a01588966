"""Training states on disk: whole or not at all, and never run when read."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from facewire_lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Best:
    """The best measurement so far: its score, after which step, and how many since were no better."""

    score: float
    step: int
    worse_since: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training at one moment.

    Attributes:
        family: its name.
        step: how many are done.
        recipe: its settings.
        faces: digest of the faces it is trained on.
        facts: their origin.
        best: the fields of :class:`Best`; None before the first measurement.
        task: weights and optimisers.
    """

    family: str
    step: int
    recipe: dict[str, Any]
    faces: str
    facts: dict[str, Any]
    best: dict[str, Any] | None
    task: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Writes beside the old one, then takes its place: a kill leaves one of both.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    packed = io.BytesIO()
    torch.save({field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}, packed)
    new = path.with_suffix(".new")
    try:
        with new.open("wb") as file:
            file.write(packed.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def of_this_kind() -> Iterator[None]:
    """Around what is made of a checkpoint's recipe and weights; LabError where they are of something else."""
    try:
        yield
    except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise LabError(
            "the checkpoint is of another kind of model, or of another version of facewire: train into a new folder"
        ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Tensors and plain values alone are read; nothing in the file is run.

    Raises:
        LabError: the file is damaged or holds something else.
    """
    try:
        return Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise LabError(f"{path} is damaged, or no checkpoint of a training: remove it to begin anew") from error

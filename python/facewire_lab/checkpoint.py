"""Training states on disk: whole or not at all, and never run when read."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from facewire_lab.errors import LabError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes beside the old one, then takes its place: a kill leaves one of both."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Tensors and plain values alone.

    Raises:
        LabError: the file is damaged or holds something else.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        why = next(iter(str(error).strip().splitlines()), "it is cut short")
        raise LabError(f"checkpoint {path} cannot be read: {why}; remove it to begin anew") from error
    return state

"""Prepared faces made of nothing, for trainings of a few steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facewire_lab.faces import CHIP, FaceFacts, save_faces

ORIGIN = ("--licence", "own", "--data", "made up")  # of what is exported


def write_faces(folder: Path, count: int = 12, colour: tuple[int, int, int] | None = None, each: int = 0) -> Path:
    """A prepared folder: noise, or one colour throughout; with ``each``, so many pictures of a person."""
    chips = np.random.default_rng(5).integers(0, 256, (count, CHIP, CHIP, 3), dtype=np.uint8)
    if colour is not None:
        chips[...] = colour
    names = [f"{number}.jpg" for number in range(count)]
    people = [f"person {number // each}" if each else "" for number in range(count)]
    save_faces(folder, chips, FaceFacts("nowhere", 0.7, names, people))
    return folder

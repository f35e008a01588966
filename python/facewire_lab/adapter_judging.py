"""Whether adapters help: trained on the enrolled pictures of each division of the people, measured on the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from facewire_lab.adapter import Adapter, adapter_loss
from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces
from facewire_lab.recipes import AdapterRecipe
from facewire_lab.task import take_step
from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.identities import Plan, Split, search, splits
from facewire_server.evaluation.rates import Searches

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

_FPIR: Final = 0.01
BEST, PRODUCT, ADAPTED = "best of templates", "as the server compares", "with an adapter"


@dataclass(frozen=True, slots=True)
class AdapterFigures:
    """Means over the splits.

    Attributes:
        rank1: share of probes whose nearest subject is the right one.
        fnir: at the threshold that one of 100 strangers' pictures exceeds.
        difference: from the best of the templates; ``error``: its standard error over the splits, which use the same
            people again and again: over other people it would be larger.
    """

    rank1: float
    fnir: float
    difference: float
    error: float


def judge_adapters(
    vectors: Vectors, faces: PreparedFaces, plan: Plan, recipe: AdapterRecipe, on_split: Callable[[], object]
) -> dict[str, AdapterFigures]:
    """Each way of comparing with its figures; ``vectors`` are the faces' unit embeddings, (n, dim).

    Raises:
        LabError: there are too few people or pictures.
    """
    people: dict[str, list[Path]] = {}
    for person, picture in zip(faces.facts.people, faces.facts.pictures, strict=True):
        if person:
            people.setdefault(person, []).append(Path(picture))
    known = dict(zip(map(Path, faces.facts.pictures), vectors, strict=True))
    found: dict[str, list[tuple[float, float]]] = {BEST: [], PRODUCT: [], ADAPTED: []}
    try:
        for split in splits(people, known, plan):
            found[BEST].append(_figures(_best_of_templates(split)))
            found[PRODUCT].append(_figures(search(split)))
            found[ADAPTED].append(_figures(search(_adapted(split, recipe))))
            on_split()
    except InputError as error:
        raise LabError(str(error)) from error
    first = np.array(found[BEST])[:, 1]
    return {name: _told(np.array(rows), first) for name, rows in found.items()}


def _told(rows: Numbers, first: Numbers) -> AdapterFigures:
    differences = rows[:, 1] - first
    error = float(differences.std(ddof=1) / np.sqrt(len(rows))) if len(rows) > 1 else 0.0
    return AdapterFigures(float(rows[:, 0].mean()), float(rows[:, 1].mean()), float(differences.mean()), error)


def _figures(searches: Searches) -> tuple[float, float]:
    return searches.rank1().value, searches.fnir_at_fpir(_FPIR).value


def _best_of_templates(split: Split) -> Searches:
    mated = split.probes @ split.templates.T
    return Searches(
        mated=mated.max(axis=1).astype(np.float64),
        right=split.subjects[mated.argmax(axis=1)] == split.probe_subjects,
        strangers=(split.strangers @ split.templates.T).max(axis=1).astype(np.float64),
    )


def _adapted(split: Split, recipe: AdapterRecipe) -> Split:
    adapter = train_adapter(split.templates, split.subjects, recipe)
    with torch.no_grad():
        templates, probes, strangers = (
            adapter(torch.from_numpy(each)).numpy() for each in (split.templates, split.probes, split.strangers)
        )
    return Split(templates, split.subjects, probes, split.probe_subjects, strangers, split.missed)


def train_adapter(
    vectors: npt.NDArray[np.float32],
    people: npt.NDArray[np.intp],
    recipe: AdapterRecipe,
) -> Adapter:
    """As :class:`~facewire_lab.adapter_task.AdapterTask` does, of (n, dim) embeddings of people (n,)."""
    adapter = Adapter(vectors.shape[1])
    optimiser = torch.optim.Adam(adapter.parameters(), lr=recipe.learning_rate)
    given, (_, whose) = torch.from_numpy(vectors), np.unique(people, return_inverse=True)
    for _ in range(recipe.steps):
        take_step(adapter_loss(adapter, given, torch.from_numpy(whose), recipe), optimiser, recipe.learning_rate)
    return adapter

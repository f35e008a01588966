"""What the training loop works on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from facewire_lab.recipe import Recipe

SCORE = "score"  # of a validation: the higher, the better
_LAST_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the prepared faces.

    Attributes:
        chips: uint8 (n, 112, 112, 3), R, G, B.
        people: int64 (n,): who each is of; pictures of nobody in particular are of a person each.
        rows: int64 (n,): which of the prepared faces.
    """

    chips: Tensor
    people: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.people)


class Task(Protocol):
    """A model in training."""

    def step(self, batch: Batch) -> dict[str, float]:
        """One step; the numbers to log."""
        ...

    def validate(self, held: Batch) -> dict[str, float]:
        """How good it is on people who are not trained on: numbers to log, among them "score"."""
        ...

    def sample(self, held: Batch | None) -> bytes:
        """A sheet for people's eyes, a PNG file; of people not trained on, where there are any."""
        ...

    def state(self) -> dict[str, Any]:
        """All that training goes on from."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a state; raises LookupError, RuntimeError or ValueError where it is of something else."""
        ...


class Parts:
    """A task whose state is that of its networks and optimisers, and how many steps are done."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts
        self.steps = 0

    def state(self) -> dict[str, Any]:
        """See :class:`Task`."""
        return {"steps": self.steps, **{name: part.state_dict() for name, part in self._parts.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """See :class:`Task`."""
        self.steps = int(state["steps"])
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


def take_step(loss: Tensor, optimiser: torch.optim.Optimizer, rate: float, steepest: float | None = None) -> None:
    """Down the gradient, at this rate; ``steepest`` is the gradient's largest length, if it is limited."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if steepest is not None:
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        torch.nn.utils.clip_grad_norm_(weights, steepest)
    optimiser.step()


def falling_rate(recipe: Recipe, steps: int) -> float:
    """The learning rate after so many steps: half a cosine down to a fiftieth of the recipe's.

    I. Loshchilov, F. Hutter, SGDR, ICLR 2017.
    """
    share = min(1.0, steps / recipe.steps)
    return recipe.learning_rate * (_LAST_SHARE + (1 - _LAST_SHARE) * (1 + math.cos(math.pi * share)) / 2)


@torch.no_grad()
def follow(average: torch.nn.Module, trained: torch.nn.Module, decay: float, steps: int) -> None:
    """Moves the average's weights towards the trained ones: quickly at first, as it began with noise."""
    held = min(decay, steps / (steps + 9))
    for mean, weight in zip(average.parameters(), trained.parameters(), strict=True):
        mean.lerp_(weight, 1 - held)

"""Training of a network that tells people apart, measured on people it never saw."""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn

from facewire_lab.augmentation import augment, vary
from facewire_lab.cnn import SIDE, Classic, MobileFaceNet, PeopleHead
from facewire_lab.pairs import auc, cosines_of_pairs
from facewire_lab.planes import as_planes, sheet_of_rows
from facewire_lab.recipes import CnnRecipe
from facewire_lab.task import SCORE, Batch, Parts, falling_rate, take_step

_BATCH: Final = 64
_SHOWN: Final = 8
_DECAY: Final = 5e-4
_COVERED: Final = 0.3


def make_network(recipe: CnnRecipe) -> nn.Module:
    """The network of a recipe."""
    kind = Classic if recipe.network == "classic" else MobileFaceNet
    return kind(recipe.dim, recipe.width)


class CnnTask(Parts):
    """What the training loop works on.

    Args:
        recipe: sizes, rates.
        device: where the networks live.
        people: how many there are.
    """

    def __init__(self, recipe: CnnRecipe, device: torch.device, people: int) -> None:
        self._recipe = recipe
        self._device = device
        torch.manual_seed(recipe.seed)
        self.network = make_network(recipe).to(device)
        self._head = PeopleHead(recipe.dim, people, recipe.loss, recipe.margin, recipe.scale).to(device)
        weights = [*self.network.parameters(), *self._head.parameters()]
        self._optimiser = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=_DECAY)
        super().__init__({"network": self.network, "head": self._head, "optimiser": self._optimiser})

    def step(self, batch: Batch) -> dict[str, float]:
        """One step: who is it?"""
        recipe = self._recipe
        self.network.train()
        faces = augment(vary(as_planes(batch.chips, SIDE, self._device), recipe.augment), _COVERED * recipe.augment)
        people = batch.people.to(self._device)
        logits = self._head(self.network(faces), people)
        loss = F.cross_entropy(logits, people)
        take_step(loss, self._optimiser, falling_rate(recipe, self.steps))
        self.steps += 1
        return {"loss": loss.item(), "right": (logits.argmax(dim=1) == people).float().mean().item()}

    def validate(self, held: Batch) -> dict[str, float]:
        """Of people who are not trained on: how often two pictures of one are more alike than two of different ones."""
        genuine, impostor = cosines_of_pairs(self._embed(held.chips), held.people)
        if not len(genuine) or not len(impostor):
            return {SCORE: 0.5, "auc": 0.5, "tar_at_far_1e-2": 0.0}
        limit = impostor.quantile(0.99)
        area = auc(genuine, impostor)
        return {SCORE: area, "auc": area, "tar_at_far_1e-2": (genuine > limit).float().mean().item()}

    @torch.no_grad()
    def _embed(self, chips: Tensor) -> Tensor:
        self.network.eval()
        found = [self.network(as_planes(part, SIDE, self._device)) for part in chips.split(_BATCH)]
        return F.normalize(torch.cat(found)).cpu()

    def sample(self, held: Batch | None) -> bytes:
        """Faces not trained on, each above the one that looks most like it to the network, of all others."""
        if held is None or len(held) < 2:
            return sheet_of_rows([torch.zeros(1, 3, SIDE, SIDE)])
        vectors = self._embed(held.chips)
        cosines = vectors @ vectors.T
        nearest = cosines.fill_diagonal_(-2).argmax(dim=1)
        pictures = as_planes(held.chips, SIDE, torch.device("cpu"))
        return sheet_of_rows([pictures[:_SHOWN], pictures[nearest[:_SHOWN]]])

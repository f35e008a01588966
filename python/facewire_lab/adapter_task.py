"""Training of an adapter: all embeddings at each step, in seconds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor

from facewire import synthetic
from facewire_lab.adapter import Adapter, adapter_loss
from facewire_lab.pairs import auc, cosines_of_pairs
from facewire_lab.planes import TOOL
from facewire_lab.recipes import AdapterRecipe
from facewire_lab.task import SCORE, Batch, Parts, take_step

_PIXELS: Final = 8  # of a cell of the sheet
_MOST_SHOWN: Final = 64


class AdapterTask(Parts):
    """What the training loop works on.

    Args:
        recipe: rates, weights.
        device: where it lives.
        vectors: embeddings of all the faces, (n, dim), unit length.
        people: int64 (n,): whose.
        rows: which of them are trained on.
        embedder: SHA-256 of the embedder that made them.
    """

    def __init__(
        self, recipe: AdapterRecipe, device: torch.device, vectors: Tensor, people: Tensor, rows: Tensor, embedder: str
    ) -> None:
        self._recipe = recipe
        self._embedder = embedder
        self._vectors = vectors.to(device)
        self._all_people = people.to(device)
        self._rows = rows.to(device)
        _, self._people = self._all_people[self._rows].unique(return_inverse=True)
        self.adapter = Adapter(vectors.shape[1]).to(device)
        self._optimiser = torch.optim.Adam(self.adapter.parameters(), lr=recipe.learning_rate)
        super().__init__({"adapter": self.adapter, "optimiser": self._optimiser})

    def step(self, batch: Batch) -> dict[str, float]:
        """One step on all the faces."""
        loss = adapter_loss(self.adapter, self._vectors[self._rows], self._people, self._recipe)
        take_step(loss, self._optimiser, self._recipe.learning_rate)
        self.steps += 1
        return {"loss": loss.item(), "change": self.adapter.change.detach().norm().item()}

    def state(self) -> dict[str, Any]:
        """Also for which embedder."""
        return {"embedder_sha256": self._embedder, **super().state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Raises ValueError where it was trained for another embedder."""
        if state["embedder_sha256"] != self._embedder:
            raise ValueError("trained for another embedder")
        super().restore(state)

    @torch.no_grad()
    def validate(self, held: Batch) -> dict[str, float]:
        """Of people not trained on: how often two pictures of one are more alike than two of different ones."""
        genuine, impostor = cosines_of_pairs(self.adapter(self._vectors[held.rows]), held.people)
        area = auc(genuine, impostor) if len(genuine) and len(impostor) else 0.5
        return {SCORE: area, "auc": area}

    @torch.no_grad()
    def sample(self, held: Batch | None) -> bytes:
        """Cosines of all pictures with all others, before and after: dark 0, light 1; a person's side by side."""
        order = self._rows[torch.argsort(self._people, stable=True)][:_MOST_SHOWN]
        vectors = F.normalize(self._vectors[order])
        return synthetic.contact_sheet(
            [synthetic.marked_png(_shown(each @ each.T), TOOL) for each in (vectors, self.adapter(vectors))], TOOL
        )


def _shown(cosines: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    levels = (cosines.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    large = np.kron(levels, np.ones((_PIXELS, _PIXELS), np.uint8))
    return np.repeat(large[:, :, np.newaxis], 3, axis=2)

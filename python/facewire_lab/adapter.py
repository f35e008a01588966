"""A linear map of the server's embeddings, trained on a handful of pictures of the people who shall be told apart.

W = I + (D + D^T) / 2, D at first 0: people's own pictures nearer to each other than to others' by a margin, with as
little change as does it. Each picture is compared with the mean of its person's other ones (else it would be compared
with itself, and nothing were left to learn); CosFace's loss (H. Wang et al., CVPR 2018).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn

from facewire_lab.recipes import AdapterRecipe


class Adapter(nn.Module):
    """Embeddings (n, dim) to embeddings (n, dim) of unit length."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.change = nn.Parameter(torch.zeros(dim, dim))

    @property
    def weight(self) -> Tensor:
        """The map, (dim, dim), symmetric."""
        return torch.eye(len(self.change), device=self.change.device) + (self.change + self.change.T) / 2

    def forward(self, vectors: Tensor) -> Tensor:
        """The mapped embeddings."""
        return F.normalize(vectors @ self.weight)


def adapter_loss(adapter: Adapter, vectors: Tensor, people: Tensor, recipe: AdapterRecipe) -> Tensor:
    """Cross-entropy of whose each picture is, and what the change costs.

    Args:
        adapter: the map.
        vectors: (n, dim), unit length.
        people: int64 (n,), from 0; two pictures or more of each.
        recipe: scale, margin, strength.
    """
    mapped = adapter(vectors)
    members = F.one_hot(people).to(mapped.dtype)
    sums = members.T @ mapped
    cosines = mapped @ F.normalize(sums).T
    others = F.normalize(sums[people] - mapped)
    own = (mapped * others).sum(dim=1)
    logits = torch.where(members.bool(), (own - recipe.margin)[:, None], cosines)
    cost = recipe.strength / members.shape[1] * adapter.change.square().sum()
    return F.cross_entropy(recipe.scale * logits, people) + cost

"""Pairs of embeddings: of one person or of two, and how well cosines tell which."""

from __future__ import annotations

from torch import Tensor, cat


def cosines_of_pairs(vectors: Tensor, people: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines of all pairs of different rows: genuine, of one person; impostor, of two.

    Args:
        vectors: (n, dim), of unit length.
        people: int64 (n,): whose they are.
    """
    cosines = vectors @ vectors.T
    same = people[:, None] == people
    pairs = same.new_ones(same.shape).triu(1)
    return cosines[same & pairs], cosines[~same & pairs]


def auc(above: Tensor, below: Tensor) -> float:
    """How often a value of the one kind is larger than one of the other; ties count half."""
    values = cat([above, below]).double()
    _, places, counts = values.unique(return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - (counts - 1) / 2)[places]
    n, m = len(above), len(below)
    return ((ranks[:n].sum() - n * (n + 1) / 2) / (n * m)).item()

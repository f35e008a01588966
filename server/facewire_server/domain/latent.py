"""Faces as a few numbers each, and what may be done with these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """The normal distribution of what stands for a face.

    Attributes:
        mean, log_variance: float32 (latent,).
        core: the mean's part in the main directions of faces' latents: the face without what makes it particular.
        model: the encoder's name in the manifest: the numbers mean something to its generator only.
    """

    mean: FloatArray
    log_variance: FloatArray
    core: FloatArray
    model: str

    @property
    def kl_of_units(self) -> FloatArray:
        """Kullback-Leibler divergence of each number from the standard normal distribution, nats, (latent,)."""
        terms = np.square(self.mean) + np.exp(self.log_variance) - self.log_variance - 1
        return np.asarray(terms / 2, dtype=np.float32)

    @property
    def kl_nats(self) -> float:
        """That of all: how far the face is from any face."""
        return float(self.kl_of_units.sum(dtype=np.float64))


def between(first: FloatArray, last: FloatArray, share: float) -> FloatArray:
    """On the way from one latent to another, at this share of it, along a great circle; lengths change evenly.

    K. Shoemake, Animating rotation with quaternion curves, SIGGRAPH 1985: on a straight line the middle would be too
    near to the mean face, as normal latents have much the same length.
    """
    lengths = np.linalg.norm(first), np.linalg.norm(last)
    if min(lengths) == 0:
        return np.asarray(first + (last - first) * np.float32(share), dtype=np.float32)
    a, b = first / lengths[0], last / lengths[1]
    angle = float(np.arccos(np.clip(a @ b, -1, 1)))
    if angle < 1e-3 or angle > np.pi - 1e-3:
        return np.asarray(first + (last - first) * np.float32(share), dtype=np.float32)
    way = (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
    return np.asarray(way * (lengths[0] + (lengths[1] - lengths[0]) * share), dtype=np.float32)


class KSame:
    """Replaces what tells people apart by the mean of k others: k-same in a latent.

    E. Newton, L. Sweeney, B. Malin, Preserving privacy by de-identifying face images, IEEE TKDE 2005. The donors, m of
    them, are put into groups of k; a face gets the mean of the nearest group, so that of m people about k share what
    identity there is. What the projection leaves, pose, expression and light, stays each face's own, and tells a
    little of people, too: docs/workshop.md has how much.

    Args:
        donors: float32 (m, latent): latents of nobody.
        identity: float32 (latent, latent): the projection onto what tells people apart.
    """

    def __init__(self, donors: FloatArray, identity: FloatArray) -> None:
        self._identity = identity
        self._donors = donors @ identity
        self._groups = lru_cache(maxsize=16)(self._grouped)

    @property
    def most(self) -> int:
        """The largest k: all donors in one group."""
        return len(self._donors)

    def replaced(self, latent: FloatArray, k: int) -> FloatArray:
        """The latent of the face that stands for this one.

        Raises:
            InvalidArgument: k is below 2 or above :attr:`most`.
        """
        if not 2 <= k <= self.most:
            raise InvalidArgument("k", f"must be from 2 to {self.most}")
        own = latent @ self._identity
        means = self._groups(k)
        nearest = means[np.square(means - own).sum(axis=1).argmin()]
        return np.asarray(latent + nearest - own, dtype=np.float32)

    def _grouped(self, k: int) -> FloatArray:
        """The means of groups of k or more: again and again the donor farthest from all, with its nearest."""
        left = self._donors
        middle = left.mean(axis=0)
        means = []
        while len(left) >= 2 * k:
            seed = left[np.square(left - middle).sum(axis=1).argmax()]
            order = np.argsort(np.square(left - seed).sum(axis=1), kind="stable")
            means.append(left[order[:k]].mean(axis=0))
            left = left[order[k:]]
        means.append(left.mean(axis=0))
        return np.stack(means)


@dataclass(frozen=True, slots=True)
class FaceKnowledge:
    """What an encoder knows of faces as such.

    Attributes:
        k_same: by whom faces are replaced.
        scores, rates: of ``domain.likeness``: which share of real faces scores below each, both rising.
    """

    k_same: KSame
    scores: tuple[float, ...]
    rates: tuple[float, ...]

    def share_below(self, score: float) -> float:
        """The share of real faces that look less like one, 0..1."""
        return float(np.interp(score, self.scores, self.rates))

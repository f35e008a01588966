"""Templates that say who somebody is not: "not this person"."""

from __future__ import annotations

import numpy as np

from facewire_server.domain.face import FloatArray
from facewire_server.domain.templates import AS_NEAR


class Negatives:
    """A gallery's negative templates, by subject key. Few: a mistake that somebody noticed makes one.

    Each subject's are replaced as a whole and overwritten then: a reader on another thread looks again where that
    happened under its hands.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._of: dict[int, tuple[tuple[str, ...], FloatArray]] = {}

    def add(self, key: int, face_id: str, vector: FloatArray) -> None:
        """One more, float32 (dim,)."""
        face_ids, vectors = self._of.get(key, ((), np.empty((0, self._dim), dtype=np.float32)))
        self._of[key] = (*face_ids, face_id), np.vstack([vectors, vector[np.newaxis]])
        vectors.fill(0)

    def remove(self, key: int, face_id: str) -> bool:
        """Takes one away and overwrites it; whether it was there."""
        face_ids, vectors = self._of.get(key, ((), np.empty((0, self._dim), dtype=np.float32)))
        if face_id not in face_ids:
            return False
        keep = np.array([each != face_id for each in face_ids])
        if keep.any():
            self._of[key] = tuple(each for each in face_ids if each != face_id), vectors[keep]
        else:
            del self._of[key]
        vectors.fill(0)
        return True

    def remove_subject(self, key: int) -> None:
        """Takes all of a subject's away and overwrites them."""
        kept = self._of.pop(key, None)
        if kept is not None:
            kept[1].fill(0)

    def clear(self) -> None:
        """Everything."""
        for key in list(self._of):
            self.remove_subject(key)

    def of(self, key: int) -> FloatArray:
        """A subject's, (n, dim)."""
        kept = self._of.get(key)
        return np.empty((0, self._dim), dtype=np.float32) if kept is None else kept[1].copy()

    def refute(self, key: int, query: FloatArray, similarity: float) -> bool:
        """Whether a probe (dim,) is more like one of them than it is like the subject, or as much."""
        while (kept := self._of.get(key)) is not None:
            refuted = float((kept[1] @ query).max()) > similarity - AS_NEAR
            if self._of.get(key) is kept:
                return refuted
        return False

"""What a subject with several templates is compared by beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facewire_server.domain.face import FloatArray

_NOWHERE: Final = 1e-3
# From this cosine on two pictures are of one person, enrolled under two names: few strangers are so near (SFace).
SAME_PERSON: Final = 0.6
AS_NEAR: Final = 0.02
"""Cosines that differ by less do not say which is nearer.

The same picture, enrolled by mistake and then rejected, would else be decided by noise.
"""


@dataclass(frozen=True, slots=True)
class ComparedBy:
    """What one side of a comparison is compared by.

    Attributes:
        templates: float32 (n, dim), unit length; the nearest counts.
        negatives: float32 (m, dim): who it is not.
    """

    templates: FloatArray
    negatives: FloatArray

    @classmethod
    def of(cls, templates: FloatArray) -> ComparedBy:
        """These, and nothing that speaks against anybody."""
        return cls(templates, templates[:0])

    def __len__(self) -> int:
        return len(self.templates)

    def similarity(self, other: ComparedBy) -> float:
        """Cosine of the nearest pair; both sides must have templates."""
        return float((self.templates @ other.templates.T).max())

    def refuted_by(self, other: ComparedBy) -> bool:
        """Whether one side is nearer to what the other is not than to the other, or as near."""
        similarity = self.similarity(other)
        return any(
            len(negatives) > 0 and float((templates @ negatives.T).max()) > similarity - AS_NEAR
            for templates, negatives in ((self.templates, other.negatives), (other.templates, self.negatives))
        )


def mean_template(vectors: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """The mean of templates, (n, dim), of unit length as they are; of opposite ones, which have none, the first."""
    total = np.sum(vectors, axis=0)
    length = float(np.sqrt(total @ total))
    return np.array(total / length if length > _NOWHERE else vectors[0], dtype=np.float32)

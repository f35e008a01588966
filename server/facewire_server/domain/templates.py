"""What a subject with several templates is compared by beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from facewire_server.domain.face import FloatArray

_NOWHERE: Final = 1e-3
# From this cosine on two pictures are of one person, enrolled under two names: few strangers are so near (SFace).
SAME_PERSON: Final = 0.6


def mean_template(vectors: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """The mean of templates, (n, dim), of unit length as they are; of opposite ones, which have none, the first."""
    total = np.sum(vectors, axis=0)
    length = float(np.sqrt(total @ total))
    return np.array(total / length if length > _NOWHERE else vectors[0], dtype=np.float32)

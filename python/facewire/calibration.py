"""What a calibration of a gallery says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class RateInterval(NamedTuple):
    """A share, 0..1, and between which it lies with a probability of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A gallery's own error rates, measured on its templates (ISO/IEC 19795-1).

    Attributes:
        target: "fpir" (share of strangers that may get a name) or "fmr" (of comparisons of different people).
        rate: of the target, as estimated.
        min_similarity: cosine that kept it at the gallery's size then.
        miss_rate: share of enrolled people's pictures that would not get their name; None: nobody has two templates.
        sufficient: whether the data are enough to promise it; if not, ``shortage`` says what is missing.
        subjects, templates, cohort: of the gallery then; strangers' embeddings beside it.
        stale: the gallery has changed so much since that it should be calibrated again.
    """

    target: str
    rate: RateInterval
    min_similarity: float
    miss_rate: RateInterval | None
    sufficient: bool
    shortage: str
    subjects: int
    templates: int
    cohort: int
    made_at: datetime
    stale: bool

"""Error rates measured on a gallery's own templates, and what can be promised from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.rate import Rate

# A gallery that has grown or shrunk by more than this share since is not the one that was measured.
_STALE: Final = 0.25


@dataclass(frozen=True, slots=True)
class CalibrationTarget:
    """What the operator chose: one of the two rates, each above 0 and below 1.

    Attributes:
        fpir: share of strangers that may get a name (ISO/IEC 19795-1).
        fmr: share of comparisons of different people that may match.
    """

    fpir: float | None
    fmr: float | None


@dataclass(frozen=True, slots=True)
class GalleryCalibration:
    """A gallery's own error rates.

    Attributes:
        target: what was asked for.
        curve: false-match rate of a stranger's comparison with one subject at each similarity, in this gallery.
        subjects, templates, cohort: of the gallery then, and strangers' embeddings beside it.
        threshold: the cosine that keeps the target at that size.
        rate: the target's rate as estimated at the threshold, with its 95 % interval.
        misses: share of enrolled people's pictures that would not get their name, None where no subject has two.
        sufficient: whether the data are enough to promise the target; ``shortage`` says what is missing.
        made_ms: Unix time, milliseconds.
    """

    target: CalibrationTarget
    curve: ScoreCalibration
    subjects: int
    templates: int
    cohort: int
    threshold: float
    rate: Rate
    misses: Rate | None
    shortage: str
    made_ms: int

    @property
    def sufficient(self) -> bool:
        """Whether the data are enough to promise the target."""
        return not self.shortage

    def stale(self, subjects: int) -> bool:
        """Whether the gallery, with so many subjects now, is no longer the one that was measured."""
        return abs(subjects / self.subjects - 1) > _STALE


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """What a search of a gallery amounts to.

    Attributes:
        comparisons: templates, and means of subjects with several.
        subjects: with templates.
    """

    comparisons: int
    subjects: int
    calibration: GalleryCalibration | None

"""Is it a living person? What several looks say together, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from math import exp, log
from typing import Final

# A network may be as sure as it likes of one look: no single one outweighs the others by more than this.
_SUREST: Final = 0.999
# Looks fade, so that a picture held up later is noticed.
_MOST_LOOKS: Final = 20.0
LOOKS_FOR_A_TRACK: Final = 3


class LivenessCheck(IntEnum):
    """What is to be done about liveness; the larger asks for more."""

    OFF = 0
    REPORT = 1
    REQUIRE = 2


class LivenessDecision(Enum):
    """See the proto."""

    LIVE = "live"
    SPOOF = "spoof"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Liveness:
    """What is said of a face.

    Attributes:
        score: how live it looks, 0..1.
        looks: frames that it is made of.
    """

    decision: LivenessDecision
    score: float
    looks: int


@dataclass(frozen=True, slots=True)
class LivenessLimits:
    """Where decisions begin. Both follow from scores of live people alone: attacks of tomorrow are nobody's data.

    Attributes:
        spoof_below: the target BPCER of live faces score lower.
        live_from: the share that may be UNSURE scores lower.
    """

    spoof_below: float
    live_from: float

    def of(self, score: float, looks: int = 1) -> Liveness:
        """The decision at this score."""
        if score < self.spoof_below:
            return Liveness(LivenessDecision.SPOOF, score, looks)
        decision = LivenessDecision.LIVE if score >= self.live_from else LivenessDecision.UNSURE
        return Liveness(decision, score, looks)


class LivenessEvidence:
    """What the looks at one track say together: the mean of their log-odds, the latest counting most."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._weight = 0.0
        self.looks = 0

    def add(self, score: float) -> None:
        """One look."""
        clipped = min(max(score, 1 - _SUREST), _SUREST)
        kept = min(1.0, (_MOST_LOOKS - 1.0) / self._weight) if self._weight else 1.0
        self._sum = self._sum * kept + log(clipped / (1 - clipped))
        self._weight = self._weight * kept + 1.0
        self.looks += 1

    @property
    def score(self) -> float:
        """Of all looks; 0.5 before the first."""
        return 1.0 / (1.0 + exp(-self._sum / self._weight)) if self.looks else 0.5

    def liveness(self, limits: LivenessLimits) -> Liveness:
        """What follows; UNSURE while there are too few looks."""
        if self.looks < LOOKS_FOR_A_TRACK:
            return Liveness(LivenessDecision.UNSURE, self.score, self.looks)
        return limits.of(self.score, self.looks)

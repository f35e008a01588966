"""Whether a face is a living person's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

LivenessCheck = Literal["report", "require"]
"""What a call or stream asks for: that liveness is told, or that nobody who is not LIVE is named or matched."""


class LivenessDecision(Enum):
    """What the server says of a face."""

    LIVE = "LIVE"
    SPOOF = "SPOOF"
    UNSURE = "UNSURE"


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether it is a living person, or a picture, screen or mask, as far as a network can tell.

    Attributes:
        score: how live it looks, 0..1.
        looks: frames that it is made of; 1 for pictures.
    """

    decision: LivenessDecision
    score: float
    looks: int

"""A share that was counted, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

_Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927); trials taken as independent."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, successes: int, trials: int) -> Rate:
        """The share of so many successes; there must be trials."""
        share, z2 = successes / trials, _Z_95**2
        middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
        half = _Z_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
        return cls(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)))

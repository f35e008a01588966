"""From a similarity to an error rate and back, by a curve measured on pairs of different people."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """False-match rate (ISO/IEC 19795: share of impostor comparisons accepted) at each threshold.

    Attributes:
        similarities: rising cosines.
        log10_fmr: falling, at those cosines; between them linear. The last is the smallest rate that the data
            could show.
    """

    similarities: tuple[float, ...]
    log10_fmr: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.similarities) != len(self.log10_fmr) or len(self.similarities) < 2:
            raise ValueError("a calibration needs at least two points, as many rates as similarities")
        if not (np.diff(self.similarities) > 0).all() or not (np.diff(self.log10_fmr) < 0).all():
            raise ValueError("a calibration's similarities must rise and its rates fall")

    def fmr(self, similarity: float) -> float:
        """Estimated false-match rate of one comparison at this threshold, 0..1.

        Never below the smallest rate that was measured: more similar pairs are rarer than that, nobody knows by
        how much.
        """
        # By hand: numpy takes ten times as long for one number, and each answer has several.
        xs, ys = self.similarities, self.log10_fmr
        right = bisect_right(xs, similarity)
        if right == 0:
            return float(10.0 ** ys[0])
        if right == len(xs):
            return float(10.0 ** ys[-1])
        share = (similarity - xs[right - 1]) / (xs[right] - xs[right - 1])
        return float(10.0 ** (ys[right - 1] + share * (ys[right] - ys[right - 1])))

    def similarity(self, fmr: float) -> float:
        """The threshold at which one comparison has this false-match rate.

        For rates below those measured the last slope goes on: an extrapolation, needed for large galleries.
        """
        xs, ys = self.similarities, self.log10_fmr
        wanted = float(np.log10(max(fmr, 1e-30)))
        if wanted < ys[-1]:
            slope = (ys[-1] - ys[-2]) / (xs[-1] - xs[-2])
            return min(1.0, xs[-1] + (wanted - ys[-1]) / slope)
        return float(np.interp(-wanted, [-y for y in ys], xs))

"""Error rates from similarities, in the terms of ISO/IEC 19795-1. A score at or above a threshold is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facewire_server.domain.rate import Rate

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1) of one number for each fold or split."""

    mean: float
    std: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of these; the deviation of a single value is 0."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)


def threshold_at(false_scores: Scores, rate: float) -> float:
    """The smallest threshold at which at most this share of the false scores is accepted."""
    falling = np.sort(false_scores)[::-1]
    allowed = int(rate * len(falling) + 1e-9)
    return -np.inf if allowed >= len(falling) else float(np.nextafter(falling[allowed], np.inf))


def supports(trials: int, rate: float) -> bool:
    """Whether so many trials can show so small a rate: at least one error is to be expected."""
    return trials * rate >= 1.0 - 1e-9


def tar_at_far(genuine: Scores, impostor: Scores, far: float) -> Rate:
    """True-accept rate at the threshold that accepts at most this share of the impostors."""
    return Rate.of(int((genuine >= threshold_at(impostor, far)).sum()), len(genuine))


@dataclass(frozen=True, slots=True)
class ErrorCurve:
    """False-match and false-non-match rate at rising thresholds, each (n,)."""

    thresholds: Scores
    fmr: Scores
    fnmr: Scores

    @classmethod
    def of(cls, genuine: Scores, impostor: Scores) -> ErrorCurve:
        """At every score that occurs."""
        thresholds = np.unique(np.concatenate([genuine, impostor]))
        fmr = 1.0 - np.searchsorted(np.sort(impostor), thresholds, side="left") / len(impostor)
        fnmr = np.searchsorted(np.sort(genuine), thresholds, side="left") / len(genuine)
        return cls(thresholds, fmr, fnmr)

    @property
    def eer(self) -> float:
        """Equal error rate: where the two cross, their mean."""
        nearest = int(np.abs(self.fmr - self.fnmr).argmin())
        return float((self.fmr[nearest] + self.fnmr[nearest]) / 2)


def best_threshold(scores: Scores, same: npt.NDArray[np.bool_]) -> float:
    """The threshold with the most right answers, halfway between the scores on its two sides."""
    order = np.argsort(scores)
    rising, same = scores[order], same[order]
    # Threshold below the i-th score: right are the different pairs below it and the same ones from it on.
    below = np.concatenate([[0], np.cumsum(~same)])
    above = np.concatenate([np.cumsum(same[::-1])[::-1], [0]])
    best = int((below + above).argmax())
    left = rising[best - 1] if best > 0 else rising[0] - 1e-6
    right = rising[best] if best < len(rising) else rising[-1] + 1e-6
    return float((left + right) / 2)


def fold_accuracies(scores: Scores, same: npt.NDArray[np.bool_], fold: npt.NDArray[np.intp]) -> list[float]:
    """Accuracy of each fold at the threshold that is best on the others (LFW's protocol)."""
    accuracies = []
    for each in np.unique(fold):
        here = fold == each
        rest = ~here if (~here).any() else here
        threshold = best_threshold(scores[rest], same[rest])
        accuracies.append(float(((scores[here] >= threshold) == same[here]).mean()))
    return accuracies


@dataclass(frozen=True, slots=True)
class Searches:
    """1:N searches: what enrolled people and strangers got.

    Attributes:
        mated: the best score of each enrolled person's probe, -inf where no face was found, (n,).
        right: whether that best score was that person's, (n,).
        strangers: the best score of each stranger's probe, (m,).
    """

    mated: Scores
    right: npt.NDArray[np.bool_]
    strangers: Scores

    def rank1(self) -> Rate:
        """Share of enrolled people's probes whose nearest subject is right, whatever the score."""
        return Rate.of(int(self.right.sum()), len(self.right))

    def fnir(self, threshold: float) -> Rate:
        """Share of enrolled people's probes that do not get their name: another one is nearest, or none is near."""
        return Rate.of(int((~self.right | (self.mated < threshold)).sum()), len(self.mated))

    def fpir(self, threshold: float) -> Rate:
        """Share of strangers' probes that get a name."""
        return Rate.of(int((self.strangers >= threshold).sum()), len(self.strangers))

    def fnir_at_fpir(self, fpir: float) -> Rate:
        """FNIR at the threshold that gives a name to at most this share of the strangers' probes."""
        return self.fnir(threshold_at(self.strangers, fpir))


def attack_errors(live: Scores, attacks: dict[str, Scores], threshold: float) -> tuple[Rate, dict[str, Rate]]:
    """BPCER, and APCER for each kind of attack (ISO/IEC 30107-3): live faces refused, attacks accepted."""
    bpcer = Rate.of(int((live < threshold).sum()), len(live))
    return bpcer, {kind: Rate.of(int((scores >= threshold).sum()), len(scores)) for kind, scores in attacks.items()}

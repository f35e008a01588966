"""Fits a gallery's error rates to its own templates, each searched as if its subject were not enrolled.

Two estimates of what strangers get are averaged, quantile by quantile (R. Ratcliff, Psychological Bulletin 86, 1979):

- the embedder's own curve, measured on millions of pairs, for as many comparisons as a search makes;
- a Gumbel distribution, that of the largest of many, with the mean and deviation of the gallery's best similarities
  between different subjects (E. J. Gumbel, Statistics of Extremes, 1958).

The first knows the tail but not these people, camera and light; the second knows them but has few in its tail. The
second has a weight of a half from 25 subjects on, less below: measured, see docs/evaluation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.errors import LimitReached
from facewire_server.domain.face import FloatArray
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration
from facewire_server.domain.rate import Rate

_EULER: Final = 0.5772156649
_LARGEST_WEIGHT: Final = 0.5
_FULL_WEIGHT_SUBJECTS: Final = 25
_FEWEST_SUBJECTS: Final = 2
_ENOUGH_SUBJECTS: Final = 20
_DRAWS: Final = 200
_WIDEST: Final = 16.0  # the interval's ends may differ by this factor
_FPIRS: Final = np.geomspace(0.9, 1e-6, 40)
_MOST_PROBES: Final = 4000  # of a large gallery, by lot
_SCORES_AT_ONCE: Final = 1 << 24
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Templates:
    """What is fitted to.

    Attributes:
        vectors: the gallery's templates, (n, dim), of unit length.
        subjects: number of the subject each is of, (n,).
        cohort: strangers', (m, dim); may be empty.
    """

    vectors: FloatArray
    subjects: npt.NDArray[np.int64]
    cohort: FloatArray


@dataclass(frozen=True, slots=True)
class _Extremes:
    """What searches found: of strangers, with the number of the group each is of; and of enrolled people."""

    strangers: Scores
    groups: npt.NDArray[np.int64]
    own: Scores
    right: npt.NDArray[np.bool_]


def calibrate(
    templates: Templates, target: CalibrationTarget, prior: ScoreCalibration | None, now_ms: int
) -> GalleryCalibration:
    """Thresholds and error rates for a gallery.

    Raises:
        LimitReached: fewer than two subjects with templates, and no cohort.
    """
    subjects = len(np.unique(templates.subjects))
    if subjects < _FEWEST_SUBJECTS:
        raise LimitReached(
            f"the gallery has templates of {subjects} subjects; at least {_FEWEST_SUBJECTS} are needed to compare"
        )
    found, comparisons = _search_all(templates)
    weight = _LARGEST_WEIGHT * min(1.0, subjects / _FULL_WEIGHT_SUBJECTS) if prior is not None else 1.0
    quantiles = _quantiles(found.strangers, comparisons, prior, weight)
    curve = _curve(quantiles, comparisons)
    fpir = target.fpir if target.fpir is not None else 1.0 - (1.0 - (target.fmr or 0.0)) ** comparisons
    threshold = float(np.interp(-log(fpir), -np.log(_FPIRS), quantiles))
    low, high = _interval(found, comparisons, prior, weight, fpir, quantiles)
    return GalleryCalibration(
        target=target,
        curve=curve,
        comparisons=comparisons,
        subjects=subjects,
        templates=len(templates.vectors),
        cohort=len(templates.cohort),
        threshold=threshold,
        rate=_in_targets_terms(Rate(fpir, low, high), target, comparisons),
        misses=_misses(found, threshold),
        shortage=_shortage(subjects, low, high),
        made_ms=now_ms,
    )


def _quantiles(strangers: Scores, comparisons: int, prior: ScoreCalibration | None, weight: float) -> Scores:
    """The similarity that each share of :data:`_FPIRS` of the strangers reaches."""
    scale = float(strangers.std(ddof=1)) * sqrt(6) / pi
    gumbel = float(strangers.mean()) - _EULER * scale - scale * np.log(-np.log1p(-_FPIRS))
    if prior is None:
        return gumbel
    known = np.array([prior.similarity(1.0 - (1.0 - fpir) ** (1.0 / comparisons)) for fpir in _FPIRS])
    return np.maximum.accumulate((1 - weight) * known + weight * gumbel)


def _curve(quantiles: Scores, comparisons: int) -> ScoreCalibration:
    """False-match rate of one comparison, taken as independent, where the quantiles rise."""
    rates = np.log10(-np.log1p(-_FPIRS) / comparisons)
    rising = np.concatenate([[True], np.diff(quantiles) > 1e-6])
    kept = [(s, r) for s, r, keep in zip(quantiles.tolist(), rates.tolist(), rising, strict=True) if keep and r < 0]
    return ScoreCalibration(tuple(s for s, _ in kept), tuple(r for _, r in kept))


def _interval(
    found: _Extremes, comparisons: int, prior: ScoreCalibration | None, weight: float, fpir: float, quantiles: Scores
) -> tuple[float, float]:
    """Between which rates the target lies, if other people of the same kind had been enrolled (bootstrap)."""
    random = np.random.default_rng(0)
    members = [np.flatnonzero(found.groups == group) for group in np.unique(found.groups)]
    rates = []
    for _ in range(_DRAWS):
        drawn = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        if found.strangers[drawn].std() < 1e-9:
            continue
        other = _quantiles(found.strangers[drawn], comparisons, prior, weight)
        # What this draw's threshold would let through by the whole sample's estimate.
        threshold = float(np.interp(-log(fpir), -np.log(_FPIRS), other))
        rates.append(float(np.exp(-np.interp(threshold, quantiles, -np.log(_FPIRS)))))
    if not rates:
        return 0.0, 1.0
    return float(np.quantile(rates, 0.025)), float(np.quantile(rates, 0.975))


def _in_targets_terms(rate: Rate, target: CalibrationTarget, comparisons: int) -> Rate:
    if target.fpir is not None:
        return rate
    ends = (rate.value, rate.low, rate.high)
    return Rate(*(1.0 - (1.0 - min(each, 1.0 - 1e-12)) ** (1.0 / comparisons) for each in ends))


def _shortage(subjects: int, low: float, high: float) -> str:
    if subjects < _ENOUGH_SUBJECTS:
        return f"{subjects} subjects are enrolled, at least {_ENOUGH_SUBJECTS} are needed for a promise"
    if high > _WIDEST * max(low, 1e-12):
        return f"the estimate is as uncertain as {low:.2%} to {high:.2%}; enrol more people, or give a cohort"
    return ""


def _misses(found: _Extremes, threshold: float) -> Rate | None:
    if not len(found.own):
        return None
    return Rate.of(int((~found.right | (found.own < threshold)).sum()), len(found.own))


# --- searches -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What a search looks at: templates, then means of the subjects with several, as the live index has them."""

    vectors: FloatArray
    owners: npt.NDArray[np.intp]
    members: list[npt.NDArray[np.intp]]  # by subject: its templates

    @classmethod
    def of(cls, templates: Templates) -> _Rows:
        _, where = np.unique(templates.subjects, return_inverse=True)
        order = np.argsort(where, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(where))[:-1])
        several = [subject for subject, rows in enumerate(members) if len(rows) > 1]
        means = [_unit(templates.vectors[members[subject]].sum(axis=0)) for subject in several]
        vectors = np.vstack([templates.vectors, *means])
        return cls(vectors, np.concatenate([where, np.array(several, dtype=np.intp)]), members)

    def best_other(self, probes: npt.NDArray[np.intp]) -> Scores:
        """For each of these templates the best similarity with another subject, (n,)."""
        best = np.empty(len(probes))
        for part in _portions(len(probes), len(self.vectors)):
            scores = self.vectors[probes[part]] @ self.vectors.T
            scores[self.owners[probes[part]][:, None] == self.owners[None, :]] = -1.0
            best[part] = scores.max(axis=1)
        return best

    def best(self, strangers: FloatArray) -> Scores:
        """For each of these vectors the best similarity with anybody, (n,)."""
        parts = [
            (strangers[part] @ self.vectors.T).max(axis=1) for part in _portions(len(strangers), len(self.vectors))
        ]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)

    def best_own(self, probe: int) -> float | None:
        """Of a template with its subject's others and their mean; None if there is no other."""
        others = self.members[self.owners[probe]]
        others = others[others != probe]
        if not len(others):
            return None
        vectors = self.vectors[others]
        compared = vectors if len(others) == 1 else np.vstack([vectors, _unit(vectors.sum(axis=0))])
        return float((compared @ self.vectors[probe]).max())


def _search_all(templates: Templates) -> tuple[_Extremes, int]:
    """Templates against all other subjects, and against their own without themselves; strangers against all."""
    rows = _Rows.of(templates)
    count = len(templates.vectors)
    probes = np.arange(count)
    if count > _MOST_PROBES:
        probes = np.sort(np.random.default_rng(0).choice(count, _MOST_PROBES, replace=False))
    others = rows.best_other(probes)
    own = np.array([np.nan if (best := rows.best_own(int(probe))) is None else best for probe in probes])
    several = ~np.isnan(own)
    return (
        _Extremes(
            strangers=np.concatenate([others, rows.best(templates.cohort)]),
            groups=np.concatenate([rows.owners[probes], len(rows.members) + np.arange(len(templates.cohort))]),
            own=own[several],
            right=(own > others)[several],
        ),
        len(rows.vectors),
    )


def _portions(probes: int, rows: int) -> list[slice]:
    """So many that their scores take 64 MB at most."""
    size = max(1, _SCORES_AT_ONCE // rows)
    return [slice(start, min(start + size, probes)) for start in range(0, probes, size)]


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), dtype=np.float32)

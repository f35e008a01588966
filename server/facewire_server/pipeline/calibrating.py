"""Fits a gallery's error rates to its own templates, each searched as if its subject were not enrolled.

Two estimates of what strangers get are averaged, quantile by quantile (R. Ratcliff, Psychological Bulletin 86, 1979):

- the embedder's own curve, measured on millions of pairs, for as many comparisons as a search makes;
- a Gumbel distribution, that of the largest of many, with the mean and deviation of the gallery's best similarities
  between different subjects (E. J. Gumbel, Statistics of Extremes, 1958).

The first knows the tail but not these people, camera and light; the second knows them but has few in its tail. The
second has a weight of a half from 25 subjects on, less below: so the promise held best on CelebA and LFW.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.face import FloatArray
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration
from facewire_server.domain.rate import Rate
from facewire_server.domain.templates import SAME_PERSON, mean_template

_EULER: Final = 0.5772156649
_LARGEST_WEIGHT: Final = 0.5
_FULL_WEIGHT_SUBJECTS: Final = 25
_FEWEST_SUBJECTS: Final = 2
_ENOUGH_SUBJECTS: Final = 20
_DRAWS: Final = 200
_WIDEST: Final = 16.0  # the interval's ends may differ by this factor
_ALIKE: Final = 1e-6
_NO_STRANGERS_FMR: Final = 1e-7
# Of a comparison with one subject; falling.
_RATES: Final = np.geomspace(0.8, 1e-9, 60)
_MOST_PROBES: Final = 4000  # of a large gallery, by lot
_SCORES_AT_ONCE: Final = 1 << 22
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
    templates: Templates,
    target: CalibrationTarget,
    prior: ScoreCalibration | None,
    now_ms: int,
    check: Callable[[], None] = lambda: None,
) -> GalleryCalibration:
    """Thresholds and error rates for a gallery.

    Args:
        check: called between portions of the work; what it raises ends it.

    Raises:
        PreconditionFailed: fewer than two subjects with templates, or without a prior nothing that differs.
    """
    subjects = len(np.unique(templates.subjects))
    if subjects < _FEWEST_SUBJECTS:
        raise PreconditionFailed(
            f"the gallery has templates of {subjects} subjects; at least {_FEWEST_SUBJECTS} are needed to compare"
        )
    found, rows = _search_all(templates, check)
    found, alike = _without_one_person(found, prior)
    fit = _Fit(subjects, rows, prior)
    if prior is None and float(found.strangers.std()) < _ALIKE:
        raise PreconditionFailed("the subjects are all as alike as one another; enrol more people")
    quantiles = fit.quantiles(found.strangers)
    curve = _curve(quantiles)
    rate = target.fmr if target.fmr is not None else 1.0 - (1.0 - (target.fpir or 0.0)) ** (1.0 / subjects)
    threshold = curve.similarity(rate)
    low, high = _interval(found, fit, rate, quantiles, check)
    estimate = _in_targets_terms(Rate(rate, low, high), target, subjects)
    return GalleryCalibration(
        target=target,
        curve=curve,
        subjects=subjects,
        templates=len(templates.vectors),
        cohort=len(templates.cohort),
        threshold=threshold,
        rate=estimate,
        misses=_misses(found, threshold),
        shortage=_shortage(subjects, alike, estimate),
        made_ms=now_ms,
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    """From strangers' best similarities to the similarity that each rate of :data:`_RATES` goes with.

    A rate is that of a stranger's comparison with one subject, by all of its rows together: rows of one subject are too
    much alike to count each.
    """

    subjects: int
    rows: int
    prior: ScoreCalibration | None

    def quantiles(self, strangers: Scores) -> Scores:
        scale = float(strangers.std(ddof=1)) * sqrt(6) / pi
        others = max(self.subjects - 1, 1)
        gumbel = float(strangers.mean()) - _EULER * scale - scale * np.log(-others * np.log1p(-_RATES))
        if self.prior is None:
            return np.maximum.accumulate(gumbel)
        each = self.subjects / self.rows
        known = np.array([self.prior.similarity(1.0 - (1.0 - rate) ** each) for rate in _RATES])
        weight = _LARGEST_WEIGHT * min(1.0, self.subjects / _FULL_WEIGHT_SUBJECTS)
        return np.maximum.accumulate((1 - weight) * known + weight * gumbel)


def _curve(quantiles: Scores) -> ScoreCalibration:
    """The rates where the quantiles rise."""
    rising = np.concatenate([[True], np.diff(quantiles) > 1e-6])
    return ScoreCalibration(tuple(quantiles[rising].tolist()), tuple(np.log10(_RATES[rising]).tolist()))


def _interval(
    found: _Extremes, fit: _Fit, rate: float, quantiles: Scores, check: Callable[[], None]
) -> tuple[float, float]:
    """Between which rates the target lies, if other pictures of such people had searched this gallery (bootstrap)."""
    random = np.random.default_rng(0)
    order = np.argsort(found.groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(found.groups[order])) + 1)
    rates = []
    for _ in range(_DRAWS):
        check()
        drawn = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        if found.strangers[drawn].std() < _ALIKE:
            continue
        other = fit.quantiles(found.strangers[drawn])
        # What this draw's threshold would let through by the whole sample's estimate.
        threshold = float(np.interp(-log(rate), -np.log(_RATES), other))
        rates.append(float(np.exp(-np.interp(threshold, quantiles, -np.log(_RATES)))))
    if not rates:
        return 0.0, 1.0
    return float(np.quantile(rates, 0.025)), float(np.quantile(rates, 0.975))


def _in_targets_terms(rate: Rate, target: CalibrationTarget, subjects: int) -> Rate:
    if target.fpir is None:
        return rate
    ends = (rate.value, rate.low, rate.high)
    return Rate(*(1.0 - (1.0 - min(each, 1.0 - 1e-12)) ** subjects for each in ends))


def _without_one_person(found: _Extremes, prior: ScoreCalibration | None) -> tuple[_Extremes, int]:
    """Leaves out searches that found the very person: somebody enrolled twice, or a cohort of enrolled people.

    As strangers they would raise the threshold until nobody is named. Returns how many these were, too.
    """
    if prior is None:
        return found, 0
    strange = found.strangers < max(SAME_PERSON, prior.similarity(_NO_STRANGERS_FMR))
    if strange.sum() < _FEWEST_SUBJECTS:
        raise PreconditionFailed("nobody differs from the others; see the gallery's review")
    kept = replace(found, strangers=found.strangers[strange], groups=found.groups[strange])
    return kept, int((~strange).sum())


def _shortage(subjects: int, alike: int, rate: Rate) -> str:
    if alike:
        return (
            f"{alike} of the searches found the very person: somebody is enrolled under two names ('facewire gallery "
            "review' shows whom), or the cohort holds enrolled people; they were left out"
        )
    if subjects < _ENOUGH_SUBJECTS:
        return f"{subjects} subjects are enrolled, at least {_ENOUGH_SUBJECTS} are needed for a promise"
    if rate.high > _WIDEST * max(rate.low, 1e-12):
        return f"the estimate is as uncertain as {rate.low:.1g} to {rate.high:.1g}; enrol more people, or give a cohort"
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
        means = [mean_template(templates.vectors[members[subject]]) for subject in several]
        vectors = np.vstack([templates.vectors, *means])
        return cls(vectors, np.concatenate([where, np.array(several, dtype=np.intp)]), members)

    def best_other(self, probes: npt.NDArray[np.intp], check: Callable[[], None]) -> Scores:
        """For each of these templates the best similarity with another subject, (n,)."""
        best = np.empty(len(probes))
        for part in _portions(len(probes), len(self.vectors)):
            check()
            scores = self.vectors[probes[part]] @ self.vectors.T
            scores[self.owners[probes[part]][:, None] == self.owners[None, :]] = -1.0
            best[part] = scores.max(axis=1)
        return best

    def best(self, strangers: FloatArray, check: Callable[[], None]) -> Scores:
        """For each of these vectors the best similarity with anybody, (n,)."""
        best = np.empty(len(strangers))
        for part in _portions(len(strangers), len(self.vectors)):
            check()
            best[part] = (strangers[part] @ self.vectors.T).max(axis=1)
        return best

    def best_own(self, probe: int) -> float | None:
        """Of a template with its subject's others and their mean; None if there is no other."""
        others = self.members[self.owners[probe]]
        others = others[others != probe]
        if not len(others):
            return None
        vectors = self.vectors[others]
        compared = vectors if len(others) == 1 else np.vstack([vectors, mean_template(vectors)])
        return float((compared @ self.vectors[probe]).max())


def _search_all(templates: Templates, check: Callable[[], None]) -> tuple[_Extremes, int]:
    """Templates against all other subjects, and against their own without themselves; strangers against all."""
    rows = _Rows.of(templates)
    count = len(templates.vectors)
    probes, cohort = _drawn(count), templates.cohort[_drawn(len(templates.cohort))]
    others = rows.best_other(probes, check)
    own = np.array([np.nan if (best := rows.best_own(int(probe))) is None else best for probe in probes])
    several = ~np.isnan(own)
    return (
        _Extremes(
            strangers=np.concatenate([others, rows.best(cohort, check)]),
            groups=np.concatenate([rows.owners[probes], len(rows.members) + np.arange(len(cohort))]),
            own=own[several],
            right=(own > others)[several],
        ),
        len(rows.vectors),
    )


def _drawn(count: int) -> npt.NDArray[np.intp]:
    """All of so many, or a lot of them."""
    if count <= _MOST_PROBES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, _MOST_PROBES, replace=False))


def _portions(probes: int, rows: int) -> list[slice]:
    """So many that their scores take 16 MB at most."""
    size = max(1, _SCORES_AT_ONCE // rows)
    return [slice(start, min(start + size, probes)) for start in range(0, probes, size)]

"""Error rates agree with scikit-learn's and with numbers counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from facewire_server.domain.rate import Rate
from facewire_server.evaluation.average_precision import Judged, average_precision, judge
from facewire_server.evaluation.rates import (
    ErrorCurve,
    Searches,
    attack_errors,
    best_threshold,
    fold_accuracies,
    supports,
    tar_at_far,
    threshold_at,
)


def synthetic(seed: int, genuine: int = 400, impostor: int = 900) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    # Rounded, so that scores tie.
    return random.normal(0.6, 0.15, genuine).round(2), random.normal(0.1, 0.15, impostor).round(2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("far", [0.1, 0.01, 0.002])
def test_tar_at_far_is_scikit_learns(seed: int, far: float) -> None:
    genuine, impostor = synthetic(seed)
    labels = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    fpr, tpr, _ = roc_curve(labels, np.r_[genuine, impostor], drop_intermediate=False)
    assert tar_at_far(genuine, impostor, far).value == pytest.approx(tpr[fpr <= far + 1e-12].max())


def test_the_curve_is_scikit_learns() -> None:
    genuine, impostor = synthetic(7)
    labels = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    fpr, tpr, thresholds = roc_curve(labels, np.r_[genuine, impostor], drop_intermediate=False)
    curve = ErrorCurve.of(genuine, impostor)
    at = np.searchsorted(curve.thresholds, thresholds[1:])
    np.testing.assert_allclose(curve.fmr[at], fpr[1:])
    np.testing.assert_allclose(1 - curve.fnmr[at], tpr[1:])


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_no_more_than_the_rate_is_accepted_and_no_lower_threshold_would_do(scores: list[float], rate: float) -> None:
    false = np.array(scores)
    threshold = threshold_at(false, rate)
    assert (false >= threshold).mean() <= rate + 1e-9
    lower = false[false < threshold]
    if len(lower):
        assert (false >= lower.max()).mean() > rate - 1e-9


def test_wilson_interval_by_hand() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 0 of 20, 1 of 29.
    for successes, trials, low, high in ((81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):
        rate = Rate.of(successes, trials)
        assert (rate.low, rate.high) == pytest.approx((low, high), abs=6e-5)


def test_data_that_cannot_show_a_rate() -> None:
    assert supports(1000, 0.001)
    assert not supports(999, 0.001)


def test_the_best_threshold_by_trying_all() -> None:
    genuine, impostor = synthetic(3, 60, 80)
    scores, same = np.r_[genuine, impostor], np.r_[np.ones(60, bool), np.zeros(80, bool)]
    tried = max(((scores >= t) == same).mean() for t in np.arange(-1, 1.5, 0.005))
    assert ((scores >= best_threshold(scores, same)) == same).mean() == pytest.approx(tried)


def test_fold_accuracies_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.1, 0.2, 0.9, 0.3, 0.2, 0.1])
    same = np.array([True, True, False, False, True, True, False, False])
    # Fold 0 at fold 1's threshold (0.25): all right; fold 1 at fold 0's (0.5): 0.3 is refused.
    assert fold_accuracies(scores, same, np.array([0, 0, 0, 0, 1, 1, 1, 1])) == [1.0, 0.75]


def test_searches_by_hand() -> None:
    searches = Searches(
        mated=np.array([0.9, 0.8, 0.3, 0.7, -np.inf]),
        right=np.array([True, True, True, False, False]),
        strangers=np.array([0.5, 0.2, 0.1, 0.0]),
    )
    assert searches.rank1().value == 3 / 5
    assert searches.fnir(0.4).value == 3 / 5  # 0.3 is too low, 0.7 is of another, one had no face
    assert searches.fpir(0.4).value == 1 / 4
    assert searches.fnir_at_fpir(0.25).value == 2 / 5  # the threshold lies just above 0.2
    assert searches.fnir_at_fpir(0.0).value == 3 / 5


def test_attacks_by_hand() -> None:
    bpcer, apcer = attack_errors(np.array([0.9, 0.4]), {"print": np.array([0.6, 0.1, 0.1, 0.1])}, 0.5)
    assert (bpcer.value, apcer["print"].value) == (0.5, 0.25)


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_against_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, hits = random.random(200), random.random(200) < 0.6
    ours = average_precision([Judged(scores[:90], hits[:90], int(hits[:90].sum())),
                              Judged(scores[90:], hits[90:], int(hits[90:].sum()))])  # fmt: skip
    theirs = average_precision_score(hits, scores)
    # Theirs takes precision as it is, ours the best at this recall or a larger one.
    assert theirs <= ours < theirs + 0.1
    falling = np.argsort(-scores)
    precision = np.cumsum(hits[falling]) / np.arange(1, 201)
    best = [precision[i:].max() for i in np.flatnonzero(hits[falling])]
    assert ours == pytest.approx(np.mean(best))


def test_average_precision_by_hand() -> None:
    # Right, wrong, right of three faces: precision 1 up to a third of them, 2/3 up to two thirds.
    picture = Judged(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 3)
    assert average_precision([picture]) == pytest.approx(1 / 3 + 2 / 9)
    assert average_precision([Judged(np.array([]), np.array([], dtype=bool), 0)]) is None


def test_detections_are_judged_one_to_one_and_ignored_faces_cost_nothing() -> None:
    truth = np.array([[0, 0, 10, 10], [50, 50, 10, 10]], dtype=float)
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 10, 10], [80, 0, 10, 10]], dtype=float)
    judged = judge(boxes, np.array([0.9, 0.8, 0.7, 0.6]), truth, np.array([True, False]))
    assert judged.faces == 1
    assert judged.hits.tolist() == [True, False, False], (
        "found, found again, nothing there; the ignored one is left out"
    )

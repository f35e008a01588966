"""From similarities to answers, and from error rates to thresholds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.decision import Candidate, Decision, DecisionPolicy
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration, GalleryFacts
from facewire_server.domain.rate import Rate
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.specs import EmbedderModel

CURVE = ScoreCalibration((0.0, 0.2, 0.4, 0.6), (-0.1, -1.0, -3.0, -6.0))


def policy(margin: float = 0.05, max_fmr: float = 1e-3) -> DecisionPolicy:
    return DecisionPolicy(
        CURVE, 1.0, target_fpir=0.01, max_fmr=max_fmr, verify_fmr=1e-4, margin=margin, stream_fmr=3e-6
    )


def candidate(subject: str, similarity: float) -> Candidate:
    return Candidate(subject, subject.title(), (), similarity, f"face-of-{subject}")


def decide(*faces: list[Candidate], threshold: float = 0.4) -> list[tuple[Decision, str | None]]:
    answers = policy().decide(faces, threshold)
    return [(a.decision, a.match.subject_id if a.match else None) for a in answers]


def test_the_best_above_the_threshold_matches() -> None:
    assert decide([candidate("ada", 0.6), candidate("ben", 0.3)]) == [(Decision.MATCH, "ada")]


def test_nobody_above_the_threshold_is_unknown() -> None:
    assert decide([candidate("ada", 0.39)], []) == [(Decision.UNKNOWN, None)] * 2


def test_two_too_close_are_ambiguous() -> None:
    assert decide([candidate("ada", 0.60), candidate("ben", 0.58)]) == [(Decision.AMBIGUOUS, None)]


def test_a_close_second_below_the_threshold_does_not_matter() -> None:
    assert decide([candidate("ada", 0.41), candidate("ben", 0.39)]) == [(Decision.MATCH, "ada")]


def test_a_subject_goes_to_the_face_most_similar_to_it() -> None:
    weaker, stronger = [candidate("ada", 0.5), candidate("ben", 0.2)], [candidate("ada", 0.7)]
    assert decide(weaker, stronger) == [(Decision.UNKNOWN, None), (Decision.MATCH, "ada")]


def test_the_other_face_may_have_its_next_candidate() -> None:
    weaker, stronger = [candidate("ada", 0.6), candidate("ben", 0.5)], [candidate("ada", 0.7)]
    assert decide(weaker, stronger) == [(Decision.MATCH, "ben"), (Decision.MATCH, "ada")]


similarities = st.floats(-1, 1)
faces = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), similarities, max_size=5).map(
        lambda found: sorted((candidate(s, v) for s, v in found.items()), key=lambda c: -c.similarity)
    ),
    max_size=6,
)


@given(faces)
def test_no_subject_is_named_twice_and_no_match_is_below_the_threshold(found: list[list[Candidate]]) -> None:
    answers = policy().decide(found, 0.4)
    assert len(answers) == len(found)
    matches = [a.match for a in answers if a.match is not None]
    assert len({m.subject_id for m in matches}) == len(matches)
    assert all(m.similarity >= 0.4 for m in matches)
    assert all((a.match is not None) == (a.decision is Decision.MATCH) for a in answers)


def test_the_threshold_rises_with_the_gallery_and_promises_the_rate() -> None:
    thresholds = [policy().identify_threshold(GalleryFacts(n, n, None)) for n in (0, 1, 10, 100, 10_000, 1_000_000)]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] == thresholds[2] == pytest.approx(CURVE.similarity(1e-3))
    rate = CURVE.fmr(policy().identify_threshold(GalleryFacts(1000, 1000, None)))
    assert 1 - (1 - rate) ** 1000 == pytest.approx(0.01, rel=1e-3)


@given(st.floats(-1, 1))
def test_rates_fall_with_similarity_and_stay_rates(similarity: float) -> None:
    assert 10**-6.0 <= CURVE.fmr(similarity) <= 1
    assert CURVE.fmr(similarity) >= CURVE.fmr(min(similarity + 0.1, 1.0))


@given(st.floats(1e-6, 0.5))
def test_rate_and_threshold_are_inverse(rate: float) -> None:
    assert CURVE.fmr(CURVE.similarity(rate)) == pytest.approx(rate, rel=1e-6)


def test_beyond_the_data_thresholds_extrapolate_but_rates_do_not() -> None:
    assert CURVE.similarity(1e-8) == pytest.approx(0.6 + 2 * 0.2 / 3)
    assert CURVE.similarity(1e-30) == 1.0
    assert CURVE.fmr(0.9) == pytest.approx(1e-6)


@pytest.mark.parametrize(("xs", "ys"), [((0, 1), (0, 0)), ((1, 0), (0, -1)), ((0,), (0,)), ((0, 1), (0,))])
def test_a_calibration_that_is_no_curve_is_refused(xs: tuple[float, ...], ys: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        ScoreCalibration(xs, ys)


def test_the_default_embedder_is_calibrated_as_documented() -> None:
    calibration = load_manifest().of("sface-2021dec", EmbedderModel).calibration
    assert calibration is not None
    # OpenCV's published threshold, 0.363, is about one in a thousand.
    assert calibration.curve().fmr(0.363) == pytest.approx(1.3e-3, rel=0.1)
    assert np.isfinite(calibration.similarities).all()


def test_without_calibration_the_fixed_threshold_holds() -> None:
    large = GalleryFacts(10**6, 10**6, None)
    fixed = DecisionPolicy(None, 0.42, target_fpir=0.01, max_fmr=1e-3, verify_fmr=1e-4, margin=0.05, stream_fmr=3e-6)
    assert fixed.verify_threshold() == fixed.identify_threshold(large) == fixed.stream_threshold(large) == 0.42


def test_a_calibration_that_does_not_suffice_leaves_the_embedders_rates_in_force() -> None:
    strict = ScoreCalibration((0.5, 0.9), (-1.0, -6.0))
    target = CalibrationTarget(0.05, None)
    rate = Rate(0.05, 0.01, 0.1)
    own = GalleryCalibration(target, strict, 20, 40, 0, 0.8, rate, None, "", 0)
    short = replace(own, shortage="too few")
    thresholds = [policy().identify_threshold(GalleryFacts(60, 20, each)) for each in (None, own, short)]
    assert thresholds[1] > 0.5
    assert thresholds[2] < thresholds[0], "the laxer target, by the embedder's curve"
    assert policy().curve(GalleryFacts(60, 20, short)) is CURVE
    assert policy().curve(GalleryFacts(60, 20, own)) is strict

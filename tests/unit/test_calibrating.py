"""A gallery's error rates are those that people like the enrolled ones then have."""

from __future__ import annotations

import numpy as np
import pytest

from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryCalibration
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.specs import EmbedderModel
from facewire_server.pipeline.calibrating import Templates, calibrate

PRIOR = load_manifest().of("sface-2021dec", EmbedderModel).calibration.curve()  # type: ignore[union-attr]
NOBODY = np.empty((0, 128), dtype=np.float32)


def people(random: np.random.Generator, count: int, each: int, alike: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings about each person's centre, (count * each, 128), and whose they are; ``alike`` pulls all together."""
    common = random.normal(size=128)
    centres = random.normal(size=(count, 128)) + alike * common
    noisy = np.repeat(centres, each, axis=0) + 0.7 * random.normal(size=(count * each, 128))
    return (noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32), np.repeat(np.arange(count), each)


def made(vectors: np.ndarray, subjects: np.ndarray, **more: object) -> GalleryCalibration:
    target = more.pop("target", CalibrationTarget(0.05, None))
    return calibrate(Templates(vectors, subjects, more.pop("cohort", NOBODY)), target, more.pop("prior", None), 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_the_promise_holds_for_strangers_of_the_same_kind(alike: float) -> None:
    random = np.random.default_rng(1)
    shares = []
    for _ in range(10):
        vectors, subjects = people(random, 60, 2, alike)
        enrolled, strangers = subjects < 40, subjects >= 40
        calibration = made(vectors[enrolled], subjects[enrolled])
        means = vectors[enrolled].reshape(40, 2, 128).sum(axis=1)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        best = (vectors[strangers] @ np.vstack([vectors[enrolled], means]).T).max(axis=1)
        shares.append((best >= calibration.threshold).mean())
    assert 0.025 < np.mean(shares) < 0.1, "0.05 within a factor of two"


def test_people_who_are_more_alike_get_a_higher_threshold() -> None:
    random = np.random.default_rng(2)
    apart, alike = (made(*people(random, 40, 2, pull), prior=PRIOR) for pull in (0.0, 0.6))
    assert alike.threshold > apart.threshold + 0.02
    assert alike.curve.fmr(0.3) > apart.curve.fmr(0.3)


def test_a_false_match_rate_is_of_one_comparison() -> None:
    vectors, subjects = people(np.random.default_rng(3), 40, 1)
    by_fmr = made(vectors, subjects, target=CalibrationTarget(None, 1 - (1 - 0.05) ** (1 / 40)))
    assert by_fmr.threshold == pytest.approx(made(vectors, subjects).threshold)
    assert by_fmr.rate.value == pytest.approx(0.05 / 40, rel=0.05)
    assert by_fmr.curve.fmr(by_fmr.threshold) == pytest.approx(0.05 / 40, rel=0.1)


def test_strangers_who_resemble_somebody_raise_the_threshold() -> None:
    random = np.random.default_rng(4)
    vectors, subjects = people(random, 40, 2)
    near = vectors[::2] + 0.12 * random.normal(size=(40, 128)).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    alone, with_cohort = made(vectors, subjects), made(vectors, subjects, cohort=near.astype(np.float32))
    assert with_cohort.cohort == 40
    assert with_cohort.threshold > alone.threshold + 0.05


def test_expected_misses_are_those_of_pictures_left_out() -> None:
    vectors, subjects = people(np.random.default_rng(5), 40, 4)
    calibration = made(vectors, subjects)
    assert calibration.misses is not None
    assert calibration.misses.value < 0.05
    single = made(*people(np.random.default_rng(6), 40, 1))
    assert single.misses is None


@pytest.mark.parametrize(("count", "enough"), [(8, False), (40, True)])
def test_few_people_allow_no_promise(count: int, enough: bool) -> None:
    calibration = made(*people(np.random.default_rng(7), count, 2), prior=PRIOR)
    assert calibration.sufficient is enough
    if not enough:
        assert f"{count} subjects are enrolled, at least 20" in calibration.shortage
    assert calibration.rate.low <= 0.05 <= calibration.rate.high


def test_one_subject_cannot_be_compared() -> None:
    with pytest.raises(PreconditionFailed, match="templates of 1 subjects"):
        made(*people(np.random.default_rng(8), 1, 5))


def test_identical_people_are_refused_with_what_to_look_at() -> None:
    vectors, _ = people(np.random.default_rng(9), 30, 1)
    with pytest.raises(PreconditionFailed, match="gallery's review"):
        made(np.repeat(vectors[:1], 30, axis=0), np.arange(30), prior=PRIOR)


def test_a_gallery_that_grew_is_stale() -> None:
    calibration = made(*people(np.random.default_rng(10), 30, 2))
    assert not calibration.stale(33)
    assert calibration.stale(40)
    assert calibration.stale(20)


def test_a_large_gallery_is_sampled() -> None:
    vectors, subjects = people(np.random.default_rng(11), 3000, 2)
    calibration = made(vectors, subjects)
    assert calibration.templates == 6000
    assert calibration.sufficient


@pytest.mark.parametrize("prior", [PRIOR, None])
def test_rates_are_known_for_dissimilar_faces_too(prior: object) -> None:
    """What most comparisons of different people reach must not be called rare."""
    curve = made(*people(np.random.default_rng(12), 40, 2), prior=prior).curve
    assert curve.fmr(-0.5) > 0.5
    assert curve.fmr(0.0) > 0.2
    assert curve.fmr(0.6) < 1e-4


def test_a_lax_false_match_rate_is_met_in_a_large_gallery() -> None:
    vectors, subjects = people(np.random.default_rng(13), 1500, 1)
    calibration = made(vectors, subjects, target=CalibrationTarget(None, 0.01))
    assert calibration.rate.low <= 0.01 <= calibration.rate.high
    scores = vectors[:300] @ vectors[300:].T
    assert 0.002 < (scores >= calibration.threshold).mean() < 0.05


def test_without_a_prior_people_who_do_not_differ_are_refused() -> None:
    vectors, _ = people(np.random.default_rng(14), 2, 1)
    with pytest.raises(PreconditionFailed, match="enrol more people"):
        made(vectors, np.arange(2))


def test_the_work_ends_when_it_is_told_to() -> None:
    def stop() -> None:
        raise TimeoutError

    vectors, subjects = people(np.random.default_rng(15), 30, 2)
    with pytest.raises(TimeoutError):
        calibrate(Templates(vectors, subjects, NOBODY), CalibrationTarget(0.01, None), PRIOR, 0, stop)


def test_a_person_enrolled_twice_and_a_cohort_of_enrolled_people_are_left_out() -> None:
    random = np.random.default_rng(16)
    vectors, subjects = people(random, 30, 3)
    sound = made(vectors, subjects, prior=PRIOR)
    twice = made(np.concatenate([vectors, vectors[:2]]), np.concatenate([subjects, [30, 30]]), prior=PRIOR)
    assert twice.threshold == pytest.approx(sound.threshold, abs=0.03)
    assert "enrolled under two names" in twice.shortage
    enrolled = made(vectors, subjects, prior=PRIOR, cohort=vectors)
    assert enrolled.threshold == pytest.approx(sound.threshold, abs=0.03)
    assert not enrolled.sufficient

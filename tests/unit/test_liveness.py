"""Liveness: limits, several looks together, who gets a name, what a crop shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.attributes import Attributes, JudgedPerson, figures_of
from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.decision import Candidate, Decision, DecisionPolicy
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import (
    LOOKS_FOR_A_TRACK,
    Liveness,
    LivenessCheck,
    LivenessDecision,
    LivenessEvidence,
    LivenessLimits,
)
from facewire_server.domain.mesh import MESH_POINTS, Mesh
from facewire_server.domain.stages import StageClock
from facewire_server.inference.liveness import surroundings
from facewire_server.inference.specs import QuantileCurve
from facewire_server.pipeline.liveness import LivenessGuard, decide_on_living

LIMITS = LivenessLimits(spoof_below=0.2, live_from=0.8)
LIVE, SPOOF, UNSURE = LivenessDecision.LIVE, LivenessDecision.SPOOF, LivenessDecision.UNSURE


@pytest.mark.parametrize(
    ("score", "decision"), [(0.0, SPOOF), (0.19, SPOOF), (0.2, UNSURE), (0.79, UNSURE), (0.8, LIVE)]
)
def test_limits_part_the_scores(score: float, decision: LivenessDecision) -> None:
    assert LIMITS.of(score).decision is decision


def test_limits_follow_from_rates_of_the_living() -> None:
    curve = QuantileCurve(scores=(0.0, 0.4, 0.9), rates=(0.0, 0.02, 0.1))
    assert curve.score_at(0.01) == pytest.approx(0.2)
    assert curve.score_at(0.1) == pytest.approx(0.9)
    assert curve.score_at(0.5) == pytest.approx(0.9)  # not measured beyond


@pytest.mark.parametrize("curve", [{"scores": (0.5, 0.1), "rates": (0.0, 0.1)}, {"scores": (0.1,), "rates": (0.1,)}])
def test_a_curve_that_does_not_rise_is_refused(curve: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="scores"):
        QuantileCurve(**curve)


def evidence_of(*scores: float) -> LivenessEvidence:
    evidence = LivenessEvidence()
    for score in scores:
        evidence.add(score)
    return evidence


def test_a_track_is_unsure_before_three_looks() -> None:
    assert evidence_of(1.0, 1.0).liveness(LIMITS).decision is UNSURE
    assert evidence_of(*[1.0] * LOOKS_FOR_A_TRACK).liveness(LIMITS).decision is LIVE
    assert evidence_of(*[0.0] * LOOKS_FOR_A_TRACK).liveness(LIMITS).decision is SPOOF
    assert LivenessEvidence().liveness(LIMITS) == Liveness(UNSURE, 0.5, 0)


def test_one_wrong_look_does_not_outweigh_the_others() -> None:
    assert evidence_of(0.0, 0.99, 0.99, 0.99, 0.99, 0.99).liveness(LIMITS).decision is LIVE
    assert evidence_of(1.0, 0.02, 0.02, 0.02, 0.02, 0.02).liveness(LIMITS).decision is SPOOF


def test_a_picture_held_up_later_is_noticed() -> None:
    assert evidence_of(*[0.99] * 1000, *[0.01] * 30).liveness(LIMITS).decision is not LIVE


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_the_score_lies_between_the_looks(scores: list[float]) -> None:
    together = evidence_of(*scores)
    clipped = np.clip(scores, 0.001, 0.999)
    assert clipped.min() - 1e-6 <= together.score <= clipped.max() + 1e-6
    assert together.looks == len(scores)


class _Scores:
    """Says what it is told to: a network's scores can be had with its weights alone, which are not ours to give."""

    def __init__(self, *scores: float) -> None:
        self._scores = scores

    def scores(self, frame: Frame, faces: Faces, clock: StageClock) -> FloatArray:
        return np.array(self._scores, dtype=np.float32)


def test_the_server_may_do_more_than_is_asked_for_and_never_less() -> None:
    for least in LivenessCheck:
        guard = LivenessGuard(_Scores(1.0), LIMITS, least)
        for asked in LivenessCheck:
            assert guard.check_for(asked) is max(asked, least)


def test_without_a_model_asking_is_an_error_that_says_how_to_get_one() -> None:
    guard = LivenessGuard(None, LIMITS, LivenessCheck.REQUIRE)
    assert guard.check_for(LivenessCheck.OFF) is LivenessCheck.OFF
    for asked in (LivenessCheck.REPORT, LivenessCheck.REQUIRE):
        with pytest.raises(PreconditionFailed, match="docs/liveness.md") as caught:
            guard.check_for(asked)
        assert caught.value.reason == "NOT_CONFIGURED"


def candidate(subject_id: str, similarity: float) -> Candidate:
    return Candidate(subject_id, subject_id, (), similarity, "f")


def test_a_picture_takes_no_name_from_the_living_person_beside_it() -> None:
    policy = DecisionPolicy(ScoreCalibration((0.0, 1.0), (0.0, -6.0)), 1.0, 0.01, 1e-3, 1e-4, 0.04, 1e-6)
    picture, person = [candidate("ada", 0.9)], [candidate("ada", 0.7)]
    living = [LIMITS.of(0.0), LIMITS.of(1.0)]
    answers = decide_on_living(policy, [picture, person], 0.5, living)
    assert [a.decision for a in answers] == [Decision.UNKNOWN, Decision.MATCH]
    assert answers[0].candidates == tuple(picture)
    assert answers[0].match is None
    assert [a.decision for a in policy.decide([picture, person], 0.5)] == [Decision.MATCH, Decision.UNKNOWN]


boxes = st.tuples(st.floats(-300, 900), st.floats(-300, 900), st.floats(0.1, 900), st.floats(0.1, 900))


@given(boxes, st.integers(8, 800), st.integers(8, 800))
def test_surroundings_lie_in_the_frame(box: tuple[float, float, float, float], width: int, height: int) -> None:
    x, y, wide, high = surroundings(np.array(box, dtype=np.float32), 2.7, width, height)
    assert x >= 0
    assert y >= 0
    assert x + wide <= width + 1e-3
    assert y + high <= height + 1e-3
    assert wide >= 1
    assert high >= 1


def test_surroundings_in_the_middle_are_the_box_enlarged() -> None:
    found = surroundings(np.array([400, 300, 100, 120], dtype=np.float32), 2.0, 1000, 1000)
    assert found == pytest.approx((350, 240, 200, 240))


def test_figures_keep_silent_about_few() -> None:
    looks = np.eye(4, dtype=np.float32)
    people = [
        JudgedPerson(Attributes(age, female), looks[i])
        for i, (age, female) in enumerate([(12.9, 1.0), (13.0, 0.0), (60.0, 0.5)])
    ]
    assert figures_of(people, 4, 0.5) is None
    assert figures_of([], 0, 0.5) is None
    assert figures_of(people[:1] * 5, 3, 0.5) is None, "one person five times is one"
    figures = figures_of(people, 3, 0.5)
    assert figures is not None
    assert figures.age_groups == (1, 1, 0, 0, 0, 1)
    assert figures.female_share == pytest.approx(1 / 3)


def facing(yaw: float, pitch: float, roll: float) -> Mesh:
    """Four points of a head turned so: the outer corners of the eyes, forehead and chin."""
    head = {33: (-45, -20, 0), 263: (45, -20, 0), 10: (0, -90, 0), 152: (0, 90, 0)}
    points = np.zeros((MESH_POINTS, 3))
    y, p, r = np.deg2rad([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    for index, point in head.items():
        points[index] = about_z @ about_y @ about_x @ np.array(point)
    return Mesh(points.astype(np.float32), 1.0)


@pytest.mark.parametrize("angle", [-30.0, -10.0, 0.0, 10.0, 30.0])
def test_a_pose_has_the_signs_and_sizes_it_says(angle: float) -> None:
    yaw = facing(angle, 0, 0).pose
    assert np.tan(np.deg2rad(yaw.yaw_deg)) == pytest.approx(1.4 * np.tan(np.deg2rad(angle)), abs=1e-3)
    assert (yaw.pitch_deg, yaw.roll_deg) == pytest.approx((0, 0), abs=0.1)
    pitch = facing(0, angle, 0).pose
    assert np.tan(np.deg2rad(pitch.pitch_deg)) == pytest.approx(1.1 * np.tan(np.deg2rad(angle)), abs=1e-3)
    assert (pitch.yaw_deg, pitch.roll_deg) == pytest.approx((0, 0), abs=0.1)
    assert facing(0, 0, angle).pose.roll_deg == pytest.approx(angle, abs=0.1)

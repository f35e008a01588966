"""A face's score and issues: what is measured explains them, and the rest is told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.face import Quality, QualityIssue
from facewire_server.domain.gallery import EnrolRefusal
from facewire_server.domain.quality import QualityJudge, QualityLimits
from facewire_server.pipeline.enrolment import EnrolmentGate

LIMITS = QualityLimits(40, 2, 40, 235, 45, 45, 0.1, 0.25)
JUDGE = QualityJudge(LIMITS, 11.0, 1.1)
GOOD = Quality(20, 120, 45, 2, -3, 1, 120, 0, embedding_norm=12.8)


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"size_px": 30}, QualityIssue.TOO_SMALL),
        ({"sharpness": 1}, QualityIssue.BLURRED),
        ({"brightness": 20}, QualityIssue.TOO_DARK),
        ({"brightness": 250}, QualityIssue.OVEREXPOSED),
        ({"yaw_deg": -60}, QualityIssue.EXTREME_POSE),
        ({"pitch_deg": 50}, QualityIssue.EXTREME_POSE),
        ({"outside_share": 0.3}, QualityIssue.CUT_OFF),
        ({"glare_share": 0.3}, QualityIssue.OVEREXPOSED),
        ({"embedding_norm": 7.0}, QualityIssue.OCCLUDED),
    ],
)
def test_each_issue_has_its_name(change: dict[str, Any], issue: QualityIssue) -> None:
    assert JUDGE.judge(GOOD, 0.93).issues == ()
    assert JUDGE.judge(replace(GOOD, **change), 0.93).issues == (issue,)


def test_what_is_explained_is_not_called_occluded() -> None:
    assert JUDGE.judge(replace(GOOD, embedding_norm=7.0, brightness=20), 0.93).issues == (QualityIssue.TOO_DARK,)


@given(st.floats(5, 16), st.floats(0.1, 2), st.floats(0.3, 1))
def test_the_score_is_a_share_and_rises_with_the_embeddings_length(norm: float, more: float, detected: float) -> None:
    low, high = (JUDGE.judge(replace(GOOD, embedding_norm=n), detected).score for n in (norm, norm + more))
    assert 0 <= low < high <= 1
    assert JUDGE.judge(replace(GOOD, embedding_norm=norm), detected / 2).score < low


def test_without_an_embedding_the_detector_alone_speaks() -> None:
    unknown = replace(GOOD, embedding_norm=None)
    assert 0.5 < JUDGE.judge(unknown, 0.93).score < JUDGE.judge(unknown, 0.97).score
    no_norms = QualityJudge(LIMITS, None, 1.0)
    assert no_norms.judge(GOOD, 0.93).score == no_norms.judge(unknown, 0.93).score


def test_the_gate_refuses_a_face_that_hardly_is_one() -> None:
    gate = EnrolmentGate(LIMITS, 0.05, 4.0)
    refusal = gate.judge(JUDGE.judge(replace(GOOD, embedding_norm=6.0), 0.85))
    assert refusal is not None
    assert refusal.reason is EnrolRefusal.POOR_QUALITY
    assert gate.judge(JUDGE.judge(GOOD, 0.93)) is None
    dark = gate.judge(JUDGE.judge(replace(GOOD, brightness=20), 0.93))
    assert dark is not None
    assert (dark.reason, dark.detail) == (EnrolRefusal.TOO_DARK, "the face's brightness is 20, at least 40 is needed")

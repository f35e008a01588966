"""Who a track is: slow to name, slow to take back, never one subject twice, and awake when somebody else takes over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.decision import Candidate
from facewire_server.domain.evidence import Evidence, Thresholds, Verdict, arbitrate, judge, shot_score
from facewire_server.domain.face import FloatArray, Quality
from facewire_server.domain.stream import TrackState

LIMITS = Thresholds(0.5, 0.04)
NOBODY = Verdict(TrackState.IDENTIFYING)


def candidate(subject: str, similarity: float) -> Candidate:
    return Candidate(subject, subject.title(), (), similarity, "face")


def unit(*values: float) -> FloatArray:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def evidence_of(shots: int, first_s: float = 0.0, vote: str = "ada", score: float = 0.8) -> Evidence:
    evidence = Evidence()
    for i in range(shots):
        assert evidence.add(unit(1, 0, 0), score, 10.0, first_s + i * 0.15)
        evidence.vote([candidate(vote, 0.55)], score, LIMITS)
    return evidence


def quality(**changes: float) -> Quality:
    values = {
        "sharpness": 8.0, "brightness": 120.0, "contrast": 40.0, "yaw_deg": 0.0, "pitch_deg": 0.0, "roll_deg": 0.0,
        "size_px": 90.0, "outside_share": 0.0,
    }  # fmt: skip
    return Quality(**{**values, **changes})  # type: ignore[arg-type]


# --- shots ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "worse",
    [{"size_px": 30.0}, {"sharpness": 1.0}, {"brightness": 30.0}, {"brightness": 245.0}, {"yaw_deg": -40.0},
     {"pitch_deg": 45.0}, {"outside_share": 0.2}],
    ids=str,
)  # fmt: skip
def test_worse_shots_score_lower(worse: dict[str, float]) -> None:
    assert shot_score(quality(**worse), 0.9) < 0.9 * shot_score(quality(), 0.9)


@given(
    st.floats(0, 500), st.floats(0, 100), st.floats(0, 255), st.floats(-180, 180), st.floats(-90, 90),
    st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip
def test_scores_stay_in_range(
    size: float, sharp: float, light: float, yaw: float, pitch: float, out: float, sure: float
) -> None:
    q = quality(size_px=size, sharpness=sharp, brightness=light, yaw_deg=yaw, pitch_deg=pitch, outside_share=out)
    assert 0.0 <= shot_score(q, sure) <= 1.0


# --- the template ---------------------------------------------------------------------------------------


def test_the_template_leans_to_the_better_shots() -> None:
    evidence = Evidence()
    evidence.add(unit(1, 0.3, 0), 0.9, 10.0, 0.0)
    evidence.add(unit(1, -0.3, 0), 0.1, 10.0, 0.2)
    template = evidence.template
    assert template is not None
    assert template[1] > 0.15
    assert np.linalg.norm(template) == pytest.approx(1.0, abs=1e-6)


def test_an_occluded_shot_is_put_aside() -> None:
    evidence = evidence_of(3)
    assert not evidence.add(unit(0, 1, 0), 0.8, 10.0, 1.0)
    assert evidence.similarity(unit(1, 0, 0)) == pytest.approx(1.0)
    assert evidence.add(unit(1, 0.1, 0), 0.8, 10.0, 1.2), "the next good one counts"


def test_two_odd_shots_that_agree_are_somebody_else() -> None:
    evidence = evidence_of(5)
    assert not evidence.add(unit(0, 1, 0), 0.8, 10.0, 1.0)
    assert evidence.add(unit(0, 1, 0.2), 0.8, 10.0, 1.2)
    assert evidence.similarity(unit(1, 0, 0)) < 0.1
    assert evidence.shots == 2
    assert evidence.support("ada") == 1.0, "nobody has voted since"


def test_two_odd_shots_that_disagree_are_not() -> None:
    evidence = evidence_of(5)
    assert not evidence.add(unit(0, 1, 0), 0.8, 10.0, 1.0)
    assert not evidence.add(unit(0, 0, 1), 0.8, 10.0, 1.2)
    assert evidence.similarity(unit(1, 0, 0)) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(1, 20)), min_size=1, max_size=60))
def test_the_template_stays_a_unit_vector(shots: list[tuple[float, float]]) -> None:
    random = np.random.default_rng(len(shots))
    evidence = Evidence()
    for i, (score, norm) in enumerate(shots):
        evidence.add(unit(1, *random.normal(0, 0.2, 5)), score, norm, float(i))
        template = evidence.template
        assert template is not None
        assert np.linalg.norm(template) == pytest.approx(1.0, abs=1e-5)


# --- the verdict ----------------------------------------------------------------------------------------


def test_without_a_shot_nothing_is_said() -> None:
    assert judge(Evidence(), [], LIMITS, NOBODY, 9.0).state is TrackState.IDENTIFYING


def test_one_look_names_only_the_very_similar() -> None:
    once = evidence_of(1)
    assert judge(once, [candidate("ada", 0.60)], LIMITS, NOBODY, 0.0).state is TrackState.IDENTIFYING
    assert judge(once, [candidate("ada", 0.70)], LIMITS, NOBODY, 0.0).subject == candidate("ada", 0.70)
    assert judge(evidence_of(2), [candidate("ada", 0.60)], LIMITS, NOBODY, 0.2).state is TrackState.KNOWN


def test_votes_against_the_template_hold_a_name_back() -> None:
    torn = evidence_of(3, vote="ben")
    assert judge(torn, [candidate("ada", 0.55)], LIMITS, NOBODY, 0.5).state is not TrackState.KNOWN


def test_nobody_close_is_unknown_after_a_few_looks() -> None:
    assert judge(evidence_of(1), [candidate("ada", 0.3)], LIMITS, NOBODY, 0.1).state is TrackState.IDENTIFYING
    assert judge(evidence_of(3), [candidate("ada", 0.3)], LIMITS, NOBODY, 0.4).state is TrackState.UNKNOWN
    assert judge(evidence_of(2), [], LIMITS, NOBODY, 1.0).state is TrackState.UNKNOWN


def test_two_too_close_are_ambiguous() -> None:
    both = [candidate("ada", 0.60), candidate("ben", 0.58)]
    assert judge(evidence_of(3), both, LIMITS, NOBODY, 1.0).state is TrackState.AMBIGUOUS


def test_a_name_is_held_a_little_below_the_threshold_and_then_given_up() -> None:
    known = Verdict(TrackState.KNOWN, candidate("ada", 0.6))
    assert judge(evidence_of(3), [candidate("ada", 0.46)], LIMITS, known, 1.0).state is TrackState.KNOWN
    assert judge(evidence_of(3), [candidate("ada", 0.42)], LIMITS, known, 1.0).state is TrackState.UNKNOWN


def test_a_clearly_better_rival_takes_the_name() -> None:
    known = Verdict(TrackState.KNOWN, candidate("ada", 0.6))
    close = [candidate("ben", 0.60), candidate("ada", 0.58)]
    assert judge(evidence_of(3), close, LIMITS, known, 1.0).subject == candidate("ada", 0.58)
    clear = [candidate("ben", 0.70), candidate("ada", 0.52)]
    verdict = judge(evidence_of(3, vote="ben"), clear, LIMITS, known, 1.0)
    assert verdict.subject is not None
    assert verdict.subject.subject_id == "ben"


def test_an_erased_subject_loses_its_name() -> None:
    known = Verdict(TrackState.KNOWN, candidate("ada", 0.9))
    assert judge(evidence_of(3), [candidate("ben", 0.2)], LIMITS, known, 1.0).state is TrackState.UNKNOWN


subjects = st.sampled_from(["ada", "ben", "cem", "dee"])
candidates = st.dictionaries(subjects, st.floats(-0.2, 1.0), max_size=4).map(
    lambda found: sorted((candidate(s, v) for s, v in found.items()), key=lambda c: -c.similarity)
)
befores = st.one_of(st.just(NOBODY), subjects.map(lambda s: Verdict(TrackState.KNOWN, candidate(s, 0.6))))


@given(st.lists(st.tuples(befores, candidates), max_size=6))
def test_no_subject_is_in_a_frame_twice(tracks: list[tuple[Verdict, list[Candidate]]]) -> None:
    free = arbitrate(tracks, LIMITS)
    evidence = evidence_of(3)
    verdicts = [judge(evidence, found, LIMITS, before, 1.0) for found, (before, _) in zip(free, tracks, strict=True)]
    named = [verdict.subject.subject_id for verdict in verdicts if verdict.subject is not None]
    assert len(named) == len(set(named))


def test_the_stronger_claim_wins_and_the_other_falls_back() -> None:
    free = arbitrate(
        [(NOBODY, [candidate("ada", 0.6), candidate("ben", 0.55)]), (NOBODY, [candidate("ada", 0.8)])], LIMITS
    )
    assert [[c.subject_id for c in found] for found in free] == [["ben"], ["ada"]]


def test_a_name_given_before_has_a_little_advance() -> None:
    known = Verdict(TrackState.KNOWN, candidate("ada", 0.7))
    free = arbitrate([(known, [candidate("ada", 0.62)]), (NOBODY, [candidate("ada", 0.65)])], LIMITS)
    assert free == [[candidate("ada", 0.62)], []]

"""The challenge on its own: what passes it, what fails it and why, on a made-up clock."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.challenge import TILTS, TURNS, Action, Challenge, Failure, choose_steps
from facewire_server.domain.errors import Overloaded
from facewire_server.domain.liveness import LivenessDecision
from facewire_server.domain.mesh import HeadPose
from facewire_server.rpc.attempts import AttemptLimit

FRAME_S = 0.1
POSES = {
    Action.FACE_CAMERA: HeadPose(2.0, -5.0, 1.0),
    Action.TURN_LEFT: HeadPose(27.0, -3.0, 1.0),
    Action.TURN_RIGHT: HeadPose(-23.0, -7.0, 1.0),
    Action.LOOK_UP: HeadPose(3.0, 12.0, 1.0),
    Action.LOOK_DOWN: HeadPose(1.0, -22.0, 1.0),
}


def challenge(*actions: Action, hold_s: float = 0.45) -> Challenge:
    return Challenge([(action, hold_s) for action in actions], action_s=5.0, began_s=100.0)


def perform(asked: Challenge, poses: Iterable[HeadPose | None], start_s: float = 100.0) -> float:
    """A frame for each pose, None without a face; the time afterwards."""
    now_s = start_s
    for pose in poses:
        now_s += FRAME_S
        if pose is None:
            asked.miss(now_s)
        else:
            asked.see(pose, now_s)
    return now_s


def held(frames: int = 10) -> list[HeadPose | None]:
    return [POSES[Action.FACE_CAMERA]] * frames


def towards(action: Action, frames: int = 3) -> list[HeadPose | None]:
    """A moment to understand, then the way there, and staying a while."""
    home, there = POSES[Action.FACE_CAMERA], POSES[action]
    half = HeadPose(*((a + b) / 2 for a, b in zip(_parts(home), _parts(there), strict=True)))
    return [home, home, home, half, *[there] * frames]


def _parts(pose: HeadPose) -> tuple[float, float, float]:
    return pose.yaw_deg, pose.pitch_deg, pose.roll_deg


@pytest.mark.parametrize("action", [*TURNS, *TILTS])
def test_doing_what_is_asked_passes(action: Action) -> None:
    asked = challenge(action, action)
    assert asked.action is Action.FACE_CAMERA
    now_s = perform(asked, held(6))
    assert asked.action is action
    now_s = perform(asked, towards(action), now_s)
    assert (asked.done, asked.action) == (1, Action.FACE_CAMERA)
    now_s = perform(asked, [*held(7), *towards(action)], now_s)
    assert (asked.done, asked.passed) == (2, False), "the face must come back first"
    perform(asked, held(), now_s)
    assert asked.passed
    assert asked.over
    assert asked.failure is None


@pytest.mark.parametrize("wrong", [*TURNS, *TILTS])
@pytest.mark.parametrize("wanted", [*TURNS, *TILTS])
def test_anything_else_fails(wanted: Action, wrong: Action) -> None:
    asked = challenge(wanted)
    # Well beyond what the other axis moves along with a turn.
    home, there = POSES[Action.FACE_CAMERA], POSES[wrong]
    far = HeadPose(*(a + 1.6 * (b - a) for a, b in zip(_parts(home), _parts(there), strict=True)))
    perform(asked, [*held(6), home, home, home, far, far])
    assert asked.failure is (None if wanted is wrong else Failure.WRONG_ACTION)
    assert asked.done == (1 if wanted is wrong else 0)


def test_turning_before_anybody_could_have_heard_is_too_soon() -> None:
    asked = challenge(Action.TURN_LEFT)
    perform(asked, [*held(6), POSES[Action.TURN_LEFT]])
    assert asked.failure is Failure.TOO_SOON
    assert asked.failure.decision is LivenessDecision.SPOOF


def test_one_frame_is_no_action_and_no_mistake() -> None:
    asked = challenge(Action.TURN_LEFT)
    perform(asked, [*held(6), *held(3), POSES[Action.TURN_LEFT], *held(2), POSES[Action.TURN_RIGHT], *held(2)])
    assert (asked.done, asked.failure) == (0, None)


def test_a_face_that_moves_is_not_held_still() -> None:
    asked = challenge(Action.TURN_LEFT)
    perform(asked, [HeadPose(10.0 * (number % 2), 0.0, 0.0) for number in range(40)])
    assert asked.action is Action.FACE_CAMERA
    perform(asked, [HeadPose(30.0, 0.0, 0.0)] * 30, 104.0)
    assert asked.failure is Failure.TIMED_OUT, "turned away is not facing"


def test_who_is_too_slow_is_unsure() -> None:
    asked = challenge(Action.TURN_LEFT)
    perform(asked, held(70))
    assert asked.failure is Failure.TIMED_OUT
    assert asked.failure.decision is LivenessDecision.UNSURE
    assert asked.left_s(1000.0) == 0.0


def test_who_leaves_has_lost_the_face_and_may_come_back_soon() -> None:
    asked = challenge(Action.TURN_LEFT)
    now_s = perform(asked, [None] * 20)
    assert asked.failure is None, "nobody was there yet"
    now_s = perform(asked, [*held(6), *[None] * 8, *held(2)], now_s)
    assert asked.failure is None
    perform(asked, [None] * 12, now_s)
    assert asked.failure is Failure.FACE_LOST


def test_shares_rise_to_one() -> None:
    asked = challenge(Action.LOOK_UP, hold_s=1.0)
    home = POSES[Action.FACE_CAMERA]
    assert asked.share(home, 100.0) == 0.0
    now_s = perform(asked, held(6))
    assert asked.share(home, now_s) == pytest.approx(0.5, abs=0.01)
    now_s = perform(asked, held(6), now_s)
    assert asked.share(home, now_s) == pytest.approx(0.0, abs=0.01)
    assert asked.share(POSES[Action.LOOK_UP], now_s) == 1.0
    assert asked.share(POSES[Action.LOOK_DOWN], now_s) == 0.0


poses = st.builds(HeadPose, st.floats(-60, 60), st.floats(-40, 40), st.floats(-20, 20))


@given(
    st.lists(st.one_of(st.none(), poses), max_size=120),
    st.lists(st.sampled_from([*TURNS, *TILTS]), min_size=1, max_size=4),
)
def test_random_movement_never_skips_a_step(movement: list[HeadPose | None], actions: list[Action]) -> None:
    asked = challenge(*actions)
    done = 0
    now_s = 100.0
    for pose in movement:
        before = asked.action
        now_s = perform(asked, [pose], now_s)
        assert asked.done in (done, done + 1)
        if asked.done > done:
            assert before is actions[done]
        done = asked.done
        assert not (asked.passed and asked.failure)
    assert not asked.passed or done == len(actions)


def test_steps_are_chosen_evenly_and_by_chance() -> None:
    kinds = (*TURNS, *TILTS)
    steps = choose_steps(kinds, 4000, random.Random(7))
    counts = Counter(action for action, _ in steps)
    assert all(900 < counts[kind] < 1100 for kind in kinds)
    following = Counter(zip([a for a, _ in steps], [a for a, _ in steps[1:]], strict=False))
    assert len(following) == 16, "any may follow any"
    assert all(0.4 <= hold_s <= 1.4 for _, hold_s in steps)
    assert choose_steps(kinds, 5, random.SystemRandom()) != choose_steps(kinds, 5, random.SystemRandom())


def test_hosts_wait_after_so_many_failures_within_ten_minutes() -> None:
    limit = AttemptLimit()
    for at_s in (0.0, 100.0, 200.0):
        limit.require("a", 3, at_s)
        limit.failed("a", at_s)
    with pytest.raises(Overloaded) as caught:
        limit.require("a", 3, 250.0)
    assert caught.value.retry_after_s == pytest.approx(350.0)
    limit.require("b", 3, 250.0)
    limit.require("a", 3, 601.0)
    for host in range(3000):
        limit.failed(str(host), 700.0)
    assert len(limit._failures) == 1000

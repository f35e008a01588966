"""A challenge that a recording does not pass: head turns in random order, each asked for after the face was held still.

Times are seconds of the server's own clock, when frames arrive: what a sender says about its frames proves nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np

from facewire_server.domain.liveness import LivenessDecision
from facewire_server.domain.mesh import HeadPose

# How far a head must turn or tilt from where it was held, as measured. People turn by 30 and nod by 20 without effort.
_TURN_DEG: Final = 18.0
_TILT_DEG: Final = 12.0
_WRONG: Final = 1.3  # another action counts as done from so much more, as turning the head tilts it a little
_FACING_YAW_DEG: Final = 15.0
_STILL_DEG: Final = 6.0
_BACK_DEG: Final = 9.0  # from where it was held first
_SHORTEST_HOLD_S: Final = 0.4
_LONGEST_HOLD_S: Final = 1.4
# Nobody sees, understands and turns a head by that much in less.
_REACTION_S: Final = 0.25
_FRAMES_TO_COUNT: Final = 2
_LOST_S: Final = 1.0


class Action(Enum):
    """What a person is asked to do; left and right are the person's own."""

    FACE_CAMERA = "face camera"
    TURN_LEFT = "turn left"
    TURN_RIGHT = "turn right"
    LOOK_UP = "look up"
    LOOK_DOWN = "look down"


class Hold(Enum):
    """What is missing while the face is to be held still."""

    FACE_THE_CAMERA = "face the camera"
    KEEP_STILL = "keep still"


class Failure(Enum):
    """Why a challenge was not passed; see the proto."""

    TIMED_OUT = "timed out"
    WRONG_ACTION = "wrong action"
    TOO_SOON = "too soon"
    FACE_LOST = "face lost"
    FACE_CHANGED = "face changed"
    LOOKS_LIKE_A_PICTURE = "looks like a picture"
    FRAMES_ENDED = "frames ended"

    @property
    def decision(self) -> LivenessDecision:
        """What a failure says: a living person may be slow, or leave."""
        slow = (Failure.TIMED_OUT, Failure.FACE_LOST, Failure.FRAMES_ENDED)
        return LivenessDecision.UNSURE if self in slow else LivenessDecision.SPOOF


TURNS: Final = (Action.TURN_LEFT, Action.TURN_RIGHT)
TILTS: Final = (Action.LOOK_UP, Action.LOOK_DOWN)


def choose_steps(kinds: Sequence[Action], count: int, chance: random.Random) -> list[tuple[Action, float]]:
    """Actions in random order, each with the seconds for which the face is to be held still before it.

    Args:
        chance: must be unpredictable where it matters: ``random.SystemRandom()``.
    """
    return [(chance.choice(kinds), chance.uniform(_SHORTEST_HOLD_S, _LONGEST_HOLD_S)) for _ in range(count)]


@dataclass(slots=True)
class Challenge:
    """What was asked for, and how far it is done. Not thread-safe.

    Attributes:
        steps: of :func:`choose_steps`.
        action_s: for each action, and for facing the camera before it.
        began_s: when the present action was asked for.
        failure: set when it is over and not passed.
    """

    steps: Sequence[tuple[Action, float]]
    action_s: float
    began_s: float
    done: int = 0
    failure: Failure | None = None
    _holding: bool = True
    _held: list[HeadPose] = field(default_factory=list)
    _held_from_s: float = 0.0
    _home: HeadPose | None = None
    _first_home: HeadPose | None = None
    _reached: int = 0
    _strayed: int = 0
    _seen_s: float | None = None

    @property
    def action(self) -> Action:
        """What is to be done now."""
        return Action.FACE_CAMERA if self._holding or self.passed else self.steps[self.done][0]

    @property
    def passed(self) -> bool:
        """Everything was done, and the face is back where it was."""
        return self.failure is None and self.done == len(self.steps) and not self._holding

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.passed or self.failure is not None

    @property
    def facing(self) -> bool:
        """Whether the face is being held still towards the camera."""
        return self._holding and bool(self._held)

    @property
    def begun(self) -> bool:
        """Whether the face was held still once: from then on it must be the same."""
        return self._first_home is not None

    def left_s(self, now_s: float) -> float:
        """For the present action."""
        return max(0.0, self.began_s + self.action_s - now_s)

    def turned(self, pose: HeadPose) -> HeadPose | None:
        """The pose relative to facing the camera; None before that."""
        home = self._home or self._first_home
        if home is None:
            return None
        return HeadPose(pose.yaw_deg - home.yaw_deg, pose.pitch_deg - home.pitch_deg, pose.roll_deg - home.roll_deg)

    def share(self, pose: HeadPose, now_s: float) -> float:
        """How far the present action is done, 0..1."""
        if self._holding:
            return min(1.0, (now_s - self._held_from_s) / self._hold_s) if self._held else 0.0
        return float(np.clip(self._progress(self.action, pose), 0.0, 1.0))

    def problem_with(self, pose: HeadPose) -> Hold | None:
        """Why a frame is no part of a hold; None where it is, or none is asked for."""
        if not self._holding or self._held:
            return None
        return Hold.KEEP_STILL if self._is_home(pose) else Hold.FACE_THE_CAMERA

    def see(self, pose: HeadPose, now_s: float) -> None:
        """A frame shows the head like this."""
        if self.over or self._out_of_time(now_s):
            return
        self._seen_s = now_s
        if self._holding:
            self._hold(pose, now_s)
        else:
            self._act(pose, now_s)

    def miss(self, now_s: float) -> None:
        """A frame shows no face, or several."""
        if self.over or self._out_of_time(now_s):
            return
        self._held.clear()
        if self._first_home is not None and self._seen_s is not None and now_s - self._seen_s > _LOST_S:
            self.failure = Failure.FACE_LOST

    def wait(self, now_s: float) -> None:
        """Time goes by, and nobody looks."""
        if not self.over:
            self._out_of_time(now_s)

    def fail(self, failure: Failure) -> None:
        """Something else than the movements says no."""
        self.failure = self.failure or failure

    def _out_of_time(self, now_s: float) -> bool:
        if self.left_s(now_s) <= 0:
            self.failure = Failure.TIMED_OUT
        return self.failure is not None

    @property
    def _hold_s(self) -> float:
        return self.steps[self.done][1] if self.done < len(self.steps) else _SHORTEST_HOLD_S

    def _hold(self, pose: HeadPose, now_s: float) -> None:
        mean = _mean(self._held) if self._held else pose
        if not self._is_home(pose) or _apart(pose, mean) > _STILL_DEG:
            self._held.clear()
            return
        if not self._held:
            self._held_from_s = now_s
        self._held.append(pose)
        if now_s - self._held_from_s < self._hold_s or len(self._held) <= _FRAMES_TO_COUNT:
            return
        self._home = _mean(self._held)
        self._first_home = self._first_home or self._home
        self._holding = False
        self._held.clear()
        self._reached = self._strayed = 0
        self.began_s = now_s

    def _is_home(self, pose: HeadPose) -> bool:
        if self._first_home is None:
            return abs(pose.yaw_deg) <= _FACING_YAW_DEG
        return _apart(pose, self._first_home) <= _BACK_DEG

    def _act(self, pose: HeadPose, now_s: float) -> None:
        wanted = self.action
        others = [action for action in (*TURNS, *TILTS) if action is not wanted]
        strayed = any(self._progress(action, pose) >= self._too_far(action, wanted) for action in others)
        self._strayed = self._strayed + 1 if strayed else 0
        self._reached = self._reached + 1 if self._progress(wanted, pose) >= 1.0 else 0
        if self._reached and now_s - self.began_s < _REACTION_S:
            self.failure = Failure.TOO_SOON
        elif self._reached >= _FRAMES_TO_COUNT:
            self.done += 1
            self._holding = True
            self.began_s = now_s
        elif self._strayed >= _FRAMES_TO_COUNT:
            self.failure = Failure.WRONG_ACTION

    @staticmethod
    def _too_far(action: Action, wanted: Action) -> float:
        """The opposite movement is wrong as soon as it is plain; the other axis moves along a little."""
        same_axis = (action in TURNS) == (wanted in TURNS)
        return _WRONG if same_axis else 1.5 * _WRONG

    def _progress(self, action: Action, pose: HeadPose) -> float:
        """1 where the head is turned far enough. The person's left is image right."""
        turned = self.turned(pose)
        if turned is None:
            return 0.0
        return {
            Action.FACE_CAMERA: 0.0,
            Action.TURN_LEFT: turned.yaw_deg / _TURN_DEG,
            Action.TURN_RIGHT: -turned.yaw_deg / _TURN_DEG,
            Action.LOOK_UP: turned.pitch_deg / _TILT_DEG,
            Action.LOOK_DOWN: -turned.pitch_deg / _TILT_DEG,
        }[action]


def _mean(poses: Sequence[HeadPose]) -> HeadPose:
    yaw, pitch, roll = np.mean([(p.yaw_deg, p.pitch_deg, p.roll_deg) for p in poses], axis=0).tolist()
    return HeadPose(yaw, pitch, roll)


def _apart(a: HeadPose, b: HeadPose) -> float:
    return max(abs(a.yaw_deg - b.yaw_deg), abs(a.pitch_deg - b.pitch_deg))

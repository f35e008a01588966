"""Log-ins by head turns: what :meth:`facewire.Client.verify_live` tells meanwhile, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from facewire.analysis import HeadPose
from facewire.liveness import Liveness, LivenessDecision
from facewire.results import Decision, Face, SideReport


class ChallengeAction(Enum):
    """What a person is asked to do; left and right are the person's own."""

    FACE_CAMERA = "FACE_CAMERA"
    TURN_LEFT = "TURN_LEFT"
    TURN_RIGHT = "TURN_RIGHT"
    LOOK_UP = "LOOK_UP"
    LOOK_DOWN = "LOOK_DOWN"

    @property
    def words(self) -> str:
        """To be said to the person."""
        return {
            "FACE_CAMERA": "look into the camera and keep still",
            "TURN_LEFT": "turn your head to your left",
            "TURN_RIGHT": "turn your head to your right",
            "LOOK_UP": "raise your head",
            "LOOK_DOWN": "lower your head",
        }[self.value]


class ChallengeHint(Enum):
    """Why a frame does not help."""

    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    COME_CLOSER = "COME_CLOSER"
    BAD_FRAME = "BAD_FRAME"
    FACE_THE_CAMERA = "FACE_THE_CAMERA"
    KEEP_STILL = "KEEP_STILL"


class ChallengeFailure(Enum):
    """Why a challenge was not passed.

    TIMED_OUT, FACE_LOST and FRAMES_ENDED may happen to anybody; WRONG_ACTION, TOO_SOON (before a person could have
    answered), FACE_CHANGED and LOOKS_LIKE_A_PICTURE speak of a recording, or of somebody else.
    """

    TIMED_OUT = "TIMED_OUT"
    WRONG_ACTION = "WRONG_ACTION"
    TOO_SOON = "TOO_SOON"
    FACE_LOST = "FACE_LOST"
    FACE_CHANGED = "FACE_CHANGED"
    LOOKS_LIKE_A_PICTURE = "LOOKS_LIKE_A_PICTURE"
    FRAMES_ENDED = "FRAMES_ENDED"


@dataclass(frozen=True, slots=True)
class ChallengePrompt:
    """What is to be done now.

    Attributes:
        done, wanted: actions beside facing the camera.
        time_left_s: for this one.
    """

    action: ChallengeAction
    done: int
    wanted: int
    time_left_s: float


@dataclass(frozen=True, slots=True)
class ChallengeProgress:
    """What a frame showed.

    Attributes:
        sequence: the frame's number, counted from 1.
        head_pose: relative to facing the camera; None before that and without a face.
        share: how far the present action is done, 0..1.
        hint: why the frame does not help, if so.
    """

    sequence: int
    face: Face | None
    head_pose: HeadPose | None
    share: float
    hint: ChallengeHint | None


@dataclass(frozen=True, slots=True)
class LiveVerification:
    """Whether a living person was there, and whether it is the one.

    Attributes:
        liveness: LIVE where everything was done; ``failure`` says why not.
        decision: MATCH or NON_MATCH with a reference, UNKNOWN where it is not LIVE; None without a reference.
        similarity: raw cosine of the frontal frames' mean with the best of the reference.
        passive: of the server's liveness model, where it has one.
    """

    liveness: LivenessDecision
    failure: ChallengeFailure | None
    decision: Decision | None
    similarity: float | None
    min_similarity: float | None
    estimated_fmr: float | None
    passive: Liveness | None
    reference: SideReport | None

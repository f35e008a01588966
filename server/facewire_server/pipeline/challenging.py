"""Watches a person do what a challenge asks for, and that it is one person all the time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from facewire_server.domain.challenge import Challenge, Failure
from facewire_server.domain.face import EncodedFaces, Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import Liveness, LivenessCheck, LivenessDecision, LivenessEvidence
from facewire_server.domain.mesh import HeadPose
from facewire_server.domain.ports import Detector, Embedder, MeshFitter
from facewire_server.domain.stages import StageClock
from facewire_server.domain.templates import ComparedBy
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.pipeline.recognizer import largest_face

_MIN_FACE_PX: Final = 80.0
_MAX_FACES: Final = 10
# A second face matters if its area is so large a share of the first one's.
_RIVAL: Final = 0.4
# A turned head looks less like itself.
_TURNED_DEG: Final = 12.0
_TURNED_SLACK: Final = 0.15
_STRANGE_IN_A_ROW: Final = 2
_STRANGE_IN_ALL: Final = 4
_LOOKS_FOR_A_VETO: Final = 5


class Hint(Enum):
    """Why a frame does not help; see the proto."""

    NO_FACE = "no face"
    SEVERAL_FACES = "several faces"
    COME_CLOSER = "come closer"
    BAD_FRAME = "bad frame"
    FACE_THE_CAMERA = "face the camera"
    KEEP_STILL = "keep still"


@dataclass(frozen=True, slots=True)
class Progress:
    """What one frame showed. ``face`` holds one face or is None, ``turned`` is relative to facing the camera."""

    face: EncodedFaces | None
    turned: HeadPose | None
    share: float
    hint: Hint | None


@dataclass(frozen=True, slots=True)
class Watchers:
    """What watches. Without a mesh, head poses are those of the five landmarks."""

    detector: Detector
    embedder: Embedder
    mesh: MeshFitter | None
    guard: LivenessGuard


class ChallengeWatch:
    """One challenge being watched. For one thread at a time.

    Whose face it is is settled by the first still, frontal hold, from one face without interruption; every frame after
    that is compared with it.

    Args:
        same_person: cosine with the frames of that hold that all others must have.
        mirrored: the camera's pictures are.
    """

    def __init__(self, watchers: Watchers, challenge: Challenge, same_person: float, *, mirrored: bool) -> None:
        self._mirrored = mirrored
        self.challenge = challenge
        self._watchers = watchers
        self._same_person = same_person
        self._strange = 0
        self._strange_in_a_row = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._sum: FloatArray | None = None
        self._living = LivenessEvidence()

    @property
    def seen(self) -> ComparedBy | None:
        """What the person is compared by: the mean of the first hold's frames; None before the first."""
        if self._sum is None:
            return None
        return ComparedBy.of((self._sum / np.linalg.norm(self._sum)).astype(np.float32)[np.newaxis])

    @property
    def passive(self) -> Liveness | None:
        """What the liveness model says of the frontal frames; None without one."""
        return self._living.liveness(self._watchers.guard.limits) if self._watchers.guard.configured else None

    def bad_frame(self, now_s: float) -> Progress:
        """A frame could not be read."""
        return self._miss(Hint.BAD_FRAME, now_s)

    def look(self, frame: Frame, now_s: float, clock: StageClock) -> Progress:
        """A frame that arrived at this time."""
        with clock.stage("detect"):
            found = self._watchers.detector.detect(frame, None, _MAX_FACES)
        hint = _problem_with(found)
        if hint is not None:
            return self._miss(hint, now_s)
        encoded = self._watchers.embedder.encode(frame, largest_face(found), clock)
        if not len(encoded.faces):
            return self._miss(Hint.NO_FACE, now_s)
        pose = self._pose(frame, encoded, clock)
        turned = self.challenge.turned(pose)
        if self._is_strange(encoded.embeddings[0], turned):
            return self._meet_stranger(encoded, now_s)
        self.challenge.see(pose, now_s)
        if self.challenge.facing:
            self._learn(frame, encoded, clock)
        elif not self.challenge.begun:
            self._begin_anew()  # the hold was broken: whoever is held next is looked at on their own
        self._ask_model()
        problem = self.challenge.problem_with(pose)
        hint = None if problem is None else Hint[problem.name]
        return Progress(encoded, self.challenge.turned(pose), self.challenge.share(pose, now_s), hint)

    def _miss(self, hint: Hint, now_s: float) -> Progress:
        self.challenge.miss(now_s)
        if not self.challenge.begun:
            self._begin_anew()
        return Progress(None, None, 0.0, hint)

    def _pose(self, frame: Frame, encoded: EncodedFaces, clock: StageClock) -> HeadPose:
        if self._watchers.mesh is not None:
            pose = self._watchers.mesh.fit(frame, encoded.faces, clock)[0].pose
        else:
            quality = encoded.quality[0]
            pose = HeadPose(quality.yaw_deg, quality.pitch_deg, quality.roll_deg)
        return HeadPose(-pose.yaw_deg, pose.pitch_deg, -pose.roll_deg) if self._mirrored else pose

    def _is_strange(self, embedding: FloatArray, turned: HeadPose | None) -> bool:
        """Whether the face is not the one that was held first."""
        seen = self.seen
        if seen is None:
            return False
        away = turned is not None and max(abs(turned.yaw_deg), abs(turned.pitch_deg)) > _TURNED_DEG
        least = self._same_person - (_TURNED_SLACK if away else 0.0)
        strange = float(seen.templates[0] @ embedding) < least
        self._strange_in_a_row = self._strange_in_a_row + 1 if strange else 0
        return strange

    def _meet_stranger(self, encoded: EncodedFaces, now_s: float) -> Progress:
        """What another face does counts for nothing; one odd frame may be a blur, more are somebody else."""
        self.challenge.miss(now_s)
        if not self.challenge.begun:
            self._begin_anew()
            return Progress(encoded, None, 0.0, None)
        self._strange += 1
        if self._strange_in_a_row >= _STRANGE_IN_A_ROW or self._strange >= _STRANGE_IN_ALL:
            self.challenge.fail(Failure.FACE_CHANGED)
        return Progress(encoded, None, 0.0, None)

    def _learn(self, frame: Frame, encoded: EncodedFaces, clock: StageClock) -> None:
        if not self.challenge.begun:
            self._sum = encoded.embeddings[0] if self._sum is None else self._sum + encoded.embeddings[0]
        if self._watchers.guard.configured:
            for score in self._watchers.guard.scores(frame, encoded.faces, clock):
                self._living.add(score)

    def _ask_model(self) -> None:
        """A liveness model has a veto; where the server requires liveness, it must be sure at the end."""
        passive = self.passive
        if passive is None or passive.decision is LivenessDecision.LIVE:
            return
        required = self._watchers.guard.check_for(LivenessCheck.OFF) is LivenessCheck.REQUIRE
        unsure_at_the_end = required and self.challenge.passed
        spoof = passive.decision is LivenessDecision.SPOOF and passive.looks >= _LOOKS_FOR_A_VETO
        if unsure_at_the_end or spoof:
            self.challenge.fail(Failure.LOOKS_LIKE_A_PICTURE)


def _problem_with(found: Faces) -> Hint | None:
    if not len(found):
        return Hint.NO_FACE
    areas = np.sort(found.areas_px)[::-1]
    if len(areas) > 1 and areas[1] >= _RIVAL * areas[0]:
        return Hint.SEVERAL_FACES
    if largest_face(found).sizes_px[0] < _MIN_FACE_PX:
        return Hint.COME_CLOSER
    return None

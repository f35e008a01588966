"""Liveness of tracks: looks at one face say nothing about another that takes its place."""

from __future__ import annotations

import numpy as np

from facewire_server.domain.face import Faces, FloatArray, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import LivenessCheck, LivenessDecision, LivenessLimits
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.streaming.record import SeenFrame, Sighting, TrackRecord
from facewire_server.streaming.watching import LivenessWatch

LIVE, SPOOF, UNSURE = LivenessDecision.LIVE, LivenessDecision.SPOOF, LivenessDecision.UNSURE
BOX = np.array([100, 100, 80, 100], dtype=np.float32)
POINTS = np.zeros((5, 2), dtype=np.float32)
QUALITY = Quality(10, 120, 40, 0, 0, 0, 80, 0)


class _Looks:
    """A network whose scores are set: those of real weights cannot be had at will."""

    score = 0.99

    def scores(self, frame: Frame, faces: Faces, clock: StageClock) -> FloatArray:
        return np.full(len(faces), self.score, dtype=np.float32)


class Watched:
    """One confirmed track, looked at every tenth of a second."""

    def __init__(self) -> None:
        self.looks = _Looks()
        self.watch = LivenessWatch(LivenessGuard(self.looks, LivenessLimits(0.05, 0.8), LivenessCheck.REQUIRE))
        self.watch.use(LivenessCheck.OFF)
        sighting = Sighting(BOX, POINTS, 0.9, QUALITY, 0.5)
        self.record = TrackRecord(1, 0.0, sighting, 0.0, confirmed=True)
        self.now_s = 0.0

    def see(self, times: int, score: float | None = None) -> list[LivenessDecision]:
        """So many frames; what is said after each."""
        if score is not None:
            self.looks.score = score
        said = []
        frame = Frame(np.zeros((300, 300, 3), np.uint8), "bgr")
        faces = Faces(BOX[None], POINTS[None], np.ones(1, np.float32))
        for _ in range(times):
            self.now_s += 0.1
            self.record.see(self.record.last, self.now_s)
            self.watch.look(SeenFrame(frame, faces, [QUALITY], self.now_s), [self.record], StageClock())
            assert self.record.living is not None
            said.append(self.record.living.decision)
        return said

    def embed(self) -> None:
        """A shot that belongs to the track's evidence."""
        self.record.evidence.add(np.eye(4, dtype=np.float32)[0], 0.5, 10.0, self.now_s)


def test_three_looks_are_needed() -> None:
    assert Watched().see(4) == [UNSURE, UNSURE, LIVE, LIVE]


def test_two_looks_at_a_picture_end_what_was_live() -> None:
    watched = Watched()
    watched.embed()
    assert watched.see(30)[-1] is LIVE
    after = watched.see(25, 0.001)
    gone = next(i for i, decision in enumerate(after) if decision is not LIVE)
    assert gone <= 6, "the next look is half a second away at most, and one more follows at once"
    assert after[-1] is SPOOF
    assert LIVE not in after[gone:]


def test_one_odd_look_changes_nothing() -> None:
    watched = Watched()
    watched.see(20)
    watched.see(1, 0.001)
    assert set(watched.see(20, 0.99)) == {LIVE}


def test_looks_before_the_first_embedding_and_at_somebody_else_do_not_count() -> None:
    watched = Watched()
    assert watched.see(10)[-1] is LIVE
    watched.embed()
    assert watched.see(3)[0] is UNSURE, "it may be another face that is compared now"
    assert watched.see(10)[-1] is LIVE
    watched.record.evidence.restarts += 1
    assert watched.see(1) == [UNSURE]


def test_a_gap_begins_anew() -> None:
    watched = Watched()
    watched.see(10)
    watched.now_s += 1.0
    assert watched.see(1) == [UNSURE]

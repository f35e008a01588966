"""What is known of one track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from facewire_server.domain.attributes import JudgedPerson
from facewire_server.domain.boundary import BoundaryWatch
from facewire_server.domain.decision import Candidate
from facewire_server.domain.evidence import Evidence, Verdict
from facewire_server.domain.face import Faces, FloatArray, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import Liveness, LivenessDecision, LivenessEvidence
from facewire_server.domain.stream import BestShot, TrackState

_CLEARLY_BETTER: Final = 1.2
_GAP_S: Final = 0.4


@dataclass(frozen=True, slots=True)
class EmbedPlan:
    """When a track is embedded anew.

    Attributes:
        first_interval_s: after the first shot; doubles from shot to shot.
        max_interval_s: but not beyond this.
        min_score: poorer shots are never embedded, see ``shot_score``.
        per_turn: faces embedded in one frame at most; the others' turn comes with the next.
    """

    first_interval_s: float
    max_interval_s: float
    min_score: float
    per_turn: int


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame in which faces were looked for, at stream time ``now_s``."""

    frame: Frame
    faces: Faces
    quality: Sequence[Quality]
    now_s: float


@dataclass(slots=True)
class Sighting:
    """A face as found in one frame."""

    box: FloatArray
    landmarks: FloatArray
    detection_score: float
    quality: Quality
    score: float


@dataclass(slots=True, eq=False)
class TrackRecord:
    """One person through one stream."""

    track_id: int
    first_s: float
    last: Sighting
    seen_s: float
    confirmed: bool = False
    evidence: Evidence = field(default_factory=Evidence)
    verdict: Verdict = field(default_factory=lambda: Verdict(TrackState.TENTATIVE))
    candidates: Sequence[Candidate] = ()
    revision: int = 0
    interval_s: float = 0.0
    next_embed_s: float = 0.0
    shot: BestShot | None = None
    shot_score: float = 0.0
    shot_is_new: bool = False
    watches: list[tuple[str, BoundaryWatch]] = field(default_factory=list)
    appeared: bool = False
    was_named: bool = False
    lingering: bool = False
    person: int = 0
    restarts: int = 0
    living_evidence: LivenessEvidence = field(default_factory=LivenessEvidence)
    living: Liveness | None = None  # None where nobody checks
    living_of: tuple[int, bool] = (0, False)  # restarts of the evidence, and whether there is any
    spoofs_in_a_row: int = 0
    next_living_s: float = 0.0
    spoof_told: bool = False
    counted_in: int = 0  # the interval that entries and exits are of
    entries: int = 0
    exits: int = 0
    attributes: JudgedPerson | None = None
    attributes_of: int = 0  # restarts of the evidence
    attributes_looks: int = 0
    attributes_score: float = 0.0

    def see(self, sighting: Sighting, now_s: float) -> None:
        """Found in this frame. After a gap somebody else may have taken the place: a look must tell."""
        if now_s - self.seen_s > _GAP_S:
            self.evidence.doubted = self.evidence.shots > 0
            self.look_soon()
            self.doubt_living()
            self.forget_attributes()
        self.last = sighting
        self.seen_s = now_s

    def look_soon(self) -> None:
        """Who it is is in doubt: the next shot is embedded, and the interval begins small again."""
        self.next_embed_s = 0.0
        self.interval_s = 0.0

    def wants_embedding(self, plan: EmbedPlan, now_s: float) -> bool:
        """Whether this frame's shot is worth an embedding."""
        score = self.last.score
        if score < plan.min_score or not self.confirmed:
            return False
        if not self.evidence.shots:
            return True
        if now_s - self.evidence.last_s < plan.first_interval_s - 1e-6:
            return False
        return now_s >= self.next_embed_s or score > _CLEARLY_BETTER * self.evidence.best_score

    def embedded(self, plan: EmbedPlan, now_s: float) -> None:
        """An embedding was made of this frame's shot."""
        if now_s >= self.next_embed_s:
            self.interval_s = min(max(2 * self.interval_s, plan.first_interval_s), plan.max_interval_s)
            self.next_embed_s = now_s + self.interval_s

    def doubt_living(self) -> None:
        """It may be something else by now: whether it lives is found out anew."""
        self.living_evidence = LivenessEvidence()
        self.next_living_s = 0.0
        self.spoofs_in_a_row = 0
        if self.living is not None:
            self.living = Liveness(LivenessDecision.UNSURE, self.living.score, 0)
        self.spoof_told = False

    def judge_attributes(self, seen: JudgedPerson) -> None:
        """One more estimate; the mean counts."""
        self.attributes = seen if self.attributes is None else self.attributes.with_look(seen, self.attributes_looks)
        self.attributes_looks += 1
        self.attributes_score = self.last.score

    def forget_attributes(self) -> None:
        """It may be somebody else by now."""
        self.attributes = None
        self.attributes_looks = 0
        self.attributes_score = 0.0

    @property
    def subject_id(self) -> str | None:
        """Who it is, if known."""
        return None if self.verdict.subject is None else self.verdict.subject.subject_id

"""Whether faces are living people's, as far as a server with a model for it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facewire_server.domain.decision import Candidate, Decision, DecisionPolicy, Identification
from facewire_server.domain.errors import PreconditionFailed
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.liveness import Liveness, LivenessCheck, LivenessDecision, LivenessLimits
from facewire_server.domain.ports import LivenessScorer
from facewire_server.domain.stages import StageClock

HOW_TO_GET: Final = (
    "no liveness model is configured on this server; name one in liveness.model (its weights are yours to get: "
    "docs/liveness.md tells where MiniFASNetV2 is and what its entry in models.manifest looks like)"
)


class LivenessGuard:
    """Checks liveness as often as the server's settings or a caller want. Thread-safe.

    Args:
        scorer: None where no model is configured.
        limits: where its decisions begin.
        least: what is done whoever asks for less.
    """

    def __init__(self, scorer: LivenessScorer | None, limits: LivenessLimits, least: LivenessCheck) -> None:
        self._scorer = scorer
        self.limits = limits
        self._least = least if scorer is not None else LivenessCheck.OFF

    @property
    def configured(self) -> bool:
        """Whether there is a model."""
        return self._scorer is not None

    def check_for(self, asked: LivenessCheck) -> LivenessCheck:
        """What is to be done where a caller asks for this.

        Raises:
            PreconditionFailed: there is no model for it.
        """
        if asked is not LivenessCheck.OFF and self._scorer is None:
            raise PreconditionFailed(HOW_TO_GET, "NOT_CONFIGURED")
        return max(asked, self._least)

    def scores(self, frame: Frame, faces: Faces, clock: StageClock) -> list[float]:
        """How live each face looks, 0..1."""
        if self._scorer is None:
            raise PreconditionFailed(HOW_TO_GET, "NOT_CONFIGURED")
        scores: list[float] = self._scorer.scores(frame, faces, clock).tolist()
        return scores

    def judge(self, frame: Frame, faces: Faces, clock: StageClock) -> list[Liveness]:
        """What is said of each face, of this one look."""
        return [self.limits.of(score) for score in self.scores(frame, faces, clock)]


def decide_on_living(
    policy: DecisionPolicy, candidates: Sequence[Sequence[Candidate]], threshold: float, living: Sequence[Liveness]
) -> list[Identification]:
    """As ``policy.decide``, but whoever is not LIVE gets no name, and takes none from a living face beside it."""
    live = [each.decision is LivenessDecision.LIVE for each in living]
    answers = policy.decide([c if alive else () for c, alive in zip(candidates, live, strict=True)], threshold)
    return [
        answer if alive else Identification(Decision.UNKNOWN, None, tuple(own))
        for answer, own, alive in zip(answers, candidates, live, strict=True)
    ]

"""Beside names: whether tracks are living people, and how old and of which gender a crowd looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from facewire_server.domain.liveness import LivenessCheck, LivenessDecision
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.analysis import FaceAnalyzer
from facewire_server.pipeline.liveness import LivenessGuard
from facewire_server.streaming.record import SeenFrame, TrackRecord

_FIRST_S: Final = 0.1
_LATER_S: Final = 0.5  # once there is a decision
_PER_FRAME: Final = 4
_SPOOFS_TO_DOUBT: Final = 2
_MOST_JUDGED: Final = 3
_CLEARLY_BETTER: Final = 1.2


class LivenessWatch:
    """Looks at tracks until there is a decision, then now and then. For one stream; not thread-safe."""

    def __init__(self, guard: LivenessGuard) -> None:
        self._guard = guard
        self._check = LivenessCheck.OFF

    def use(self, asked: LivenessCheck) -> LivenessCheck:
        """From now on this is asked for; what is done.

        Raises:
            PreconditionFailed: there is no model for it.
        """
        self._check = self._guard.check_for(asked)
        return self._check

    def look(self, seen: SeenFrame, records: Sequence[TrackRecord], clock: StageClock) -> None:
        """Takes in a frame; ``records`` are of its faces, in their order."""
        if self._check is LivenessCheck.OFF:
            for record in records:
                record.living = None
            return
        due = [row for row, record in enumerate(records) if self._is_due(record, seen.now_s)]
        due.sort(key=lambda row: records[row].living_evidence.looks)
        rows = due[:_PER_FRAME]
        if not rows:
            return
        chosen = seen.faces.select(np.array(rows, dtype=np.intp))
        for row, score in zip(rows, self._guard.scores(seen.frame, chosen, clock), strict=True):
            record = records[row]
            self._learn(record, score)
            sure = record.living is not None and record.living.decision is not LivenessDecision.UNSURE
            record.next_living_s = seen.now_s + (_LATER_S if sure and not record.spoofs_in_a_row else _FIRST_S)

    def _learn(self, record: TrackRecord, score: float) -> None:
        spoof = self._guard.limits.of(score).decision is LivenessDecision.SPOOF
        record.spoofs_in_a_row = record.spoofs_in_a_row + 1 if spoof else 0
        was_live = record.living is not None and record.living.decision is LivenessDecision.LIVE
        if was_live and record.spoofs_in_a_row >= _SPOOFS_TO_DOUBT:
            record.doubt_living()  # whoever was there put a picture in front: what was seen before counts no more
        record.living_evidence.add(score)
        record.living = record.living_evidence.liveness(self._guard.limits)

    @staticmethod
    def _is_due(record: TrackRecord, now_s: float) -> bool:
        # Looks at a face that was never compared, or that was somebody else's, say nothing about the one that is.
        whose = (record.evidence.restarts, record.evidence.shots > 0)
        if record.living_of != whose:
            record.living_of = whose
            record.doubt_living()
        return record.confirmed and now_s >= record.next_living_s


class AttributeWatch:
    """Judges each track by its best few shots, for the figures alone. For one stream; not thread-safe."""

    def __init__(self, analyzer: FaceAnalyzer) -> None:
        self._analyzer = analyzer
        self._wanted = False

    def use(self, *, wanted: bool) -> None:
        """Whether to, from now on.

        Raises:
            PreconditionFailed: there are no models for it.
        """
        if wanted:
            self._analyzer.require_attributes()
        self._wanted = wanted

    def look(self, seen: SeenFrame, records: Sequence[TrackRecord], clock: StageClock) -> None:
        """Takes in a frame; ``records`` are of its faces, in their order."""
        if not self._wanted:
            return
        for record in records:
            if record.attributes_of != record.evidence.restarts:
                record.attributes_of = record.evidence.restarts  # somebody else by now
                record.forget_attributes()
        rows = [row for row, record in enumerate(records) if self._is_due(record)][:_PER_FRAME]
        if not rows:
            return
        chosen = seen.faces.select(np.array(rows, dtype=np.intp))
        for row, judged in zip(rows, self._analyzer.judge(seen.frame, chosen, clock), strict=True):
            if judged is not None:
                records[row].judge_attributes(judged)

    @staticmethod
    def _is_due(record: TrackRecord) -> bool:
        better = record.last.score > _CLEARLY_BETTER * record.attributes_score
        return record.confirmed and record.attributes_looks < _MOST_JUDGED and better

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
            record.living_evidence.add(score)
            record.living = record.living_evidence.liveness(self._guard.limits)
            sure = record.living.decision is not LivenessDecision.UNSURE
            record.next_living_s = seen.now_s + (_LATER_S if sure else _FIRST_S)

    @staticmethod
    def _is_due(record: TrackRecord, now_s: float) -> bool:
        if record.living_restarts != record.evidence.restarts:
            record.living_restarts = record.evidence.restarts  # somebody else by now
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
        rows = [row for row, record in enumerate(records) if self._is_due(record)][:_PER_FRAME]
        if not rows:
            return
        chosen = seen.faces.select(np.array(rows, dtype=np.intp))
        for row, attributes in zip(rows, self._analyzer.attributes(seen.frame, chosen, clock), strict=True):
            records[row].judge_attributes(attributes)

    @staticmethod
    def _is_due(record: TrackRecord) -> bool:
        better = record.last.score > _CLEARLY_BETTER * record.attributes_score
        return record.confirmed and record.attributes_looks < _MOST_JUDGED and better

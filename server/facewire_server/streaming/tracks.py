"""The people of one stream: who is where, and what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire.kernels import Tracker
from facewire_server.domain.errors import DomainError
from facewire_server.domain.evidence import Verdict, shot_score
from facewire_server.domain.face import Faces, FloatArray, Quality
from facewire_server.domain.liveness import LivenessCheck
from facewire_server.domain.stages import StageClock
from facewire_server.domain.stream import TrackState
from facewire_server.streaming.batching import FaceBatcher
from facewire_server.streaming.naming import Naming
from facewire_server.streaming.record import EmbedPlan, SeenFrame, Sighting, TrackRecord
from facewire_server.streaming.watching import AttributeWatch, LivenessWatch

# A track unseen for so long is no longer shown, though it is remembered.
_COAST_S: Final = 0.5
# Tracks cross for a fraction of a second; looking more often says nothing new.
_LOOK_EVERY_S: Final = 0.1
# Cosine from which a new track is one that was lost.
_SAME_PERSON: Final = 0.5


@dataclass(frozen=True, slots=True)
class Shown:
    """A track in a frame: its record, box (4,) and landmarks (5, 2) as they are or should be there."""

    record: TrackRecord
    box: FloatArray
    landmarks: FloatArray
    predicted: bool


class FaceTracks:
    """Follows, embeds and names the people of one stream. Not thread-safe."""

    def __init__(
        self, naming: Naming, batcher: FaceBatcher, plan: EmbedPlan, ttl_s: float, living: LivenessWatch,
        attributes: AttributeWatch,
    ) -> None:  # fmt: skip
        self._living = living
        self._attributes = attributes
        self._naming = naming
        self._batcher = batcher
        self._plan = plan
        self._tracker = Tracker(ttl_s=ttl_s)
        self._records: dict[int, TrackRecord] = {}
        self._last_look_s = -1.0
        self.embedded = 0

    def set_ttl(self, ttl_s: float) -> None:
        """How long a track is remembered unseen."""
        self._tracker.ttl_s = ttl_s

    @property
    def records(self) -> Sequence[TrackRecord]:
        """All tracks, seen or remembered."""
        return list(self._records.values())

    def step(self, seen: SeenFrame, clock: StageClock) -> DomainError | None:
        """Takes in what was found in a frame; returns why nobody could be named, if so."""
        sightings = _sightings(seen.faces, seen.quality)
        boxes = np.ascontiguousarray(seen.faces.boxes)
        looks = self._look_where_unclear(seen, boxes, clock)
        ids = self._tracker.update(seen.now_s, boxes, self._affinity(looks, len(boxes))).tolist()
        self._take_in(ids, sightings, seen.now_s)
        records = [self._records[track_id] for track_id in ids]
        if not self._naming.active:
            self._watch(seen, records, clock)
            return None
        wanted = self._due([row for row in range(len(ids)) if row not in looks], ids, seen.now_s)
        looks |= self._embed(seen, wanted[: self._plan.per_turn - len(looks)], clock)
        fresh = self._learn(looks, ids, seen.now_s)
        # After looks have told whose face it is: what was seen of another face says nothing about this one.
        self._watch(seen, [self._records.get(track_id) for track_id in ids], clock)
        with clock.stage("search"):
            return self._name(fresh, seen.now_s)

    def _watch(self, seen: SeenFrame, records: Sequence[TrackRecord | None], clock: StageClock) -> None:
        """``records`` are of the frame's faces; None where the face turned out to be a track that was lost."""
        there = [row for row, record in enumerate(records) if record is not None]
        if len(there) < len(records):
            seen = replace(seen, faces=seen.faces.select(np.array(there, dtype=np.intp)))
        known = [record for record in records if record is not None]
        self._living.look(seen, known, clock)
        self._attributes.look(seen, known, clock)

    def use_gallery(self, gallery_id: str, min_similarity: float | None) -> None:
        """From now on names are of this gallery; empty: there are none."""
        self._naming.use(gallery_id, min_similarity, self.records)

    def use_watches(self, asked: LivenessCheck, *, count_attributes: bool) -> None:
        """From now on liveness is checked so, and attributes are counted or not; raises PreconditionFailed."""
        self._naming.require_living = self._living.use(asked) is LivenessCheck.REQUIRE
        self._attributes.use(wanted=count_attributes)

    def refresh(self) -> DomainError | None:
        """Names as the gallery is now; returns why there are none, if so."""
        if not self._naming.active:
            return None
        try:
            self._naming.refresh(self.records)
        except DomainError as error:
            return error
        return None

    def _name(self, fresh: dict[int, FloatArray], now_s: float) -> DomainError | None:
        shown = [record for record in self._records.values() if now_s - record.seen_s <= _COAST_S]
        try:
            self._naming.refresh(self.records)
            self._naming.learn(self.records, fresh)
            self._naming.judge(shown, now_s)
        except DomainError as error:
            return error
        return None

    def _take_in(self, ids: Sequence[int], sightings: Sequence[Sighting], now_s: float) -> None:
        for track_id, sighting in zip(ids, sightings, strict=True):
            record = self._records.get(track_id)
            if record is None:
                self._records[track_id] = TrackRecord(track_id, now_s, sighting, now_s)
            else:
                record.see(sighting, now_s)
        known, _, _, _, confirmed = self._tracker.view(now_s)
        for track_id in known[confirmed].tolist():
            record = self._records[track_id]
            if not record.confirmed:
                record.confirmed = True
                record.verdict = Verdict(TrackState.IDENTIFYING)

    # --- embedding ------------------------------------------------------------------------------------------

    def _look_where_unclear(
        self, seen: SeenFrame, boxes: FloatArray, clock: StageClock
    ) -> dict[int, tuple[FloatArray, float]]:
        """Embeds the faces that motion alone cannot assign to tracks."""
        if not self._naming.active or seen.now_s - self._last_look_s < _LOOK_EVERY_S:
            return {}
        unclear = np.flatnonzero(self._tracker.ambiguous(seen.now_s, boxes)).tolist()
        if unclear:
            self._last_look_s = seen.now_s
        return self._embed(seen, unclear[: self._plan.per_turn], clock)

    def _affinity(self, looks: dict[int, tuple[FloatArray, float]], boxes: int) -> npt.NDArray[np.float32] | None:
        if not looks:
            return None
        affinity = np.full((len(self._tracker), boxes), np.nan, dtype=np.float32)
        for place, track_id in enumerate(self._tracker.ids()):
            for row, (embedding, _) in looks.items():
                affinity[place, row] = self._records[track_id].evidence.similarity(embedding)
        return affinity

    def _due(self, rows: Sequence[int], ids: Sequence[int], now_s: float) -> list[int]:
        """Faces whose shot is worth an embedding: those of whom nothing is known first, then the longest ago."""
        due = [row for row in rows if self._records[ids[row]].wants_embedding(self._plan, now_s)]
        due.sort(
            key=lambda row: self._records[ids[row]].evidence.last_s if self._records[ids[row]].evidence.shots else -1
        )
        return due

    def _embed(self, seen: SeenFrame, rows: Sequence[int], clock: StageClock) -> dict[int, tuple[FloatArray, float]]:
        if not rows:
            return {}
        encoded = self._batcher.encode(seen.frame, seen.faces.select(np.array(rows, dtype=np.intp)), clock)
        self.embedded += len(rows)
        if len(encoded.faces) != len(rows):
            return {}  # an embedding of length zero: nothing to compare
        norms = [quality.embedding_norm or 0.0 for quality in encoded.quality]
        return {row: (encoded.embeddings[i], norms[i]) for i, row in enumerate(rows)}

    def _learn(
        self, looks: dict[int, tuple[FloatArray, float]], ids: Sequence[int], now_s: float
    ) -> dict[int, FloatArray]:
        """Adds the embeddings to their tracks' evidence; those that were added, by track."""
        fresh: dict[int, FloatArray] = {}
        for row, (embedding, norm) in looks.items():
            record = self._records[ids[row]]
            record.embedded(self._plan, now_s)
            if not record.evidence.add(embedding, record.last.score, norm, now_s):
                record.look_soon()
                continue
            found_again = self._rejoin(record, embedding)
            fresh[found_again.track_id] = embedding
        return fresh

    def _rejoin(self, record: TrackRecord, embedding: FloatArray) -> TrackRecord:
        """A new track that looks like a lost one is that one."""
        if record.evidence.shots != 1 or record.appeared:
            return record
        lost = [r for r in self._records.values() if r.evidence.shots and r.seen_s < record.first_s]
        best = max(lost, key=lambda r: r.evidence.similarity(embedding), default=None)
        if best is None or best.evidence.similarity(embedding) < _SAME_PERSON:
            return record
        if not self._tracker.merge(best.track_id, record.track_id):
            return record
        del self._records[record.track_id]
        best.see(record.last, record.seen_s)
        best.evidence.absorb(record.evidence)
        return best

    # --- showing --------------------------------------------------------------------------------------------

    def end_lost(self, now_s: float) -> list[TrackRecord]:
        """Ends tracks unseen for too long; those that were confirmed."""
        ended = [self._records.pop(track_id) for track_id in self._tracker.expire(now_s)]
        return [record for record in ended if record.confirmed]

    def end_all(self) -> list[TrackRecord]:
        """The stream is over; the tracks that were confirmed."""
        ended = [record for record in self._records.values() if record.confirmed]
        self._records.clear()
        return ended

    def show(self, now_s: float) -> list[Shown]:
        """The tracks in sight, and those that should still be there, at this time."""
        shown = []
        ids, boxes, _, seen_s, _ = self._tracker.view(now_s)
        for track_id, box, at_s in zip(ids.tolist(), boxes, seen_s.tolist(), strict=True):
            record = self._records[track_id]
            predicted = at_s < now_s
            if predicted and (now_s - at_s > _COAST_S or not record.confirmed):
                continue
            if not predicted:
                shown.append(Shown(record, record.last.box, record.last.landmarks, predicted=False))
                continue
            shown.append(Shown(record, box, _moved(record.last, box), predicted=True))
        return shown


def _sightings(faces: Faces, quality: Sequence[Quality]) -> list[Sighting]:
    return [
        Sighting(faces.boxes[i], faces.landmarks[i], float(faces.scores[i]), q, shot_score(q, float(faces.scores[i])))
        for i, q in enumerate(quality)
    ]


def _moved(last: Sighting, box: FloatArray) -> FloatArray:
    """The landmarks, moved and scaled with the box."""
    moved: FloatArray = (last.landmarks - last.box[:2]) * (box[2:] / last.box[2:]) + box[:2]
    return moved.astype(np.float32)

"""Compares tracks with a gallery, and notices when the gallery changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from facewire_server.domain.decision import Candidate, DecisionPolicy
from facewire_server.domain.errors import ContractMismatch, NotFound
from facewire_server.domain.evidence import Thresholds, Verdict, arbitrate, judge
from facewire_server.domain.face import FloatArray
from facewire_server.domain.liveness import LivenessDecision
from facewire_server.domain.ports import TemplateSearch
from facewire_server.domain.stream import TrackState
from facewire_server.streaming.record import TrackRecord

_CANDIDATES: Final = 8
_LOOK_UP_EVERY_S: Final = 0.2


class Naming:
    """Gives tracks their names. For one stream; not thread-safe.

    Args:
        contract_id: of the embeddings that tracks are made of.

    Attributes:
        require_living: only tracks that are LIVE get names.
    """

    def __init__(self, templates: TemplateSearch, policy: DecisionPolicy, contract_id: str) -> None:
        self._templates = templates
        self._policy = policy
        self._contract_id = contract_id
        self._gallery_id = ""
        self._min_similarity: float | None = None
        self._checked: int | None = None
        self._looked_up: int | None = None
        self._look_up_at = 0.0
        self.require_living = False

    @property
    def active(self) -> bool:
        """Whether there is a gallery to compare with."""
        return bool(self._gallery_id)

    @property
    def revision(self) -> int:
        """The gallery's revision in which all names are still those of enrolled subjects."""
        return self._checked or 0

    def use(self, gallery_id: str, min_similarity: float | None, records: Iterable[TrackRecord]) -> None:
        """From now on this gallery; empty: none. Names of another gallery are gone."""
        if gallery_id != self._gallery_id:
            for record in records:
                _forget(record)
        self._gallery_id = gallery_id
        self._min_similarity = min_similarity
        self._checked = self._looked_up = None
        self._look_up_at = 0.0

    def require(self, gallery_id: str) -> None:
        """Whether the gallery can be compared with.

        Raises:
            NotFound: no such gallery.
            ContractMismatch: it is pinned to another contract.
        """
        nothing = np.empty((0, 1), dtype=np.float32)
        self._templates.search(gallery_id, nothing, self._contract_id, 1)

    def knows(self, subject_id: str) -> bool:
        """Whether the gallery has this subject."""
        return self._templates.knows(self._gallery_id, subject_id)

    def limits(self) -> Thresholds:
        """What makes a name at the gallery's present size; raises NotFound."""
        similarity = self._min_similarity
        if similarity is None:
            similarity = self._policy.stream_threshold(self._templates.facts(self._gallery_id))
        return Thresholds(similarity, self._policy.margin)

    def refresh(self, records: Sequence[TrackRecord]) -> None:
        """Follows changes of the gallery: erased subjects lose their names at once, new ones are found soon.

        Raises:
            NotFound: the gallery was deleted; nobody has a name any more.
            ContractMismatch: it was made anew under another contract.
        """
        try:
            revision = self._templates.revision(self._gallery_id)
            if revision != self._checked:
                for record in records:
                    self._drop_erased(record)
                self._checked = revision
            # A search of a large gallery takes milliseconds, and an import changes it a thousand times a second.
            now = time.monotonic()
            if revision != self._looked_up and now - self._look_up_at >= _LOOK_UP_EVERY_S:
                self._look_up([record for record in records if record.evidence.shots])
                self._looked_up, self._look_up_at = revision, now
        except (NotFound, ContractMismatch):
            for record in records:
                _forget(record)
            self._checked = self._looked_up = None
            raise

    def _drop_erased(self, record: TrackRecord) -> None:
        record.candidates = [c for c in record.candidates if self.knows(c.subject_id)]
        if record.subject_id is not None and not self.knows(record.subject_id):
            _answer(record, Verdict(TrackState.UNKNOWN))

    def learn(self, records: Iterable[TrackRecord], fresh: dict[int, FloatArray]) -> None:
        """Looks those up who have new evidence.

        Args:
            records: all tracks.
            fresh: by track id the embedding that was just added to its evidence.
        """
        if fresh:
            self._look_up_fresh(records, fresh, self.limits())

    def judge(self, shown: Sequence[TrackRecord], now_s: float) -> None:
        """Says of each track of this frame who it is."""
        limits = self.limits()
        confirmed = [record for record in shown if record.confirmed]
        people = [record for record in confirmed if not self.require_living or _is_live(record)]
        free = arbitrate([(record.verdict, record.candidates) for record in people], limits)
        for record, candidates in zip(people, free, strict=True):
            _answer(record, judge(record.evidence, candidates, limits, record.verdict, now_s))
        # A picture beside the person it shows takes no name away: who is not LIVE is judged apart.
        for record in confirmed:
            if record not in people:
                _answer(record, self._nameless(record, limits, now_s))

    @staticmethod
    def _nameless(record: TrackRecord, limits: Thresholds, now_s: float) -> Verdict:
        """What is said of a track that would need to be LIVE for a name."""
        if _is_spoof(record):
            return Verdict(TrackState.UNKNOWN)
        verdict = judge(record.evidence, record.candidates, limits, record.verdict, now_s)
        return Verdict(TrackState.IDENTIFYING) if verdict.state is TrackState.KNOWN else verdict

    def _look_up(self, records: Sequence[TrackRecord]) -> None:
        """Everybody anew, by one search."""
        templates = [record.evidence.template for record in records]
        found = self._search(np.stack([t for t in templates if t is not None])) if templates else []
        for record, candidates in zip(records, found, strict=True):
            record.candidates = candidates
            record.evidence.forget_votes()
            now = next((c for c in candidates if c.subject_id == record.subject_id), None)
            if now is not None:
                record.verdict = Verdict(TrackState.KNOWN, now)  # it may have another name or other labels

    def _look_up_fresh(self, records: Iterable[TrackRecord], fresh: dict[int, FloatArray], limits: Thresholds) -> None:
        changed = [record for record in records if record.track_id in fresh]
        templates = [record.evidence.template for record in changed]
        vectors = [v for v in (*templates, *(fresh[record.track_id] for record in changed)) if v is not None]
        found = self._search(np.stack(vectors))
        for record, of_template, of_shot in zip(changed, found, found[len(changed) :], strict=False):
            record.candidates = of_template
            record.evidence.vote(of_shot, record.last.score, limits)

    def _search(self, vectors: FloatArray) -> list[list[Candidate]]:
        return self._templates.search(self._gallery_id, vectors, self._contract_id, _CANDIDATES)


def _is_spoof(record: TrackRecord) -> bool:
    return record.living is not None and record.living.decision is LivenessDecision.SPOOF


def _is_live(record: TrackRecord) -> bool:
    return record.living is not None and record.living.decision is LivenessDecision.LIVE


def _forget(record: TrackRecord) -> None:
    """There is no gallery, or another: whatever was said of the track no longer holds."""
    record.candidates = ()
    record.evidence.forget_votes()
    if record.confirmed:
        _answer(record, Verdict(TrackState.IDENTIFYING))


def _answer(record: TrackRecord, verdict: Verdict) -> None:
    """The verdict becomes the track's; a change of who it is counts as a revision."""
    if _who(verdict) != _who(record.verdict):
        record.revision += 1
    record.verdict = verdict


def _who(verdict: Verdict) -> str | None:
    if verdict.state in (TrackState.TENTATIVE, TrackState.IDENTIFYING):
        return None
    return verdict.state.value if verdict.subject is None else f"subject {verdict.subject.subject_id}"

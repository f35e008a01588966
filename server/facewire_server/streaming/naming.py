"""Compares tracks with a gallery, and notices when the gallery changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from facewire_server.domain.decision import Candidate, DecisionPolicy
from facewire_server.domain.errors import ContractMismatch, NotFound
from facewire_server.domain.evidence import Thresholds, Verdict, arbitrate, judge
from facewire_server.domain.face import FloatArray
from facewire_server.domain.ports import TemplateSearch
from facewire_server.domain.stream import TrackState
from facewire_server.streaming.record import TrackRecord

_CANDIDATES: Final = 8


class Naming:
    """Gives tracks their names. For one stream; not thread-safe.

    Args:
        contract_id: of the embeddings that tracks are made of.
    """

    def __init__(self, templates: TemplateSearch, policy: DecisionPolicy, contract_id: str) -> None:
        self._templates = templates
        self._policy = policy
        self._contract_id = contract_id
        self._gallery_id = ""
        self._min_similarity: float | None = None
        self._revision: int | None = None

    @property
    def active(self) -> bool:
        """Whether there is a gallery to compare with."""
        return bool(self._gallery_id)

    def use(self, gallery_id: str, min_similarity: float | None) -> None:
        """From now on this gallery; empty: none.

        Raises:
            NotFound: no such gallery.
            ContractMismatch: it is pinned to another contract.
        """
        if gallery_id:
            self.require(gallery_id)
        self._gallery_id = gallery_id
        self._min_similarity = min_similarity
        self._revision = None

    def require(self, gallery_id: str) -> None:
        """Whether the gallery can be compared with; raises as :meth:`use`."""
        nothing = np.empty((0, 1), dtype=np.float32)
        self._templates.search(gallery_id, nothing, self._contract_id, 1)

    def limits(self) -> Thresholds:
        """What makes a name at the gallery's present size; raises NotFound."""
        similarity = self._min_similarity
        if similarity is None:
            similarity = self._policy.stream_threshold(self._templates.template_count(self._gallery_id))
        return Thresholds(similarity, self._policy.margin)

    def name(
        self, records: Iterable[TrackRecord], fresh: dict[int, FloatArray], shown: Sequence[TrackRecord], now_s: float
    ) -> None:
        """Looks up whoever has new evidence, or everybody if the gallery changed; then judges who is shown.

        Args:
            records: all tracks.
            fresh: by track id the embedding that was just added to its evidence.
            shown: the tracks of this frame.

        Raises:
            NotFound: the gallery was deleted; nobody has a name any more.
            ContractMismatch: it was made anew under another contract.
        """
        try:
            revision = self._templates.revision(self._gallery_id)
            limits = self.limits()
            if revision != self._revision:
                self._look_up_all(records)
                self._revision = revision
            elif fresh:
                self._look_up_fresh(records, fresh, limits)
        except (NotFound, ContractMismatch):
            for record in records:
                record.candidates = ()
                _answer(record, Verdict(TrackState.UNKNOWN if record.evidence.shots else TrackState.IDENTIFYING))
            self._revision = None
            raise
        self._judge(shown, limits, now_s)

    def _look_up_all(self, records: Iterable[TrackRecord]) -> None:
        for record in records:
            template = record.evidence.template
            if template is not None:
                record.candidates = self._search(template[np.newaxis])[0]
                record.evidence.forget_votes()

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

    def _judge(self, shown: Sequence[TrackRecord], limits: Thresholds, now_s: float) -> None:
        confirmed = [record for record in shown if record.confirmed]
        free = arbitrate([(record.verdict, record.candidates) for record in confirmed], limits)
        for record, candidates in zip(confirmed, free, strict=True):
            _answer(record, judge(record.evidence, candidates, limits, record.verdict, now_s))


def _answer(record: TrackRecord, verdict: Verdict) -> None:
    """The verdict becomes the track's; a change of who it is counts as a revision."""
    if _who(verdict) != _who(record.verdict):
        record.revision += 1
    record.verdict = verdict


def _who(verdict: Verdict) -> str | None:
    if verdict.state in (TrackState.TENTATIVE, TrackState.IDENTIFYING):
        return None
    return verdict.state.value if verdict.subject is None else f"subject {verdict.subject.subject_id}"

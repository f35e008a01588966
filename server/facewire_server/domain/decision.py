"""From similarities to answers: MATCH, UNKNOWN or AMBIGUOUS, one subject at most once in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.gallery_calibration import CalibrationTarget, GalleryFacts


class Decision(Enum):
    """What the server says of a face."""

    MATCH = "match"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    NON_MATCH = "non-match"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject close to a probe, through its best template or the mean of several."""

    subject_id: str
    display_name: str
    labels: tuple[str, ...]
    similarity: float
    face_id: str


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer for one face. ``match`` is set where the decision is MATCH."""

    decision: Decision
    match: Candidate | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """How sure is sure enough.

    Attributes:
        calibration: of the embedder in use; None if nobody measured it.
        fixed_threshold: the cosine that makes a match where there is no calibration.
        target_fpir: share of strangers that may get a name (ISO/IEC 19795: false-positive identification rate).
        max_fmr: in 1:N no single comparison may be laxer than this, however small the gallery.
        verify_fmr: false-match rate of 1:1 comparisons.
        stream_fmr: as max_fmr, for tracks of a stream: many people pass a camera, and many looks make one answer.
        margin: the second-best subject must be this much less similar than the best, cosine.
    """

    calibration: ScoreCalibration | None
    fixed_threshold: float
    target_fpir: float
    max_fmr: float
    verify_fmr: float
    margin: float
    stream_fmr: float

    def verify_threshold(self, gallery: GalleryFacts | None = None) -> float:
        """Cosine that makes a match in a 1:1 comparison; with a subject of this gallery where one is given."""
        curve = self.calibration if gallery is None else self.curve(gallery)
        return self.fixed_threshold if curve is None else curve.similarity(self.verify_fmr)

    def curve(self, gallery: GalleryFacts) -> ScoreCalibration | None:
        """The gallery's own error rates where its data suffice for them, or those of the embedder."""
        if gallery.calibration is None or (not gallery.calibration.sufficient and self.calibration is not None):
            return self.calibration
        return gallery.calibration.curve

    def identify_threshold(self, gallery: GalleryFacts) -> float:
        """Cosine that makes a match against this gallery.

        A stranger is compared with every template, so FPIR = 1 - (1 - FMR)^N for independent comparisons;
        solved for FMR. Templates of one subject are not independent, which errs on the safe side.
        """
        curve = self.curve(gallery)
        if curve is None:
            return self.fixed_threshold
        target = (
            CalibrationTarget(self.target_fpir, None) if gallery.calibration is None else gallery.calibration.target
        )
        measured = gallery.calibration is not None and curve is gallery.calibration.curve
        rate = target.fmr
        if rate is None:
            # The gallery's own rates are of a comparison with a subject, the embedder's of one with a template.
            count = gallery.subjects if measured else gallery.comparisons
            rate = 1.0 - (1.0 - (target.fpir or self.target_fpir)) ** (1.0 / max(count, 1))
        # What was measured well enough may be as lax as its owner chose.
        return min(1.0, curve.similarity(rate if measured else min(rate, self.max_fmr)))

    def stream_threshold(self, gallery: GalleryFacts) -> float:
        """Cosine that gives a track its name against this gallery."""
        curve = self.curve(gallery)
        if curve is None:
            return self.fixed_threshold
        return max(self.identify_threshold(gallery), curve.similarity(self.stream_fmr))

    def decide(self, candidates: Sequence[Sequence[Candidate]], threshold: float) -> list[Identification]:
        """One answer a face from its candidates by falling similarity.

        A subject is given to the face most similar to it. Another face that would have had the same name falls
        back to its next candidate, which must reach the threshold on its own.
        """
        order = sorted(
            range(len(candidates)),
            key=lambda i: candidates[i][0].similarity if candidates[i] else -2.0,
            reverse=True,
        )
        answers: list[Identification | None] = [None] * len(candidates)
        taken: set[str] = set()
        for face in order:
            free = [c for c in candidates[face] if c.subject_id not in taken]
            decision = self._decide_one(free, threshold)
            match = free[0] if decision is Decision.MATCH else None
            if match is not None:
                taken.add(match.subject_id)
            answers[face] = Identification(decision, match, tuple(candidates[face]))
        return [answer for answer in answers if answer is not None]

    def _decide_one(self, candidates: Sequence[Candidate], threshold: float) -> Decision:
        if not candidates or candidates[0].similarity < threshold:
            return Decision.UNKNOWN
        if len(candidates) > 1:
            second = candidates[1].similarity
            if second >= threshold and candidates[0].similarity - second < self.margin:
                return Decision.AMBIGUOUS
        return Decision.MATCH

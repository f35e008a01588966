"""Answers about single pictures: detect, embed, verify, identify. Synchronous; one call runs on one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from facewire import kernels
from facewire_server.domain.budget import Budget
from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.domain.decision import Candidate, Decision, DecisionPolicy, Identification
from facewire_server.domain.errors import ContractMismatch, InvalidArgument, NotFound
from facewire_server.domain.face import EncodedFaces, Faces, FloatArray, NoFaceReason, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery_calibration import GalleryFacts
from facewire_server.domain.liveness import Liveness, LivenessCheck, LivenessDecision
from facewire_server.domain.ports import Detector, Embedder, TemplateSearch
from facewire_server.domain.stages import StageClock
from facewire_server.domain.templates import ComparedBy
from facewire_server.pipeline.clearing import Clearing
from facewire_server.pipeline.liveness import LivenessGuard, decide_on_living
from facewire_server.pipeline.mirror import mirrored, where_found


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """Which faces count.

    Attributes:
        min_score: detector score, None for the model's own threshold.
        min_face_px: shorter side of the box.
        max_faces: the best scores first.
    """

    min_score: float | None
    min_face_px: float
    max_faces: int


@dataclass(slots=True)
class Call:
    """One call's deadline and times, handed from stage to stage."""

    budget: Budget
    clock: StageClock


@dataclass(frozen=True, slots=True)
class DetectedFaces:
    """Faces with quality; a reason where there are none."""

    faces: Faces
    quality: list[Quality]
    no_face_reason: NoFaceReason | None


@dataclass(frozen=True, slots=True)
class EmbeddedFaces:
    """Faces with quality and embeddings; a reason where there are none."""

    encoded: EncodedFaces
    no_face_reason: NoFaceReason | None


@dataclass(frozen=True, slots=True)
class GivenEmbedding:
    """An embedding a caller sent, float32 (dim,), of this contract."""

    vector: FloatArray
    contract_id: str


@dataclass(frozen=True, slots=True)
class SubjectTemplates:
    """A verification side that names an enrolled subject."""

    gallery_id: str
    subject_id: str


CLOSE_LOOKS: Final = 2
MIRRORED_LOOKS: Final = 3
_MOST_IN_MIRROR: Final = 1000
Side = Frame | GivenEmbedding | SubjectTemplates


@dataclass(frozen=True, slots=True)
class SideReport:
    """What was seen in a verification side that was a picture."""

    faces: EncodedFaces | None
    no_face_reason: NoFaceReason | None
    faces_found: int
    liveness: Liveness | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """Answer of a 1:1 comparison; no similarity where a side holds no face."""

    decision: Decision
    similarity: float | None
    threshold: float
    probe: SideReport
    reference: SideReport


@dataclass(frozen=True, slots=True)
class IdentifiedFaces:
    """Answer of a 1:N comparison: one identification a face, and its liveness where that was checked."""

    encoded: EncodedFaces | None
    identifications: list[Identification]
    threshold: float
    no_face_reason: NoFaceReason | None
    liveness: list[Liveness] | None = None


class Recognizer:
    """The pipeline for single pictures. Thread-safe, as its parts are.

    Args:
        look_again_within: in 1:N a face whose similarity is nearer to the threshold than this gets a second look.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        templates: TemplateSearch,
        policy: DecisionPolicy,
        look_again_within: float,
        clearing: Clearing,
        guard: LivenessGuard,
    ) -> None:
        self._guard = guard
        self._detector = detector
        self._embedder = embedder
        self._templates = templates
        self._policy = policy
        self._look_again_within = look_again_within
        self._clearing = clearing
        self._contract_id = embedder.contract.contract_id  # a digest: not for each call

    @property
    def contract_id(self) -> str:
        """The contract that embeddings are made under here."""
        return self._contract_id

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self._embedder.contract.dim

    def calibration(self, gallery_id: str = "") -> ScoreCalibration | None:
        """The error rates in force in a gallery, or without one; None if nobody measured any."""
        try:
            return self._policy.curve(self._templates.facts(gallery_id))
        except NotFound:  # deleted this moment, or a stream without a gallery
            return self._policy.calibration

    def identify_threshold(self, gallery: GalleryFacts) -> float:
        """The cosine that makes a match in a gallery."""
        return self._policy.identify_threshold(gallery)

    @property
    def target_fpir(self) -> float:
        """Share of strangers that may get a name, where nobody chose another."""
        return self._policy.target_fpir

    def detect(self, frame: Frame, options: DetectionOptions, call: Call) -> DetectedFaces:
        """Faces with quality."""
        frame = self._clear(frame, call)
        faces, reason = self._find(frame, options, call)
        faces, quality = self._embedder.measure(frame, faces, call.clock)
        return DetectedFaces(faces, quality, _reason_if_none(faces, reason))

    def every_face(self, frame: Frame, min_score: float | None, max_faces: int, call: Call) -> Faces:
        """All that is found, of any size, also what cannot be aligned."""
        everywhere = DetectionOptions(min_score, 0.0, max_faces)
        return self._find(self._clear(frame, call), everywhere, call)[0]

    def measured(self, frame: Frame, faces: Faces, call: Call) -> DetectedFaces:
        """Those of the faces that can be aligned, with quality."""
        kept, quality = self._embedder.measure(self._clear(frame, call), faces, call.clock)
        return DetectedFaces(kept, quality, _reason_if_none(kept, None))

    def closer(self, frame: Frame, encoded: EncodedFaces, call: Call, looks: int = CLOSE_LOOKS) -> EncodedFaces:
        """The same faces after so many looks, more than one."""
        frame = self._clear(frame, call)
        first = self._look_again(frame, encoded, call)
        return first if looks < MIRRORED_LOOKS else self._look_in_mirror(frame, first, call)

    def embed(self, frame: Frame, options: DetectionOptions, call: Call, looks: int = CLOSE_LOOKS) -> EmbeddedFaces:
        """Faces with quality and embeddings, of one look (quick), two (ADR 14), or two and two at the mirror image."""
        frame = self._clear(frame, call)
        faces, reason = self._find(frame, options, call)
        encoded = self._embedder.encode(frame, faces, call.clock)
        if looks >= CLOSE_LOOKS:
            encoded = self._look_again(frame, encoded, call)
        if looks >= MIRRORED_LOOKS:
            encoded = self._look_in_mirror(frame, encoded, call)
        return EmbeddedFaces(encoded, _reason_if_none(encoded.faces, reason))

    def _look_again(self, frame: Frame, first: EncodedFaces, call: Call) -> EncodedFaces:
        """The mean of both looks' embeddings; all else as it was."""
        call.budget.check()
        with call.clock.stage("detect"):
            closer = self._detector.look_again(frame, first.faces, call.budget.check)
        second = self._embedder.encode(frame, closer, call.clock)
        if len(second.embeddings) != len(first.embeddings):
            return first  # a close-up that cannot be aligned
        return _mean_of(first, second)

    def _look_in_mirror(self, frame: Frame, first: EncodedFaces, call: Call) -> EncodedFaces:
        """The mean with the embeddings of the mirror image: faces have no left and right of their own."""
        call.budget.check()
        mirror, faces = mirrored(frame, first.faces)
        with call.clock.stage("detect"):
            found = self._detector.detect(mirror, None, _MOST_IN_MIRROR)
        second = self._embedder.encode(mirror, where_found(faces, found), call.clock)
        if len(second.embeddings) != len(first.embeddings):
            return first
        return _mean_of(first, self._look_again(mirror, second, call))

    def identify(
        self,
        probe: Frame | GivenEmbedding,
        gallery_id: str,
        options: DetectionOptions,
        candidates: int,
        threshold: float | None,
        call: Call,
        asked: LivenessCheck = LivenessCheck.OFF,
    ) -> IdentifiedFaces:
        """For each face who of the gallery it is, if anyone."""
        check = self._check_of(probe, asked)
        facts = self._templates.facts(gallery_id)
        limit = self._policy.identify_threshold(facts) if threshold is None else threshold
        encoded, reason = None, None
        if isinstance(probe, GivenEmbedding):
            contract_id, vectors = probe.contract_id, self.unit(probe)[np.newaxis]
        else:
            found = self.embed(probe, options, call, looks=1)
            encoded, reason = found.encoded, found.no_face_reason
            contract_id, vectors = self.contract_id, encoded.embeddings
        call.budget.check()
        # One more than faces, so that each face has a candidate left when others took theirs, and a second.
        wanted = max(candidates, len(vectors) + 1)
        with call.clock.stage("search"):
            close = self._templates.search(gallery_id, vectors, contract_id, wanted)
        if isinstance(probe, Frame) and encoded is not None:
            unsure = np.array([self._unsure(each, limit) for each in close], dtype=np.bool_)
            if unsure.any():
                better = self.closer(probe, encoded.select(unsure), call).embeddings
                with call.clock.stage("search"):
                    looked = iter(self._templates.search(gallery_id, better, contract_id, wanted))
                close = [next(looked) if doubt else each for each, doubt in zip(close, unsure, strict=True)]
        living = None
        if check is not LivenessCheck.OFF and isinstance(probe, Frame) and encoded is not None:
            living = self._guard.judge(probe, encoded.faces, call.clock)
        if living is not None and check is LivenessCheck.REQUIRE:
            answers = decide_on_living(self._policy, close, limit, living)
        else:
            answers = self._policy.decide(close, limit)
        shown = [Identification(a.decision, a.match, a.candidates[:candidates]) for a in answers]
        return IdentifiedFaces(encoded, shown, limit, reason, living)

    def _check_of(self, probe: Side, asked: LivenessCheck) -> LivenessCheck:
        """What is to be done about the liveness of this probe."""
        check = self._guard.check_for(asked)
        if check is LivenessCheck.REQUIRE and not isinstance(probe, Frame):
            raise InvalidArgument("probe", "must be a picture: whether it is a living person is to be checked")
        return check

    def taken_for(self, gallery_id: str, subject_id: str, vector: FloatArray) -> Candidate | None:
        """Another subject, above the threshold, to which this vector is nearer than to the subject's own templates."""
        (close,) = self._templates.search(gallery_id, vector[np.newaxis], self.contract_id, 2)
        if not close or close[0].subject_id == subject_id:
            return None
        limit = self._policy.identify_threshold(self._templates.facts(gallery_id))
        return close[0] if close[0].similarity >= limit else None

    def verify(
        self,
        probe: Side,
        reference: Side,
        options: DetectionOptions,
        threshold: float | None,
        call: Call,
        asked: LivenessCheck = LivenessCheck.OFF,
    ) -> Verification:
        """Whether two sides are one person; the best pair of templates counts, and liveness of the probe."""
        check = self._check_of(probe, asked)
        limit = self.verify_threshold(probe, reference) if threshold is None else threshold
        left, left_report = self.side(probe, options, call)
        if check is not LivenessCheck.OFF and isinstance(probe, Frame) and left_report.faces is not None and len(left):
            left_report = replace(
                left_report, liveness=self._guard.judge(probe, left_report.faces.faces, call.clock)[0]
            )
        right, right_report = self.side(reference, options, call)
        if not len(left) or not len(right):
            return Verification(Decision.UNKNOWN, None, limit, left_report, right_report)
        with call.clock.stage("search"):
            similarity = left.similarity(right)
            matches = similarity >= limit and not left.refuted_by(right)
        decision = Decision.MATCH if matches else Decision.NON_MATCH
        living_needed = check is LivenessCheck.REQUIRE and decision is Decision.MATCH
        if living_needed and (
            left_report.liveness is None or left_report.liveness.decision is not LivenessDecision.LIVE
        ):
            decision = Decision.UNKNOWN
        return Verification(decision, similarity, limit, left_report, right_report)

    def _unsure(self, candidates: Sequence[Candidate], limit: float) -> bool:
        """Whether a second look may change the answer."""
        if not candidates:
            return False
        best = candidates[0].similarity
        between = len(candidates) > 1 and best - candidates[1].similarity < 2 * self._policy.margin
        within = self._look_again_within
        return abs(best - limit) < within or (within > 0 and between and best >= limit)

    def verify_threshold(self, *sides: Side) -> float:
        """That of the gallery of the subject who is compared with; of two galleries the stricter."""
        galleries = [side.gallery_id for side in sides if isinstance(side, SubjectTemplates)]
        if not galleries:
            return self._policy.verify_threshold()
        return max(self._policy.verify_threshold(self._templates.facts(gallery_id)) for gallery_id in galleries)

    def _clear(self, frame: Frame, call: Call) -> Frame:
        with call.clock.stage("decode"):
            return self._clearing.clear(frame)

    def _find(self, frame: Frame, options: DetectionOptions, call: Call) -> tuple[Faces, NoFaceReason | None]:
        call.budget.check()
        with call.clock.stage("detect"):
            faces = self._detector.detect(frame, options.min_score, options.max_faces)
        call.budget.check()
        if not len(faces):
            return faces, NoFaceReason.NONE_DETECTED
        large = faces.select(faces.sizes_px >= options.min_face_px)
        return large, None if len(large) else NoFaceReason.TOO_SMALL

    def side(self, side: Side, options: DetectionOptions, call: Call) -> tuple[ComparedBy, SideReport]:
        """What a side is compared by, and what was seen in it."""
        if isinstance(side, GivenEmbedding):
            if side.contract_id != self.contract_id:
                raise ContractMismatch(self.contract_id, side.contract_id, "the embedding")
            return ComparedBy.of(self.unit(side)[np.newaxis]), SideReport(None, None, 0)
        if isinstance(side, SubjectTemplates):
            templates = self._templates.templates_of(side.gallery_id, side.subject_id, self.contract_id)
            return templates, SideReport(None, None, 0)
        side = self._clear(side, call)
        faces, reason = self._find(side, options, call)
        found = len(faces)
        encoded = self._embedder.encode(side, largest_face(faces), call.clock)
        encoded = self._look_again(side, encoded, call)
        report = SideReport(encoded, _reason_if_none(encoded.faces, reason), found)
        return ComparedBy.of(encoded.embeddings), report

    def unit(self, given: GivenEmbedding, field: str = "embedding.values") -> FloatArray:
        """The vector as sent, scaled to unit length, if it is one."""
        vector = given.vector
        if vector.shape != (self.dim,):
            raise InvalidArgument(field, f"has {vector.size} values, contract {self.contract_id} has {self.dim}")
        if not np.isfinite(vector).all():
            raise InvalidArgument(field, "holds a NaN or an infinity")
        length = float(np.linalg.norm(vector))
        if not 1e-6 < length < 1e6:
            raise InvalidArgument(field, f"has length {length:g}; it points nowhere")
        unit: FloatArray = (vector / np.float32(length)).astype(np.float32)
        return unit


def largest_face(faces: Faces) -> Faces:
    """Only the face with the largest box, if any."""
    if not len(faces):
        return faces
    return faces.select(np.array([int(np.argmax(faces.areas_px))]))


def _mean_of(first: EncodedFaces, second: EncodedFaces) -> EncodedFaces:
    """The first, with the mean of both's embeddings."""
    both = first.embeddings + second.embeddings
    kernels.normalise_rows(both)
    return EncodedFaces(first.faces, first.quality, both)


def _reason_if_none(faces: Faces, before: NoFaceReason | None) -> NoFaceReason | None:
    """Faces that were found and are gone now could not be aligned."""
    return None if len(faces) else before or NoFaceReason.NOT_ALIGNABLE

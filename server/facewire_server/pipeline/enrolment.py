"""The gate before the gallery: which pictures may become templates, and why not the others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from facewire_server.domain.decision import Candidate
from facewire_server.domain.errors import InvalidImage
from facewire_server.domain.face import EncodedFaces, Faces, NoFaceReason, Quality, QualityIssue
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery import EnrolRefusal, NewTemplate, Refusal
from facewire_server.domain.quality import QualityLimits
from facewire_server.pipeline.latents import FaceCoder
from facewire_server.pipeline.recognizer import CLOSE_LOOKS, MIRRORED_LOOKS, Call, DetectionOptions, Recognizer


@dataclass(frozen=True, slots=True)
class EnrolmentGate:
    """What a picture must have. A bad template costs wrong names for as long as it stays.

    Attributes:
        limits: from where on something is wrong with a face.
        min_quality: lowest score, 0..1.
        refuse_look_alikes: pictures that would be taken for another subject are refused instead of flagged.
        dominance: a second face does not matter if the largest is so many times larger in area.
        min_likeness: share of real faces that have to look less like a face; 0: not asked.
    """

    limits: QualityLimits
    min_quality: float
    dominance: float
    refuse_look_alikes: bool = False
    min_likeness: float = 0.0

    def judge(self, quality: Quality) -> Refusal | None:
        """The first thing wrong with a face, if any."""
        for issue, detail in self.limits.issues(quality).items():
            return Refusal(_REFUSALS[issue], detail)
        if quality.score < self.min_quality:
            return Refusal(
                EnrolRefusal.POOR_QUALITY,
                f"the face's quality is {quality.score:.2f}, at least {self.min_quality:.2f} is needed: is it covered?",
            )
        return None

    def judge_likeness(self, share: float) -> Refusal | None:
        """Whether a face looks like one; ``share`` of real faces look less so."""
        if share >= self.min_likeness:
            return None
        return Refusal(
            EnrolRefusal.NOT_FACE_LIKE,
            f"it does not look enough like a face: only {share:.2%} of real faces look less like one (limit "
            f"{self.min_likeness:.2%}); is it drawn, a pattern, or cropped wrongly?",
        )


_SYNTHETIC = Refusal(
    EnrolRefusal.SYNTHETIC,
    "says of itself that a model made or changed it, which invents what it shows (allow_synthetic)",
)
_REFUSALS = {
    QualityIssue.TOO_SMALL: EnrolRefusal.TOO_SMALL,
    QualityIssue.BLURRED: EnrolRefusal.BLURRED,
    QualityIssue.TOO_DARK: EnrolRefusal.TOO_DARK,
    QualityIssue.OVEREXPOSED: EnrolRefusal.TOO_BRIGHT,
    QualityIssue.EXTREME_POSE: EnrolRefusal.EXTREME_POSE,
    QualityIssue.CUT_OFF: EnrolRefusal.CUT_OFF,
}


@dataclass(frozen=True, slots=True)
class Examined:
    """A picture after the gate: the template, or the refusal; the face in question where there was one.

    Attributes:
        look_alike: another subject that it would be taken for.
    """

    template: NewTemplate | None
    refusal: Refusal | None
    face: EncodedFaces | None
    look_alike: Candidate | None = None


class Enroller:
    """Turns pictures into templates. Thread-safe.

    Args:
        recognizer: finds and embeds the faces.
        gate: what a picture must have.
        coder: tells whether it looks like a face, if the gate asks.
        mirror: templates are the mean of the picture's and its mirror image's embeddings.
    """

    def __init__(self, recognizer: Recognizer, gate: EnrolmentGate, coder: FaceCoder, *, mirror: bool) -> None:
        self._recognizer = recognizer
        self._gate = gate
        self._coder = coder
        self._looks = MIRRORED_LOOKS if mirror else CLOSE_LOOKS

    def examine(
        self,
        picture: Frame | InvalidImage,
        source: bytes,
        source_name: str,
        use_largest: bool,
        options: DetectionOptions,
        call: Call,
        *,
        negative: bool = False,
        allow_synthetic: bool = False,
    ) -> Examined:
        """What becomes of one picture.

        Args:
            picture: decoded, or the reason it could not be.
            source: the picture's bytes as sent; their digest tells repetitions.
            source_name: what the caller calls it.
            use_largest: of several faces take the largest.
            negative: it says who somebody is not: it need not be good, as the mistake was made with it.
            allow_synthetic: also take what a model made or changed.
        """
        if isinstance(picture, InvalidImage):
            return Examined(None, Refusal(EnrolRefusal.BAD_IMAGE, picture.problem), None)
        if picture.synthetic and not allow_synthetic:
            return Examined(None, _SYNTHETIC, None)
        found = self._recognizer.embed(picture, options, call, looks=1)
        if found.no_face_reason is not None:
            return Examined(None, _no_face(found.no_face_reason, options), None)
        face = self._single(found.encoded, use_largest)
        if isinstance(face, Refusal):
            return Examined(None, face, None)
        refusal = None if negative else self._judge(picture, face, call)
        if refusal is not None:
            return Examined(None, refusal, face)
        face = self._recognizer.closer(picture, face, call, self._looks)
        digest = hashlib.sha256(source).hexdigest()
        template = NewTemplate(face.embeddings[0], face.quality[0], digest, source_name, negative)
        return Examined(template, None, face)

    def _judge(self, picture: Frame, face: EncodedFaces, call: Call) -> Refusal | None:
        refusal = self._gate.judge(face.quality[0])
        if refusal is not None or self._gate.min_likeness == 0:
            return refusal
        encoded = self._coder.encode(picture, face.faces, call)
        if not encoded:
            return Refusal(EnrolRefusal.NOT_ALIGNABLE, "the face's landmarks allow no alignment")
        return self._gate.judge_likeness(self._coder.likeness_of(encoded[0], call.clock))

    def compare(self, examined: Examined, gallery_id: str, subject_id: str) -> Examined:
        """Whether a new template of this subject would be taken for another one; refused if the gate says so."""
        if examined.template is None:
            return examined
        other = self._recognizer.taken_for(gallery_id, subject_id, examined.template.vector)
        if other is None:
            return examined
        if not self._gate.refuse_look_alikes:
            return replace(examined, look_alike=other)
        refusal = Refusal(
            EnrolRefusal.LOOKS_LIKE_ANOTHER,
            f"looks more like subject '{other.subject_id}' ({other.similarity:.2f}); is it the same person, or the "
            "wrong picture?",
        )
        return Examined(None, refusal, examined.face, other)

    def _single(self, encoded: EncodedFaces, use_largest: bool) -> EncodedFaces | Refusal:
        areas = encoded.faces.areas_px
        order = np.argsort(-areas)
        largest = int(order[0])
        crowded = len(order) > 1 and areas[largest] < self._gate.dominance * areas[order[1]]
        if crowded and not use_largest:
            return Refusal(
                EnrolRefusal.SEVERAL_FACES,
                f"{len(order)} faces of like size; crop the picture, or ask for the largest face",
            )
        return _only(encoded, largest)


def _only(encoded: EncodedFaces, index: int) -> EncodedFaces:
    row = np.array([index])
    faces: Faces = encoded.faces.select(row)
    return EncodedFaces(faces, [encoded.quality[index]], encoded.embeddings[row])


def _no_face(reason: NoFaceReason, options: DetectionOptions) -> Refusal:
    if reason is NoFaceReason.TOO_SMALL:
        return Refusal(EnrolRefusal.TOO_SMALL, f"no face reaches {options.min_face_px:.0f} px")
    if reason is NoFaceReason.NOT_ALIGNABLE:
        return Refusal(EnrolRefusal.NOT_ALIGNABLE, "the face's landmarks allow no alignment")
    return Refusal(EnrolRefusal.NO_FACE, "no face was found")

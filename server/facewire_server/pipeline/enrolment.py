"""The gate before the gallery: which pictures may become templates, and why not the others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from facewire_server.domain.errors import InvalidImage
from facewire_server.domain.face import EncodedFaces, Faces, NoFaceReason, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.gallery import EnrolRefusal, NewTemplate, Refusal
from facewire_server.pipeline.recognizer import Call, DetectionOptions, Recognizer


@dataclass(frozen=True, slots=True)
class EnrolmentGate:
    """What a picture must have. A bad template costs wrong names for as long as it stays.

    Attributes:
        min_face_px: shorter side of the face.
        min_sharpness, min_brightness, max_brightness: of the aligned face, see ``Quality``.
        max_yaw_deg, max_pitch_deg: either way.
        max_outside_share: of the face box.
        dominance: a second face does not matter if the largest is so many times larger in area.
    """

    min_face_px: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    max_yaw_deg: float
    max_pitch_deg: float
    max_outside_share: float
    dominance: float

    def judge(self, quality: Quality) -> Refusal | None:
        """The first thing wrong with a face, if any."""
        q = quality
        rules = (
            (q.size_px < self.min_face_px, EnrolRefusal.TOO_SMALL,
             f"the face is {q.size_px:.0f} px wide or high, at least {self.min_face_px:.0f} are needed"),
            (q.outside_share > self.max_outside_share, EnrolRefusal.CUT_OFF,
             f"{q.outside_share:.0%} of the face is outside the picture"),
            (q.brightness < self.min_brightness, EnrolRefusal.TOO_DARK,
             f"the face's brightness is {q.brightness:.0f}, at least {self.min_brightness:.0f} is needed"),
            (q.brightness > self.max_brightness, EnrolRefusal.TOO_BRIGHT,
             f"the face's brightness is {q.brightness:.0f}, at most {self.max_brightness:.0f} is allowed"),
            (q.sharpness < self.min_sharpness, EnrolRefusal.BLURRED,
             f"the face's sharpness is {q.sharpness:.1f}, at least {self.min_sharpness:.1f} is needed"),
            (abs(q.yaw_deg) > self.max_yaw_deg, EnrolRefusal.EXTREME_POSE,
             f"the head is turned by {abs(q.yaw_deg):.0f} degrees, at most {self.max_yaw_deg:.0f}"),
            (abs(q.pitch_deg) > self.max_pitch_deg, EnrolRefusal.EXTREME_POSE,
             f"the head is tilted by {abs(q.pitch_deg):.0f} degrees, at most {self.max_pitch_deg:.0f}"),
        )  # fmt: skip
        for broken, reason, detail in rules:
            if broken:
                return Refusal(reason, detail)
        return None


@dataclass(frozen=True, slots=True)
class Examined:
    """A picture after the gate: the template, or the refusal; the face in question where there was one."""

    template: NewTemplate | None
    refusal: Refusal | None
    face: EncodedFaces | None


class Enroller:
    """Turns pictures into templates. Thread-safe."""

    def __init__(self, recognizer: Recognizer, gate: EnrolmentGate) -> None:
        self._recognizer = recognizer
        self._gate = gate

    def examine(
        self,
        picture: Frame | InvalidImage,
        source: bytes,
        source_name: str,
        use_largest: bool,
        options: DetectionOptions,
        call: Call,
    ) -> Examined:
        """What becomes of one picture.

        Args:
            picture: decoded, or the reason it could not be.
            source: the picture's bytes as sent; their digest tells repetitions.
            source_name: what the caller calls it.
            use_largest: of several faces take the largest.
        """
        if isinstance(picture, InvalidImage):
            return Examined(None, Refusal(EnrolRefusal.BAD_IMAGE, picture.problem), None)
        found = self._recognizer.embed(picture, options, call)
        if found.no_face_reason is not None:
            return Examined(None, _no_face(found.no_face_reason, options), None)
        face = self._single(found.encoded, use_largest)
        if isinstance(face, Refusal):
            return Examined(None, face, None)
        refusal = self._gate.judge(face.quality[0])
        if refusal is not None:
            return Examined(None, refusal, face)
        digest = hashlib.sha256(source).hexdigest()
        template = NewTemplate(face.embeddings[0], face.quality[0], digest, source_name)
        return Examined(template, None, face)

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

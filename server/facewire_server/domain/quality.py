"""How good a face is for being compared: one number, and names for what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from typing import Final

from facewire_server.domain.face import Quality, QualityIssue

# A logistic curve over the length of the embedding, in the embedder's unit, and the detector's score: what a network
# was unsure of it gives a short embedding. Of 1,225 pairs of one person in CelebA those with the lowest fifth of the
# scores hold six tenths of the misses; sharpness, pose and size beside them add nothing (docs/evaluation.md).
_PER_SCORE: Final = 8.0
_CERTAIN: Final = 0.85  # the detector's score of a face that is plainly one
_WITHOUT_LENGTH: Final = 0.5
_HARDLY_A_FACE: Final = 0.2


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """From where on something is wrong.

    Attributes:
        min_face_px: shorter side of the face.
        min_sharpness, min_brightness, max_brightness: of the aligned face.
        max_yaw_deg, max_pitch_deg: either way.
        max_outside_share: of the face box.
        max_glare_share: of the face, as bright as the sensor can tell.
    """

    min_face_px: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    max_yaw_deg: float
    max_pitch_deg: float
    max_outside_share: float
    max_glare_share: float

    def issues(self, q: Quality) -> dict[QualityIssue, str]:
        """What is wrong with a face, with the numbers."""
        rules = (
            (q.size_px < self.min_face_px, QualityIssue.TOO_SMALL,
             f"the face is {q.size_px:.0f} px wide or high, at least {self.min_face_px:.0f} are needed"),
            (q.outside_share > self.max_outside_share, QualityIssue.CUT_OFF,
             f"{q.outside_share:.0%} of the face is outside the picture"),
            (q.brightness < self.min_brightness, QualityIssue.TOO_DARK,
             f"the face's brightness is {q.brightness:.0f}, at least {self.min_brightness:.0f} is needed"),
            (q.brightness > self.max_brightness, QualityIssue.OVEREXPOSED,
             f"the face's brightness is {q.brightness:.0f}, at most {self.max_brightness:.0f} is allowed"),
            (q.glare_share > self.max_glare_share, QualityIssue.OVEREXPOSED,
             f"{q.glare_share:.0%} of the face is overexposed, at most {self.max_glare_share:.0%} may be"),
            (q.sharpness < self.min_sharpness, QualityIssue.BLURRED,
             f"the face's sharpness is {q.sharpness:.1f}, at least {self.min_sharpness:.1f} is needed"),
            (abs(q.yaw_deg) > self.max_yaw_deg, QualityIssue.EXTREME_POSE,
             f"the head is turned by {abs(q.yaw_deg):.0f} degrees, at most {self.max_yaw_deg:.0f}"),
            (abs(q.pitch_deg) > self.max_pitch_deg, QualityIssue.EXTREME_POSE,
             f"the head is tilted by {abs(q.pitch_deg):.0f} degrees, at most {self.max_pitch_deg:.0f}"),
        )  # fmt: skip
        found: dict[QualityIssue, str] = {}
        for broken, issue, detail in rules:
            if broken:
                found.setdefault(issue, detail)
        return found


@dataclass(frozen=True, slots=True)
class QualityJudge:
    """Gives faces their score and their issues.

    Attributes:
        clear_norm: length of the embedding of a middling face; None: not known of this embedder.
        norm_step: how much shorter the embedding of a clearly worse one is.
    """

    limits: QualityLimits
    clear_norm: float | None
    norm_step: float

    def judge(self, quality: Quality, detection_score: float) -> Quality:
        """The quality with both."""
        lift = _WITHOUT_LENGTH
        if self.clear_norm is not None and quality.embedding_norm is not None:
            lift = (quality.embedding_norm - self.clear_norm) / self.norm_step
        score = 1.0 / (1.0 + exp(-max(-30.0, min(30.0, lift + _PER_SCORE * (detection_score - _CERTAIN)))))
        issues = tuple(self.limits.issues(quality))
        if not issues and score < _HARDLY_A_FACE:
            # Nothing that is measured explains it: something covers the face, or it is none.
            issues = (QualityIssue.OCCLUDED,)
        return replace(quality, score=score, issues=issues)

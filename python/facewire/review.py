"""What a review of a gallery finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FindingKind(Enum):
    """What was found.

    SAME_PERSON: two subjects so alike that they are one person, enrolled twice, or twins. LOOK_ALIKES: two above the
    gallery's threshold: one may get the other's name. OUTLIER: a template nearer to another subject than to its own.
    DUPLICATE: two templates of one subject that say the same.
    """

    SAME_PERSON = "SAME_PERSON"
    LOOK_ALIKES = "LOOK_ALIKES"
    OUTLIER = "OUTLIER"
    DUPLICATE = "DUPLICATE"


@dataclass(frozen=True, slots=True)
class Finding:
    """Two templates and their subjects; ``similarity`` is their cosine.

    Attributes:
        own_similarity: of an OUTLIER, with the nearest of its own subject's other templates.
    """

    kind: FindingKind
    subject_id: str
    face_id: str
    other_subject_id: str
    other_face_id: str
    similarity: float
    own_similarity: float | None

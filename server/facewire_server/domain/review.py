"""What a gallery's owner should look at: people who are mistaken for each other, and templates that do not belong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from facewire_server.domain.face import FloatArray


class FindingKind(Enum):
    """What was found.

    SAME_PERSON: two subjects so alike that they are one person, enrolled twice, or twins.
    LOOK_ALIKES: two subjects above the gallery's threshold: one may get the other's name.
    OUTLIER: a template nearer to another subject than to its own.
    DUPLICATE: two templates of one subject that say the same; one is enough.
    """

    SAME_PERSON = "same person"
    LOOK_ALIKES = "look-alikes"
    OUTLIER = "outlier"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Finding:
    """Two templates, the second of ``other_subject_id`` (the same subject for DUPLICATE).

    Attributes:
        similarity: cosine of the two.
        own_similarity: for OUTLIER, with the nearest of its own subject's other templates; None: it has none.
    """

    kind: FindingKind
    subject_id: str
    face_id: str
    other_subject_id: str
    other_face_id: str
    similarity: float
    own_similarity: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NamedTemplates:
    """A gallery's templates.

    Attributes:
        vectors: (n, dim), of unit length.
        subject_ids, face_ids: (n,) each.
    """

    vectors: FloatArray
    subject_ids: Sequence[str]
    face_ids: Sequence[str]

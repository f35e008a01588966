"""What faces look like: results of :meth:`facewire.Client.analyze`."""

from __future__ import annotations

from dataclasses import dataclass

from facewire.liveness import Liveness
from facewire.results import Face, ImageSize, NoFaceReason, StageTimes


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Of a head, in degrees: turned towards image right, raised, leaning to image right is positive."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class FaceAttributes:
    """What a face looks like to a network; nobody's papers.

    Attributes:
        age: years.
        female_probability: 0..1, of the two classes that the network knows.
    """

    age: float
    female_probability: float


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """People from one age to below another, years; ``to_age`` is None where there is no upper end."""

    from_age: int
    to_age: int | None
    people: int


@dataclass(frozen=True, slots=True)
class AttributeFigures:
    """Of a crowd: mean age in whole years, the share of people who look female rather than male, age groups."""

    people: int
    mean_age: float
    female_share: float
    age_groups: tuple[AgeGroup, ...]


@dataclass(frozen=True, slots=True)
class AnalyzedFace:
    """A face with what there are models for on the server, and with attributes where they were asked for."""

    face: Face
    attributes: FaceAttributes | None
    head_pose: HeadPose | None
    liveness: Liveness | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a picture shows.

    Attributes:
        figures: None without models for it, and where there are too few people to tell of a crowd.
    """

    faces: tuple[AnalyzedFace, ...]
    figures: AttributeFigures | None
    no_face_reason: NoFaceReason | None
    image_size: ImageSize
    times: StageTimes

"""Liveness, attributes and head poses on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from facewire.v1 import face_pb2
from facewire_server.domain.attributes import AGE_GROUPS, AttributeFigures, Attributes
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.liveness import Liveness, LivenessCheck, LivenessDecision
from facewire_server.domain.mesh import HeadPose

_CHECKS: Final[dict[int, LivenessCheck]] = {
    face_pb2.LIVENESS_CHECK_UNSPECIFIED: LivenessCheck.OFF,
    face_pb2.LIVENESS_CHECK_REPORT: LivenessCheck.REPORT,
    face_pb2.LIVENESS_CHECK_REQUIRE: LivenessCheck.REQUIRE,
}
DECISIONS: Final = {
    LivenessDecision.LIVE: face_pb2.LIVENESS_DECISION_LIVE,
    LivenessDecision.SPOOF: face_pb2.LIVENESS_DECISION_SPOOF,
    LivenessDecision.UNSURE: face_pb2.LIVENESS_DECISION_UNSURE,
}


def liveness_check(number: int, field: str = "liveness_check") -> LivenessCheck:
    """What a caller asks for.

    Raises:
        InvalidArgument: nothing that this server knows.
    """
    if number not in _CHECKS:
        raise InvalidArgument(field, "must be REPORT or REQUIRE, or unset")
    return _CHECKS[number]


def liveness_message(liveness: Liveness) -> face_pb2.Liveness:
    """Liveness of a face."""
    return face_pb2.Liveness(decision=DECISIONS[liveness.decision], score=liveness.score, looks=liveness.looks)


def attributes_message(attributes: Attributes) -> face_pb2.FaceAttributes:
    """Of one face."""
    return face_pb2.FaceAttributes(age=attributes.age, female_probability=attributes.female)


def figures_message(figures: AttributeFigures | None) -> face_pb2.AttributeFigures | None:
    """Of a crowd, where they may be told."""
    if figures is None:
        return None
    return face_pb2.AttributeFigures(
        people=figures.people,
        mean_age=figures.mean_age,
        female_share=figures.female_share,
        age_groups=_age_groups(figures.age_groups),
    )


def _age_groups(people: Sequence[int]) -> list[face_pb2.AgeGroup]:
    return [
        face_pb2.AgeGroup(from_age=start, to_age=end, people=count)
        for start, end, count in zip((0, *AGE_GROUPS), (*AGE_GROUPS, 0), people, strict=True)
    ]


def pose_message(pose: HeadPose) -> face_pb2.HeadPose:
    """A head pose."""
    return face_pb2.HeadPose(yaw_deg=pose.yaw_deg, pitch_deg=pose.pitch_deg, roll_deg=pose.roll_deg)

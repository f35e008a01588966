"""From protobuf messages to analyses."""

from __future__ import annotations

from facewire import _parse, analysis
from facewire.v1 import face_pb2, recognition_pb2


def pose(message: face_pb2.HeadPose) -> analysis.HeadPose:
    return analysis.HeadPose(message.yaw_deg, message.pitch_deg, message.roll_deg)


def figures(message: face_pb2.AttributeFigures) -> analysis.AttributeFigures:
    return analysis.AttributeFigures(
        people=message.people,
        mean_age=message.mean_age,
        female_share=message.female_share,
        age_groups=tuple(
            analysis.AgeGroup(group.from_age, group.to_age or None, group.people) for group in message.age_groups
        ),
    )


def _face(message: recognition_pb2.AnalyzedFace) -> analysis.AnalyzedFace:
    attributes = None
    if message.HasField("attributes"):
        attributes = analysis.FaceAttributes(message.attributes.age, message.attributes.female_probability)
    return analysis.AnalyzedFace(
        face=_parse.face(message.face),
        attributes=attributes,
        head_pose=pose(message.head_pose) if message.HasField("head_pose") else None,
        liveness=_parse.liveness(message.liveness) if message.HasField("liveness") else None,
    )


def analysis_of(message: recognition_pb2.AnalyzeFacesResponse) -> analysis.Analysis:
    return analysis.Analysis(
        faces=tuple(_face(face) for face in message.faces),
        figures=figures(message.figures) if message.HasField("figures") else None,
        no_face_reason=_parse.no_face(message.no_face_reason),
        image_size=_parse.size(message.image_size),
        times=_parse.times(message.times),
    )

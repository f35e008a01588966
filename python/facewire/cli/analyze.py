"""``facewire analyze``: what faces look like."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.table import Table

from facewire.analysis import AnalyzedFace, AttributeFigures
from facewire.cli.options import connect, console, liveness_text, plain, talks_to_server, write_json
from facewire.cli.pictures import Round, min_face_option, pictures_argument


@click.command(
    epilog="""\b
Examples:
  facewire analyze group.jpg                  age and gender of the group, head poses, liveness
  facewire analyze group.jpg --per-person     of each face too, if the server's operator allows it
\b
All of it is off until the server's operator turns it on: attributes.enabled, models.mesh, liveness.model."""
)
@pictures_argument
@min_face_option
@click.option("--per-person", is_flag=True, help="Age and gender of each face.")
@talks_to_server
def analyze(
    pictures: tuple[str, ...], min_face_px: float | None, per_person: bool, target: str, timeout_s: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Tell what faces in PICTURES look like. Exit code 1 if there is none at all."""
    found = 0
    table = Table("picture", "face", "age", "female", "yaw", "pitch", "roll", "liveness")
    figures: list[tuple[str, AttributeFigures]] = []
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:
        for picture, answer in asked.ask(lambda p: client.analyze(p, min_face_px=min_face_px, per_person=per_person)):
            found += len(answer.faces)
            if as_json:
                write_json({"picture": picture, **plain(answer)})
            if answer.no_face_reason is not None:
                table.add_row(escape(picture), "-", answer.no_face_reason.value.replace("_", " ").lower())
            for number, face in enumerate(answer.faces):
                table.add_row(escape(picture), str(number), *_cells(face))
            if answer.figures is not None:
                figures.append((picture, answer.figures))
    if not as_json:
        console().print(table)
        for picture, each in figures:
            console().print(_figures_text(picture, each))
    return asked.exit_code(found > 0)


def _cells(face: AnalyzedFace) -> list[str]:
    cells = ["", ""] if face.attributes is None else [
        f"{face.attributes.age:.0f}", f"{face.attributes.female_probability:.2f}",
    ]  # fmt: skip
    pose = face.head_pose
    cells += [""] * 3 if pose is None else [f"{v:+.0f}" for v in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)]
    return [*cells, liveness_text(face.liveness)]


def _figures_text(picture: str, figures: AttributeFigures) -> str:
    groups = ", ".join(
        f"{group.from_age}{f' to {group.to_age}' if group.to_age else ' and older'}: {group.people}"
        for group in figures.age_groups
        if group.people
    )
    return (
        f"{escape(picture)}: {figures.people} people, mean age {figures.mean_age:.0f}, "
        f"{figures.female_share:.0%} female; ages {groups}"
    )

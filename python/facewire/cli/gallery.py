"""``facewire gallery``: galleries, subjects, faces, files."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Column, Table

from facewire.calibration import Calibration
from facewire.cli.options import connect, console, naming, synthetic_option, talks_to_server, write_json
from facewire.errors import ImageError

_gallery_id = click.argument("gallery_id")
_subject_id = click.argument("subject_id")
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.group(
    epilog="""\b
Examples:
  facewire gallery list
  facewire gallery subjects door --label staff
  facewire gallery remove-subject door ada
  facewire gallery export door door.fwg && facewire gallery import door.fwg --as door-copy"""
)
def gallery() -> None:
    """Manage galleries, subjects and faces."""


@gallery.command()
@_gallery_id
@click.option("--name", default="", help="Display name; default: the id.")
@talks_to_server
def create(gallery_id: str, name: str, target: str, timeout_s: float, as_json: bool) -> None:
    """Make an empty gallery."""
    with connect(target, timeout_s) as client:
        made = client.create_gallery(gallery_id, display_name=name)
    if as_json:
        write_json(made)
    else:
        console().print(f"gallery '{made.gallery_id}' made, contract {made.contract_id}")


@gallery.command("list")
@talks_to_server
def list_galleries(target: str, timeout_s: float, as_json: bool) -> None:
    """List galleries."""
    table = Table("gallery", "name", "subjects", "faces", "threshold", "error rates", "contract", "made")
    with connect(target, timeout_s) as client:
        for entry in client.list_galleries():
            if as_json:
                write_json(entry)
            table.add_row(
                entry.gallery_id,
                escape(entry.display_name),
                str(entry.subject_count),
                str(entry.face_count),
                f"{entry.min_similarity:.3f}",
                _rates_text(entry.calibration),
                entry.contract_id,
                f"{entry.created_at:%Y-%m-%d %H:%M}",
            )
    if not as_json:
        console().print(table)


def _rates_text(calibration: Calibration | None) -> str:
    if calibration is None:
        return "the embedder's"
    target = f"{calibration.target.upper()} {calibration.rate.value:.2g}"
    if not calibration.sufficient:
        return f"{target}, not promised"
    return f"[yellow]{target}, stale[/]" if calibration.stale else target


@gallery.command()
@_gallery_id
@_yes
@talks_to_server
def delete(gallery_id: str, yes: bool, target: str, timeout_s: float, as_json: bool) -> None:
    """Erase a gallery with everybody in it."""
    with connect(target, timeout_s) as client:
        if not yes:
            found = client.get_gallery(gallery_id)
            click.confirm(f"erase gallery '{gallery_id}' with {found.subject_count} subjects?", abort=True, err=True)
        subjects, faces = client.delete_gallery(gallery_id)
    if as_json:
        write_json({"deleted_subjects": subjects, "deleted_faces": faces})
    else:
        console().print(f"gallery '{gallery_id}' erased: {subjects} subjects, {faces} faces")


@gallery.command()
@_gallery_id
@click.option("--label", default="", help="Only subjects with this label.")
@talks_to_server
def subjects(gallery_id: str, label: str, target: str, timeout_s: float, as_json: bool) -> None:
    """List subjects."""
    table = Table("subject", "name", "labels", "faces", "made")
    with connect(target, timeout_s) as client:
        for entry in client.list_subjects(gallery_id, label=label):
            if as_json:
                write_json(entry)
            table.add_row(
                entry.subject_id,
                escape(entry.display_name),
                escape(", ".join(entry.labels)),
                str(entry.face_count),
                f"{entry.created_at:%Y-%m-%d %H:%M}",
            )
    if not as_json:
        console().print(table)


@gallery.command()
@_gallery_id
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 1000), help="Findings of each kind.")
@talks_to_server
def review(gallery_id: str, most: int, target: str, timeout_s: float, as_json: bool) -> int:
    """List people who look alike or are enrolled twice, and templates that do not belong.

    Exit code 1 if there are any.
    """
    with connect(target, timeout_s) as client:
        findings = client.review_gallery(gallery_id, max_findings=most)
    table = Table("finding", "subject", "face", "other subject", "other face", "similarity", "own")
    for each in findings:
        if as_json:
            write_json(each)
        own = "" if each.own_similarity is None else f"{each.own_similarity:.3f}"
        table.add_row(
            each.kind.value.replace("_", " ").lower(), each.subject_id, each.face_id[:8], each.other_subject_id,
            each.other_face_id[:8], f"{each.similarity:.3f}", own,
        )  # fmt: skip
    if not as_json:
        console().print(table if findings else f"nothing to object to in gallery '{gallery_id}'")
    return 1 if findings else 0


@gallery.command("set-subject")
@_gallery_id
@_subject_id
@click.option("--name", help="New display name.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    help="New labels, replacing the old; may be repeated; '' takes all away. Streams are silent about 'ignore'.",
)
@click.option("--attribute", "attributes", multiple=True, metavar="KEY=VALUE", help="New attributes, likewise.")
@talks_to_server
def set_subject(
    gallery_id: str,
    subject_id: str,
    name: str | None,
    labels: tuple[str, ...],
    attributes: tuple[str, ...],
    target: str,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Change a subject's name, labels or attributes."""
    if any("=" not in attribute for attribute in attributes):
        raise click.UsageError("--attribute takes KEY=VALUE")
    pairs = dict(attribute.split("=", 1) for attribute in attributes)
    with connect(target, timeout_s) as client:
        changed = client.update_subject(
            gallery_id,
            subject_id,
            display_name=name,
            labels=[label for label in labels if label] if labels else None,
            attributes=pairs or None,
        )
    if as_json:
        write_json(changed)
    else:
        labelled = escape(", ".join(changed.labels)) or "none"
        console().print(f"subject '{changed.subject_id}': {escape(changed.display_name)}, labels: {labelled}")


@gallery.command("remove-subject")
@_gallery_id
@_subject_id
@talks_to_server
def remove_subject(gallery_id: str, subject_id: str, target: str, timeout_s: float, as_json: bool) -> None:
    """Erase a subject with all templates."""
    with connect(target, timeout_s) as client:
        faces = client.delete_subject(gallery_id, subject_id)
    if as_json:
        write_json({"deleted_faces": faces})
    else:
        console().print(f"subject '{subject_id}' erased with {faces} faces")


@gallery.command()
@_gallery_id
@click.option("--subject", "subject_id", default="", help="Only this subject's.")
@talks_to_server
def faces(gallery_id: str, subject_id: str, target: str, timeout_s: float, as_json: bool) -> None:
    """List enrolled faces."""
    table = Table(
        Column("face", overflow="fold", min_width=32), "subject", "picture", "size px", "sharp", "norm", "enrolled", ""
    )
    with connect(target, timeout_s) as client:
        for entry in client.list_faces(gallery_id, subject_id=subject_id):
            if as_json:
                write_json(entry)
            table.add_row(
                entry.face_id,
                entry.subject_id,
                escape(entry.source_name),
                f"{entry.quality.size_px:.0f}",
                f"{entry.quality.sharpness:.1f}",
                f"{entry.quality.embedding_norm or 0:.1f}",
                f"{entry.created_at:%Y-%m-%d %H:%M}",
                "not this person" if entry.negative else "",
            )
    if not as_json:
        console().print(table)


@gallery.command("reject")
@_gallery_id
@click.argument("subject_id")
@click.argument("pictures", nargs=-1, required=True, type=click.Path())
@click.option("--use-largest-face", is_flag=True, help="Of several faces take the largest.")
@synthetic_option
@talks_to_server
def reject(
    gallery_id: str, subject_id: str, pictures: tuple[str, ...], use_largest_face: bool, allow_synthetic: bool,
    target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Say that PICTURES do not show SUBJECT_ID, though they were taken for that person.

    Whoever is more like them than like the subject's own pictures does not get that name again. To take it back:
    'gallery faces' shows them, 'gallery remove-face' erases them. Exit code 1 if a picture was refused.
    """
    with connect(target, timeout_s) as client:
        answer = client.reject(
            gallery_id, subject_id, pictures, use_largest_face=use_largest_face, allow_synthetic=allow_synthetic
        )
    if as_json:
        write_json(answer)
    for picture, outcome in zip(pictures, answer.outcomes, strict=True):
        if not as_json and outcome.enrolled is not None:
            console().print(f"{escape(picture)}: [green]noted[/], not '{escape(subject_id)}'")
        elif not as_json:
            console().print(f"{escape(picture)}: [red]refused[/]: {escape(outcome.detail)}")
    return 0 if all(outcome.enrolled is not None for outcome in answer.outcomes) else 1


@gallery.command("remove-face")
@_gallery_id
@click.argument("face_id")
@talks_to_server
def remove_face(gallery_id: str, face_id: str, target: str, timeout_s: float, as_json: bool) -> None:
    """Erase one enrolled face."""
    with connect(target, timeout_s) as client:
        client.delete_face(gallery_id, face_id)
    if as_json:
        write_json({"deleted_face": face_id})
    else:
        console().print(f"face {face_id} erased")


@gallery.command("export")
@_gallery_id
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@talks_to_server
def export_gallery(gallery_id: str, file: Path, target: str, timeout_s: float, as_json: bool) -> None:
    """Write a gallery to FILE. It holds biometric templates: keep it as you would keep passwords."""
    with connect(target, timeout_s) as client:
        try:
            size = client.export_gallery(gallery_id, file)
        except OSError as error:
            raise ImageError(f"{file}: {error.strerror or error}") from error
    if as_json:
        write_json({"file": str(file), "bytes": size})
    else:
        console().print(f"gallery '{gallery_id}' written to {file}, {size:,} bytes")


@gallery.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "gallery_id", default="", help="Under this id instead of the one in the file.")
@talks_to_server
def import_gallery(file: Path, gallery_id: str, target: str, timeout_s: float, as_json: bool) -> None:
    """Make a gallery from FILE, whole or not at all."""
    with connect(target, timeout_s) as client, naming(str(file)):
        made = client.import_gallery(file, gallery_id=gallery_id)
    if as_json:
        write_json(made)
    else:
        console().print(f"gallery '{made.gallery_id}' made: {made.subject_count} subjects, {made.face_count} faces")

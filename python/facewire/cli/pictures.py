"""Verbs on pictures: detect, embed, verify, identify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click
import numpy as np
from rich.markup import escape
from rich.table import Table

from facewire import results
from facewire.cli.options import (
    connect,
    console,
    decision_text,
    liveness_option,
    liveness_text,
    plain,
    reference_of,
    synthetic_option,
    talks_to_server,
    write_json,
)
from facewire.errors import ImageError, InvalidArgumentError
from facewire.liveness import LivenessCheck

_EXIT_NO = 1
_EXIT_LOCAL = 5
_COLUMNS = 7  # of a table of identifications without liveness
T = TypeVar("T")
pictures_argument = click.argument("pictures", nargs=-1, required=True, type=click.Path())
min_face_option = click.option(
    "--min-face", "min_face_px", type=float, help="Leave out faces smaller than this, pixels."
)
_save = click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="Write the picture with boxes and names here (one picture).",
)


@click.command(
    epilog="""\b
Examples:
  facewire detect photo.jpg
  facewire detect *.jpg --json | jq .faces
  facewire detect group.jpg --save boxes.jpg"""
)
@pictures_argument
@min_face_option
@click.option("--min-score", type=click.FloatRange(0, 1), help="Detector score from which a face counts.")
@_save
@talks_to_server
def detect(
    pictures: tuple[str, ...],
    min_face_px: float | None,
    min_score: float | None,
    save: Path | None,
    target: str,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Find faces in PICTURES. Exit code 1 if there is none at all."""
    _one_picture_to_save(pictures, save)
    found = 0
    table = Table("picture", "face", "score", "box", "size px", "sharp", "light", "yaw", "pitch", "roll")
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:
        for picture, answer in asked.ask(lambda p: client.detect(p, min_face_px=min_face_px, min_score=min_score)):
            found += len(answer.faces)
            if as_json:
                write_json({"picture": picture, **plain(answer)})
            _add_faces(table, picture, answer)
            if save is not None:
                _annotate(picture, save, [(face, "", None) for face in answer.faces])
    if not as_json:
        console().print(table)
    return asked.exit_code(found > 0)


class Round:
    """One question about several pictures. One that cannot be read is told of and does not end the others."""

    def __init__(self, pictures: tuple[str, ...], as_json: bool) -> None:
        self._pictures = pictures
        self._as_json = as_json
        self._unread = 0

    def ask(self, question: Callable[[str], T]) -> Iterator[tuple[str, T]]:
        """Each readable picture with its answer."""
        for picture in self._pictures:
            try:
                answer = question(picture)
            except (ImageError, InvalidArgumentError) as error:
                if isinstance(error, InvalidArgumentError) and error.reason != "INVALID_IMAGE":
                    raise
                self._unread += 1
                click.secho(f"facewire: {picture}: {error}", fg="red", err=True)
                if self._as_json:
                    write_json({"picture": picture, "error": str(error)})
                continue
            yield picture, answer

    def exit_code(self, yes: bool) -> int:
        """5 if a picture could not be read, else 0 for yes and 1 for no."""
        return _EXIT_LOCAL if self._unread else 0 if yes else _EXIT_NO


def _add_faces(table: Table, picture: str, answer: results.Detections) -> None:
    if answer.no_face_reason is not None:
        table.add_row(escape(picture), "-", answer.no_face_reason.value.replace("_", " ").lower())
    for number, face in enumerate(answer.faces):
        box, quality = face.box, face.quality
        table.add_row(
            escape(picture),
            str(number),
            f"{face.detection_score:.3f}",
            f"{box.x:.0f},{box.y:.0f} {box.width:.0f}x{box.height:.0f}",
            f"{quality.size_px:.0f}",
            f"{quality.sharpness:.1f}",
            f"{quality.brightness:.0f}",
            f"{quality.yaw_deg:+.0f}",
            f"{quality.pitch_deg:+.0f}",
            f"{quality.roll_deg:+.0f}",
        )


@click.command(
    epilog="""\b
Examples:
  facewire embed photo.jpg --json
  facewire embed *.jpg --save embeddings.npz     arrays: embeddings, pictures, boxes, contract_id"""
)
@pictures_argument
@min_face_option
@click.option("--save", type=click.Path(path_type=Path), help="Write all embeddings to this .npz file.")
@synthetic_option
@talks_to_server
def embed(
    pictures: tuple[str, ...],
    min_face_px: float | None,
    save: Path | None,
    allow_synthetic: bool,
    target: str,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Embed the faces in PICTURES. Exit code 1 if there is none at all."""
    rows: list[tuple[str, results.EmbeddedFace]] = []
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:

        def question(picture: str) -> results.Embeddings:
            return client.embed(picture, min_face_px=min_face_px, allow_synthetic=allow_synthetic)

        for picture, answer in asked.ask(question):
            rows += [(picture, face) for face in answer.faces]
            if as_json:
                write_json({"picture": picture, **plain(answer)})
    if save is not None and rows:
        np.savez(
            save,
            embeddings=np.stack([entry.embedding.values for _, entry in rows]),
            pictures=np.array([picture for picture, _ in rows]),
            boxes=np.array([entry.face.box for _, entry in rows], dtype=np.float32),
            contract_id=np.array(rows[0][1].embedding.contract_id),
        )
    if not as_json:
        table = Table("picture", "box", "norm", "contract", "embedding")
        for picture, entry in rows:
            head = " ".join(f"{value:+.3f}" for value in entry.embedding.values[:4])
            box = entry.face.box
            table.add_row(
                escape(picture),
                f"{box.x:.0f},{box.y:.0f} {box.width:.0f}x{box.height:.0f}",
                f"{entry.face.quality.embedding_norm or 0:.1f}",
                entry.embedding.contract_id,
                f"{head} ... ({len(entry.embedding.values)})",
            )
        console().print(table)
    return asked.exit_code(bool(rows))


@click.command(
    epilog="""\b
Examples:
  facewire verify id-card.jpg selfie.jpg && echo same person
  facewire verify selfie.jpg door/ada                 against the enrolled subject 'ada' of gallery 'door'
  facewire verify a.jpg b.jpg --min-similarity 0.5"""
)
@click.argument("probe", type=click.Path())
@click.argument("reference", type=click.Path())
@click.option("--min-similarity", type=click.FloatRange(-1, 1), help="Cosine that makes a match.")
@liveness_option
@synthetic_option
@talks_to_server
def verify(
    probe: str,
    reference: str,
    min_similarity: float | None,
    liveness: LivenessCheck | None,
    allow_synthetic: bool,
    target: str,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Compare PROBE with REFERENCE: two pictures, or a picture and GALLERY/SUBJECT.

    A REFERENCE that is no file and has one slash names an enrolled subject. Exit code 0: same person, 1: not shown
    to be.
    """
    with connect(target, timeout_s) as client:
        other = reference_of(reference)
        with _naming_side({"probe": probe, "reference": str(reference)}):
            answer = client.verify(
                probe, other, min_similarity=min_similarity, liveness=liveness, allow_synthetic=allow_synthetic
            )
    if as_json:
        write_json(answer)
    else:
        _print_verification(answer)
    return 0 if answer.decision is results.Decision.MATCH else _EXIT_NO


@contextmanager
def _naming_side(pictures: dict[str, str]) -> Iterator[None]:
    """A picture that cannot be read is told by its name, not by its side of the comparison."""
    try:
        yield
    except InvalidArgumentError as error:
        side = error.field.partition(".")[0] if error.field else ""
        if error.reason != "INVALID_IMAGE" or side not in pictures:
            raise
        raise ImageError(f"{pictures[side]}: {error}") from error


def _print_verification(answer: results.Verification) -> None:
    out = console()
    for name, side in (("probe", answer.probe), ("reference", answer.reference)):
        if side.no_face_reason is not None:
            reason = side.no_face_reason.value.replace("_", " ").lower()
            out.print(f"[yellow]{name}: no face ({reason})[/]")
    if answer.probe.liveness is not None:
        out.print(f"probe: {liveness_text(answer.probe.liveness)}")
    if answer.similarity is None:
        return
    rate = "" if answer.estimated_fmr is None else f", estimated false-match rate {answer.estimated_fmr:.1e}"
    out.print(
        f"{decision_text(answer.decision)}  similarity {answer.similarity:.3f}, "
        f"threshold {answer.min_similarity:.3f}{rate}"
    )


@click.command(
    epilog="""\b
Examples:
  facewire identify visitor.jpg --gallery door
  facewire identify group.jpg -g door --save names.jpg
  facewire identify *.jpg -g door --json | jq -c '[.picture, .faces[].decision]'"""
)
@pictures_argument
@click.option("--gallery", "-g", "gallery_id", required=True, help="Whom to compare with.")
@click.option("--min-similarity", type=click.FloatRange(-1, 1), help="Cosine that makes a match.")
@click.option(
    "--candidates", default=3, show_default=True, type=click.IntRange(1, 100), help="Closest subjects in the JSON."
)
@min_face_option
@liveness_option
@synthetic_option
@_save
@talks_to_server
def identify(
    pictures: tuple[str, ...],
    gallery_id: str,
    min_similarity: float | None,
    candidates: int,
    min_face_px: float | None,
    liveness: LivenessCheck | None,
    allow_synthetic: bool,
    save: Path | None,
    target: str,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Say who is in PICTURES. Exit code 1 if nobody was recognised."""
    _one_picture_to_save(pictures, save)
    answers: list[tuple[str, results.Identifications]] = []
    matched = 0
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:

        def question(picture: str) -> results.Identifications:
            return client.identify(
                gallery_id,
                picture,
                min_similarity=min_similarity,
                max_candidates=candidates,
                min_face_px=min_face_px,
                liveness=liveness,
                allow_synthetic=allow_synthetic,
            )

        for picture, answer in asked.ask(question):
            matched += sum(face.match is not None for face in answer.faces)
            if as_json:
                write_json({"picture": picture, **plain(answer)})
            answers.append((picture, answer))
            if save is not None:
                _annotate(picture, save, labelled_faces(answer))
    if not as_json:
        table = identification_table(living=any(face.liveness for _, answer in answers for face in answer.faces))
        for picture, answer in answers:
            add_identifications(table, picture, answer)
        console().print(table)
    return asked.exit_code(matched > 0)


def identification_table(*, living: bool = False) -> Table:
    """An empty table for :func:`add_identifications`, with a column for liveness or not."""
    table = Table("picture", "decision", "name")
    for heading in ("similarity", "threshold", "est. FMR", "ms"):
        table.add_column(heading, justify="right")
    if living:
        table.add_column("liveness")
    return table


def add_identifications(table: Table, picture: str, answer: results.Identifications) -> None:
    """A row for each face of a picture, or the reason that there is none."""
    total = f"{answer.times.total_ms:.1f}"
    if answer.no_face_reason is not None:
        reason = answer.no_face_reason.value.replace("_", " ").lower()
        table.add_row(escape(picture), "-", f"no face: {reason}", "", "", "", total)
    for face in answer.faces:
        best = face.match or (face.candidates[0] if face.candidates else None)
        rate = best.estimated_fmr if best is not None else None
        table.add_row(
            escape(picture),
            decision_text(face.decision),
            escape(face.match.display_name) if face.match is not None else "",
            "" if best is None else f"{best.similarity:.3f}",
            f"{answer.min_similarity:.3f}",
            "" if rate is None else f"{rate:.0e}",
            total,
            *([liveness_text(face.liveness)] if len(table.columns) > _COLUMNS else []),
        )


Labelled = tuple[results.Face, str, results.Decision | None]


def labelled_faces(answer: results.Identifications) -> list[Labelled]:
    """Faces with what to write at them."""
    labelled: list[Labelled] = []
    for entry in answer.faces:
        if entry.face is None:
            continue
        text = entry.decision.value
        if entry.match is not None:
            text = f"{entry.match.display_name} {entry.match.similarity:.2f}"
        labelled.append((entry.face, text, entry.decision))
    return labelled


def _annotate(picture: str, target: Path, faces: list[Labelled]) -> None:
    from facewire.annotate import annotate  # noqa: PLC0415 - needs Pillow, which the client alone does not

    try:
        annotate(Path(picture).read_bytes(), faces).save(target)
    except ValueError as error:
        raise ImageError(f"{target}: {error}") from error


def _one_picture_to_save(pictures: tuple[str, ...], save: Path | None) -> None:
    if save is not None and len(pictures) != 1:
        raise click.UsageError("--save takes exactly one picture")

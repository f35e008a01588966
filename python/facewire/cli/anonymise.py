"""``facewire anonymise``: pictures whose faces are nobody's."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from facewire.cli.made import side_by_side, write_picture
from facewire.cli.options import connect, console, plain, talks_to_server, write_json
from facewire.cli.pictures import Round, pictures_argument
from facewire.client import Client
from facewire.errors import ImageError
from facewire.generation import AnonymisedImage


@click.command(
    epilog="""\b
Examples:
  facewire anonymise party.jpg --into safe/            writes safe/party.png
  facewire anonymise *.jpg --into safe/ -k 20 --min-score 0.3
  facewire anonymise *.jpg --into safe/ --sheets check/     also each beside its original, to look at
\b
Faces that are not found stay, and so do hair, clothes and places: look at each picture before it leaves the house.
Pictures in which no face is found are not written. Off until the server's operator names a model:
generation.encoder."""
)
@pictures_argument
@click.option(
    "--into", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the pictures go."
)
@click.option("-k", default=10, show_default=True, type=click.IntRange(2), help="Faces become a mean of so many.")
@click.option(
    "--min-face",
    "min_face_px",
    type=float,
    help="Leave faces smaller than this as they are, pixels: they can still be recognised!",
)
@click.option("--min-score", type=click.FloatRange(0, 1), help="Lower finds more faces, and other things.")
@click.option("--visible-mark", is_flag=True, help="Write AI into the pictures.")
@click.option("--sheets", type=click.Path(file_okay=False, path_type=Path), help="Where each goes beside its original.")
@talks_to_server
def anonymise(
    pictures: tuple[str, ...], folder: Path, k: int, min_face_px: float | None, min_score: float | None,
    visible_mark: bool, sheets: Path | None, target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Replace each face in PICTURES by a mean of k faces of nobody. Exit code 1 if there is none in one of them."""
    if sheets is not None and sheets.resolve() == folder.resolve():
        raise click.UsageError("--sheets shows the original faces: give them another folder than --into")

    def work(client: Client, picture: str) -> tuple[AnonymisedImage, int]:
        answer = client.anonymise(picture, k=k, min_score=min_score, min_face_px=min_face_px, visible_mark=visible_mark)
        if answer.replaced + answer.pixelated:
            _write(picture, answer, folder, sheets)
        return answer, _left(client, picture, answer, min_score) if min_face_px is not None else 0

    missed = False
    columns = ("left as they are",) if min_face_px is not None else ()
    table = Table("picture", "replaced", "pixelated", *columns, "written")
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:
        for picture, (answer, left) in asked.ask(lambda each: work(client, each)):
            found = answer.replaced + answer.pixelated > 0
            missed = missed or not found
            file = str(folder / f"{Path(picture).stem}.png") if found else ""
            if left:
                told = f"{left} smaller than --min-face left as they are: they can still be recognised"
                click.secho(f"facewire: {picture}: {told}", fg="yellow", err=True)
            if not found:
                click.secho(f"facewire: {picture}: no face to replace, nothing is written", fg="yellow", err=True)
            if as_json:
                faces = [plain(face) for face in answer.faces]
                counts = {"replaced": answer.replaced, "pixelated": answer.pixelated, "left": left}
                write_json(
                    {"picture": picture, "faces": faces, "model": answer.model, **counts, "k": answer.k, "file": file}
                )
            numbers = [answer.replaced, answer.pixelated, *([left] if columns else [])]
            table.add_row(escape(picture), *map(str, numbers), escape(file) or "-")
    if not as_json:
        console().print(table)
    return asked.exit_code(not missed)


def _left(client: Client, picture: str, answer: AnonymisedImage, min_score: float | None) -> int:
    """How many faces are found that were too small to be replaced."""
    found = len(client.detect(picture, min_score=min_score).faces)
    return max(0, found - answer.replaced - answer.pixelated)


def _write(picture: str, answer: AnonymisedImage, folder: Path, sheets: Path | None) -> None:
    file = folder / f"{Path(picture).stem}.png"
    if Path(picture).resolve() == file.resolve():
        raise ImageError(f"{file} is the picture itself: choose another folder")
    write_picture(file, answer.image.encoded)
    if sheets is not None:
        write_picture(
            sheets / f"{file.stem}-sheet.png", side_by_side(Path(picture), answer.image.encoded, answer.model)
        )

"""``facewire anonymise``: pictures whose faces are nobody's."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from facewire.cli.made import side_by_side, write_picture
from facewire.cli.options import connect, console, plain, talks_to_server, write_json
from facewire.cli.pictures import Round, min_face_option, pictures_argument
from facewire.errors import ImageError


@click.command(
    epilog="""\b
Examples:
  facewire anonymise party.jpg --into safe/            NAME.png, and NAME-sheet.png beside the original
  facewire anonymise *.jpg --into safe/ -k 20 --min-score 0.3
\b
Faces that are not found stay, and so do hair, clothes and places: look at each picture before it leaves the house.
Off until the server's operator names a model: generation.encoder."""
)
@pictures_argument
@click.option(
    "--into", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the pictures go."
)
@click.option("-k", default=10, show_default=True, type=click.IntRange(2), help="Faces become a mean of so many.")
@min_face_option
@click.option("--min-score", type=click.FloatRange(0, 1), help="Lower finds more faces, and other things.")
@click.option("--visible-mark", is_flag=True, help="Write AI into the pictures.")
@click.option("--sheet/--no-sheet", default=True, help="Also write the original beside the new picture.")
@talks_to_server
def anonymise(
    pictures: tuple[str, ...], folder: Path, k: int, min_face_px: float | None, min_score: float | None,
    visible_mark: bool, sheet: bool, target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Replace each face in PICTURES by a mean of k faces of nobody. Exit code 1 if none is found at all."""
    found = 0
    table = Table("picture", "faces", "replaced", "pixelated", "written")
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:
        for picture, answer in asked.ask(
            lambda each: client.anonymise(
                each, k=k, min_score=min_score, min_face_px=min_face_px, visible_mark=visible_mark
            )
        ):
            count = len(answer.faces)
            found += count
            file = folder / f"{Path(picture).stem}.png"
            if Path(picture).resolve() == file.resolve():
                raise ImageError(f"{file} is the picture itself: choose another folder")
            write_picture(file, answer.image.encoded)
            if sheet:
                both = side_by_side(Path(picture).read_bytes(), answer.image.encoded, answer.model)
                write_picture(folder / f"{file.stem}-sheet.png", both)
            if as_json:
                faces = [plain(face) for face in answer.faces]
                told = {"replaced": answer.replaced, "k": answer.k, "model": answer.model, "file": str(file)}
                write_json({"picture": picture, "faces": faces, **told})
            cells = (str(count), str(answer.replaced), str(count - answer.replaced), escape(str(file)))
            table.add_row(escape(picture), *cells)
    if not as_json:
        console().print(table)
    return asked.exit_code(found > 0)

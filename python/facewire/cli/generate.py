"""``facewire generate``: faces of nobody."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from facewire.cli.made import write_picture, write_sheet
from facewire.cli.options import connect, console, talks_to_server, write_json
from facewire.generation import GeneratedFaces


@click.command(
    epilog="""\b
Examples:
  facewire generate faces/ --count 16              16 faces and a contact sheet
  facewire generate faces/ --count 16 --seed 7     the same 16 again
\b
Off until the server's operator names a model: generation.model = "dcgan-faces-64". The files say that a model made
them; enrolment and matching refuse them without --allow-synthetic."""
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=1, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="The same seed makes the same faces.")
@click.option(
    "--spread", default=1.0, show_default=True, type=click.FloatRange(0, 2, min_open=True),
    help="Less than 1: more alike, fewer failures.",
)  # fmt: skip
@click.option("--visible-mark", is_flag=True, help="Write AI into the pictures.")
@talks_to_server
def generate(
    folder: Path, count: int, seed: int | None, spread: float, visible_mark: bool, target: str, timeout_s: float,
    as_json: bool,
) -> None:  # fmt: skip
    """Make faces of nobody into FOLDER: SEED-NUMBER.png, and all of them in SEED-sheet.png."""
    with connect(target, timeout_s) as client:
        made = client.generate(count, seed=seed, spread=spread, visible_mark=visible_mark)
    files = _write(folder, made)
    if as_json:
        write_json({"seed": made.seed, "model": made.model, "files": [str(file) for file in files]})
    else:
        faces = "1 face" if count == 1 else f"{count} faces"
        console().print(f"{faces} by {made.model}, seed {made.seed}: {escape(str(files[-1]))}", soft_wrap=True)


def _write(folder: Path, made: GeneratedFaces) -> list[Path]:
    """The pictures, then the sheet, which needs Pillow."""
    files = [folder / f"{made.seed}-{number:03d}.png" for number in range(len(made.images))]
    pictures = [image.encoded for image in made.images]
    for file, data in zip(files, pictures, strict=True):
        write_picture(file, data)
    files.append(folder / f"{made.seed}-sheet.png")
    write_sheet(files[-1], pictures, made.model)
    return files

"""``facewire restore``: faces made readable."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from facewire.cli.made import write_picture, write_sheet
from facewire.cli.options import connect, console, talks_to_server, write_json
from facewire.cli.pictures import Round, min_face_option
from facewire.generation import RestoredFaces


@click.command(
    epilog="""\b
Examples:
  facewire restore far.jpg --into restored/                     every face in it, and a sheet: before, after
  facewire restore --shot door-camera 17 --into restored/       the best shot of a track
\b
Details are invented: it is for people's eyes. The files say that a model made them; enrolment and matching refuse
them. Off until the server's operator names a model: generation.restorer."""
)
@click.argument("pictures", nargs=-1)
@click.option("--shot", nargs=2, metavar="STREAM TRACK", help="A track's best shot instead of PICTURES.")
@click.option(
    "--into", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the faces go."
)
@min_face_option
@click.option("--visible-mark", is_flag=True, help="Write AI into the pictures.")
@talks_to_server
def restore(
    pictures: tuple[str, ...], shot: tuple[str, str] | None, folder: Path, min_face_px: float | None,
    visible_mark: bool, target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Make the faces in PICTURES readable: NAME-NUMBER.png, and NAME-sheet.png with each before and after."""
    if bool(pictures) == (shot is not None):
        raise click.UsageError("give either PICTURES or --shot STREAM TRACK")
    found = 0
    with connect(target, timeout_s) as client:
        if shot is not None:
            stream, track = shot
            if not track.isdecimal():
                raise click.UsageError(f"--shot takes a stream's id and a track's number, not '{track}'")
            best = client.best_shot(stream, int(track))
            pictures = (_kept_shot(folder, f"{stream}-{track}", best.context_jpeg or best.aligned_jpeg),)

        def work(picture: str) -> tuple[RestoredFaces, list[Path]]:
            answer = client.restore(picture, min_face_px=min_face_px, visible_mark=visible_mark)
            return answer, _write(folder, Path(picture).stem, answer)

        asked = Round(pictures, as_json)
        for picture, (answer, files) in asked.ask(work):
            found += len(answer.faces)
            _tell(picture, len(answer.faces), answer.model, files, as_json)
    return asked.exit_code(found > 0)


def _write(folder: Path, stem: str, answer: RestoredFaces) -> list[Path]:
    """The faces, then the sheet."""
    files = [folder / f"{stem}-{number}.png" for number in range(len(answer.faces))]
    for file, face in zip(files, answer.faces, strict=True):
        write_picture(file, face.image.encoded)
    if files:
        rows = [data for face in answer.faces for data in (face.before, face.image.encoded)]
        files.append(folder / f"{stem}-sheet.png")
        write_sheet(files[-1], rows, answer.model, columns=2)
    return files


def _kept_shot(folder: Path, name: str, encoded: bytes) -> str:
    """The shot as a file, as the camera saw it."""
    file = folder / f"{name}.jpg"
    write_picture(file, encoded)
    return str(file)


def _tell(picture: str, faces: int, model: str, files: list[Path], as_json: bool) -> None:
    if as_json:
        write_json({"picture": picture, "faces": faces, "model": model, "files": [str(file) for file in files]})
    elif files:
        told = "1 face" if faces == 1 else f"{faces} faces"
        console().print(f"{escape(picture)}: {told} by {model}: {escape(str(files[-1]))}", soft_wrap=True)
    else:
        console().print(f"{escape(picture)}: no face", soft_wrap=True)

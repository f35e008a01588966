"""``facewire reconstruct``, ``encode`` and ``interpolate``: faces as few numbers."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from facewire._private_file import private_file
from facewire.cli.made import write_picture, write_sheet
from facewire.cli.options import connect, console, plain, talks_to_server, write_json
from facewire.cli.pictures import Round, min_face_option, pictures_argument
from facewire.errors import ImageError
from facewire.generation import Latent, ReconstructedFaces

_OFF = "Off until the server's operator names a model: generation.encoder."
_folder = click.option(
    "--into", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the faces go."
)
_mark = click.option("--visible-mark", is_flag=True, help="Write AI into the pictures.")


@click.command(
    epilog=f"""\b
Examples:
  facewire reconstruct photo.jpg --into made/      each face before and after, and how face-like it is
\b
{_OFF}"""
)
@pictures_argument
@_folder
@min_face_option
@_mark
@talks_to_server
def reconstruct(
    pictures: tuple[str, ...], folder: Path, min_face_px: float | None, visible_mark: bool, target: str,
    timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Reconstruct the faces in PICTURES from their latents: NAME-sheet.png."""
    found = 0
    table = Table("picture", "face", "PSNR dB", "KL nats", "face-likeness", "sheet")
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:

        def work(picture: str) -> tuple[ReconstructedFaces, Path]:
            answer = client.reconstruct(picture, min_face_px=min_face_px, visible_mark=visible_mark)
            sheet = folder / f"{Path(picture).stem}-sheet.png"
            if answer.faces:
                both = [data for face in answer.faces for data in (face.before, face.image.encoded)]
                write_sheet(sheet, both, answer.model, columns=2)
            return answer, sheet

        for picture, (answer, sheet) in asked.ask(work):
            found += len(answer.faces)
            if not answer.faces:
                table.add_row(escape(picture), "-", "", "", "", "")
            for number, face in enumerate(answer.faces):
                numbers = {"psnr_db": face.psnr_db, "kl_nats": face.kl_nats, "face_likeness": face.face_likeness}
                if as_json:
                    write_json({"picture": picture, "face": plain(face.face), **numbers, "sheet": str(sheet)})
                likeness = f"{face.face_likeness:.3f}"
                told = (f"{face.psnr_db:.1f}", f"{face.kl_nats:.0f}", likeness, escape(str(sheet)))
                table.add_row(escape(picture), str(number), *told)
    if not as_json:
        console().print(table)
    return asked.exit_code(found > 0)


@click.command(
    epilog=f"""\b
Examples:
  facewire encode photo.jpg --save ada.json        the largest face's latent, for facewire interpolate
\b
Latents are biometric data of these people. {_OFF}"""
)
@pictures_argument
@min_face_option
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="The largest face's latent, as JSON.")
@talks_to_server
def encode(
    pictures: tuple[str, ...], min_face_px: float | None, save: Path | None, target: str, timeout_s: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Encode each face in PICTURES as a latent vector. Exit code 1 if there is none at all."""
    if save is not None and len(pictures) != 1:
        raise click.UsageError("--save takes one picture")
    if save is not None and save.suffix.lower() != ".json":
        raise click.UsageError(f"--save takes the name of a .json file, not '{save}'")
    found = 0
    table = Table("picture", "face", "numbers", "KL nats", "model")
    asked = Round(pictures, as_json)
    with connect(target, timeout_s) as client:
        for picture, answer in asked.ask(lambda each: client.encode(each, min_face_px=min_face_px)):
            found += len(answer.faces)
            if as_json:
                write_json({"picture": picture, **plain(answer)})
            for number, face in enumerate(answer.faces):
                cells = (str(len(face.latent.mean)), f"{face.kl_nats:.0f}", face.latent.model)
                table.add_row(escape(picture), str(number), *cells)
            if save is not None and answer.faces:
                largest = max(answer.faces, key=lambda each: each.face.box.width * each.face.box.height)
                _save(save, largest.latent)
    if not as_json:
        console().print(table)
    return asked.exit_code(found > 0)


@click.command(
    epilog=f"""\b
Examples:
  facewire interpolate ada.jpg bob.jpg --into way/       eight faces from one to the other
  facewire interpolate ada.json bob.json --into way/     the same of what facewire encode --save wrote
\b
{_OFF}"""
)
@click.argument("first")
@click.argument("last")
@_folder
@click.option("--count", default=8, show_default=True, type=click.IntRange(2), help="Both ends among them.")
@_mark
@talks_to_server
def interpolate(
    first: str, last: str, folder: Path, count: int, visible_mark: bool, target: str, timeout_s: float, as_json: bool
) -> None:
    """Make faces on the way from the largest face of FIRST to that of LAST: NUMBER.png, and all in sheet.png."""
    with connect(target, timeout_s) as client:
        made = client.interpolate(_end(first), _end(last), count=count, visible_mark=visible_mark)
    files = [folder / f"{number:03d}.png" for number in range(len(made.images))]
    for file, image in zip(files, made.images, strict=True):
        write_picture(file, image.encoded)
    files.append(folder / "sheet.png")
    write_sheet(files[-1], [image.encoded for image in made.images], made.model, columns=len(made.images))
    if as_json:
        write_json({"model": made.model, "files": [str(file) for file in files]})
    else:
        console().print(f"{len(made.images)} faces by {made.model}: {escape(str(files[-1]))}", soft_wrap=True)


def _save(file: Path, latent: Latent) -> None:
    told = {"model": latent.model, "mean": latent.mean, "log_variance": latent.log_variance}
    try:
        with private_file(file) as out:
            out.write(json.dumps(told).encode() + b"\n")
    except OSError as error:
        raise ImageError(f"{file}: {error.strerror or error}") from error


def _end(name: str) -> str | Latent:
    if not name.lower().endswith(".json"):
        return name
    try:
        told = json.loads(Path(name).read_text(encoding="utf-8"))
        numbers = [tuple(float(value) for value in told[key]) for key in ("mean", "log_variance")]
        return Latent(numbers[0], numbers[1], str(told["model"]))
    except OSError as error:
        raise ImageError(f"{name}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ImageError(f"{name} is no latent that facewire encode --save wrote") from error

"""``facewire demo``: the main job, shown on real photographs with a server of its own."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image
from rich.console import Console

import facewire
from facewire.annotate import annotate
from facewire.cli.pictures import add_identifications, identification_table, labelled_faces
from facewire_server.cli.demo_clip import show_clip
from facewire_server.cli.models import byte_progress, ensure_models
from facewire_server.cli.own_server import running_server, server_arguments
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.inference.download import FetchError
from facewire_server.inference.samples import fetch_samples

_GALLERY = "demo"
_SHEET_ROW_PX = 420
_PEOPLE = {"person-a": ("Person A", "person_a_1.jpg"), "person-b": ("Person B", "person_b_1.jpg")}
_PROBES = {
    "person_a_2.jpg": "Person A",
    "person_b_2.jpg": "Person B",
    "impostor_1.jpg": None,
    "impostor_2.jpg": None,
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A probe, its answer, and what the answer should have been."""

    picture: Path
    answer: facewire.Identifications
    expected: str | None

    @property
    def right(self) -> bool:
        names = [face.match.display_name if face.match else None for face in self.answer.faces]
        return names == [self.expected]


@click.command(epilog="Example:\n\n  facewire demo --output demo-output")
@settings_options
@click.option(
    "--output",
    default=Path("demo-output"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the annotated picture and video.",
)
def demo(config_file: Path | None, settings: tuple[str, ...], output: Path) -> int:
    """Enrol and identify sample photographs on a server of its own, and stream a clip made of them.

    Fetches the models and six photographs of public figures if they are not here. Exit code 1 if an answer is wrong.
    """
    config = effective_config(config_file, settings)
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    try:
        ensure_models(config)
        with byte_progress("sample photographs") as on_bytes:
            samples = fetch_samples(config.models.cache_dir, config.index_url, on_bytes)
    except FetchError as error:
        raise click.ClickException(str(error)) from error
    with (
        tempfile.TemporaryDirectory(prefix="facewire-demo-") as folder,
        running_server(server_arguments(config_file, settings), Path(folder)) as (target, seconds),
        facewire.Client(target) as client,
    ):
        out.print(f"server at {target}, serving after {seconds:.1f} s")
        shown = _enrol_and_identify(client, samples, out)
        out.print("a clip of the same people and a stranger, streamed:")
        problems = show_clip(client, _GALLERY, samples, output, out)
    out.print("server stopped")
    picture = _write_sheet(shown, output)
    out.print(f"annotated picture: {picture}")
    problems += [f"wrong answer for {s.picture.name}" for s in shown if not s.right]
    if problems:
        out.print(f"[red]{'; '.join(problems)}[/]")
        return 1
    out.print("[green]all right: the people were recognised, the strangers stayed UNKNOWN[/]")
    return 0


def _enrol_and_identify(client: facewire.Client, samples: Path, out: Console) -> list[_Shown]:
    client.create_gallery(_GALLERY)
    for subject_id, (name, picture) in _PEOPLE.items():
        enrolment = client.enrol(_GALLERY, subject_id, [samples / picture], display_name=name)
        outcome = enrolment.outcomes[0]
        result = "enrolled" if outcome.enrolled else f"refused: {outcome.detail}"
        out.print(f"{name} from {picture}: {result}")
    shown = []
    table = identification_table()
    for picture, expected in _PROBES.items():
        client.identify(_GALLERY, samples / picture)  # the second time is what a running server takes
        answer = client.identify(_GALLERY, samples / picture)
        add_identifications(table, picture, answer)
        shown.append(_Shown(samples / picture, answer, expected))
    out.print(table)
    return shown


def _write_sheet(shown: list[_Shown], output: Path) -> Path:
    """All probes side by side, with boxes, landmarks and names."""
    pictures = []
    for entry in shown:
        drawn = annotate(entry.picture.read_bytes(), labelled_faces(entry.answer))
        width = round(drawn.width * _SHEET_ROW_PX / drawn.height)
        pictures.append(drawn.resize((width, _SHEET_ROW_PX), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (sum(p.width for p in pictures), _SHEET_ROW_PX))
    x = 0
    for picture in pictures:
        sheet.paste(picture, (x, 0))
        x += picture.width
    output.mkdir(parents=True, exist_ok=True)
    path = output / "demo.jpg"
    sheet.save(path, quality=92)
    shutil.copyfile(shown[0].picture.parent / "CREDITS.md", output / "CREDITS.md")
    return path

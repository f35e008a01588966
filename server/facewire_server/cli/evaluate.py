"""``facewire eval``: measures through a real server."""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import facewire
from facewire.cli.options import plain
from facewire.errors import ImageError
from facewire_server.cli.models import ensure_models
from facewire_server.cli.own_server import running_server, server_arguments
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.evaluation.clips import ClipResult, ClipsError, ClipsEvaluation, ClipsResult, read_persons
from facewire_server.evaluation.degrade import Degradation
from facewire_server.inference.download import FetchError


@click.group(name="eval")
def evaluate() -> None:
    """Measure recognition on your own data."""


@evaluate.command(
    epilog="""\b
Examples:
  facewire eval clips --clips clips/ --persons clips/persons.csv --json result.json
  facewire eval clips --clips clips/ --persons clips/persons.csv --leave-out
  facewire eval clips --clips clips/ --persons clips/persons.csv --fps 10 --drop 0.3 --quality 40"""
)
@click.option("--clips", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--persons", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV with the columns clip and person.")  # fmt: skip
@click.option("--fps", type=click.FloatRange(0.5, 240), help="Frames a second; default: as recorded.")
@click.option("--drop", default=0.0, type=click.FloatRange(0, 0.99), help="Share of frames left out at random.")
@click.option("--scale", default=1.0, type=click.FloatRange(0.05, 4), help="Of width and height.")
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG; default: raw pixels.")
@click.option("--leave-out", is_flag=True, help="Leave each person out of the gallery in turn, and stream their clips.")
@click.option("--seed", default=0, show_default=True, help="Of the dropping.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result here.")
@click.option("--server", "target", help="host:port of a running server; default: one of its own.")
@settings_options
def clips(
    folder: Path, persons: Path, fps: float | None, drop: float, scale: float, quality: int | None, leave_out: bool,
    seed: int, json_file: Path | None, target: str | None, config_file: Path | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Stream clips of known people.

    Enrols each person from that person's first clip in alphabetical order and streams all the others, as fast as the
    server goes; times are those of the clips.
    """
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    degradation = Degradation(fps, drop, scale, quality, seed)
    try:
        labels = read_persons(folder, persons)
        with _gallery(target, config_file, settings) as (client, gallery_id), _progress() as progress:
            task = progress.add_task("clips", total=None)
            evaluation = ClipsEvaluation(
                client, gallery_id, folder, labels, degradation, lambda result: progress.advance(task)
            )
            progress.update(task, total=evaluation.count(leave_out=leave_out))
            result = evaluation.run_leaving_out() if leave_out else evaluation.run()
    except ClipsError as error:
        raise ImageError(str(error)) from error
    except FetchError as error:
        raise click.ClickException(str(error)) from error
    _show(result, out)
    if json_file is not None:
        json_file.write_text(json.dumps(plain(result), indent=2) + "\n", encoding="utf-8")
    return 0


@contextmanager
def _gallery(
    target: str | None, config_file: Path | None, settings: tuple[str, ...]
) -> Iterator[tuple[facewire.Client, str]]:
    """A gallery to be used up: on the server given, or on one of its own."""
    gallery_id = f"eval-{uuid.uuid4().hex[:8]}"
    if target is not None:
        with facewire.Client(target) as client:
            client.create_gallery(gallery_id)
            try:
                yield client, gallery_id
            finally:
                with suppress(facewire.FacewireError):
                    client.delete_gallery(gallery_id)
        return
    ensure_models(effective_config(config_file, settings))
    with (
        tempfile.TemporaryDirectory(prefix="facewire-eval-") as folder,
        running_server(server_arguments(config_file, settings), Path(folder)) as (address, _),
        facewire.Client(address) as client,
    ):
        client.create_gallery(gallery_id)
        yield client, gallery_id


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _show(result: ClipsResult, out: Console) -> None:
    table = Table("clip", "person", "answer", "right", "wrong frames", "switches", "to name, s", "embedded", "faces",
                  box=None, header_style="bold")  # fmt: skip
    for clip in result.details:
        table.add_row(*_row(clip))
    out.print(table)
    ratio = result.face_frames / max(result.embedder_calls, 1)
    waited = result.median_seconds_to_name
    out.print(
        f"{result.right} of {result.clips} clips right, {result.wrong_known_frames} frames with a wrong name, "
        f"{result.id_switches} id switches, name after {'-' if waited is None else f'{waited:.2f} s'} (median), "
        f"one embedding for {ratio:.1f} faces found"
    )


def _row(clip: ClipResult) -> tuple[str, ...]:
    style = "green" if clip.right else "red"
    return (
        clip.clip,
        clip.person if clip.enrolled else f"{clip.person} (left out)",
        clip.named or clip.final_state,
        f"[{style}]{'yes' if clip.right else 'no'}[/]",
        str(clip.wrong_known_frames),
        str(clip.id_switches),
        "" if clip.seconds_to_name is None else f"{clip.seconds_to_name:.2f}",
        str(clip.embedder_calls),
        str(clip.face_frames),
    )

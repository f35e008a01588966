"""``facewire eval clips``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.table import Table

import facewire
from facewire.cli.options import plain
from facewire_server.cli.evaluation.shared import (
    Options,
    command_line,
    evaluation_options,
    existing_folder,
    facts,
    output,
    progress,
    server,
    write,
)
from facewire_server.evaluation.clips import ClipResult, ClipsEvaluation, ClipsResult, read_persons
from facewire_server.evaluation.degrade import Degradation
from facewire_server.evaluation.report import Report


@click.command(
    epilog="""\b
Examples:
  facewire eval clips --clips clips/ --persons clips/persons.csv --json result.json
  facewire eval clips --clips clips/ --persons clips/persons.csv --leave-out
  facewire eval clips --clips clips/ --persons clips/persons.csv --fps 10 --drop 0.3 --quality 40"""
)
@existing_folder("--clips", "Video files.")
@click.option("--persons", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV with the columns clip and person.")  # fmt: skip
@click.option("--fps", type=click.FloatRange(0.5, 240), help="Frames a second; default: as recorded.")
@click.option("--drop", default=0.0, type=click.FloatRange(0, 0.99), help="Share of frames left out at random.")
@click.option("--scale", default=1.0, type=click.FloatRange(0.05, 4), help="Of width and height.")
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG; default: raw pixels.")
@click.option("--leave-out", is_flag=True, help="Leave each person out of the gallery in turn, and stream their clips.")
@evaluation_options
def clips(
    options: Options, clips: Path, persons: Path, fps: float | None, drop: float, scale: float, quality: int | None,
    leave_out: bool,
) -> None:  # fmt: skip
    """Streams: are people in clips named, soon and rightly?

    Enrols each person from that person's first clip in alphabetical order and streams all the others, as fast as the
    server goes; times are those of the clips.
    """
    degradation = Degradation(fps, drop, scale, quality, options.seed, options.corruption)
    labels = read_persons(clips, persons)
    with server(options) as client, _gallery(client) as gallery_id, progress() as bar:
        task = bar.add_task("clips", total=None)
        evaluation = ClipsEvaluation(client, gallery_id, clips, labels, degradation, lambda _: bar.advance(task))
        bar.update(task, total=evaluation.count(leave_out=leave_out))
        result = evaluation.run_leaving_out() if leave_out else evaluation.run()
        measured = facts(client, options)
    _show(result)
    write(options, {**plain(result), "kind": "clips", **measured}, lambda: _report(result, measured))


@contextmanager
def _gallery(client: facewire.Client) -> Iterator[str]:
    """A gallery to be used up."""
    gallery_id = f"eval-{uuid.uuid4().hex[:8]}"
    client.create_gallery(gallery_id)
    try:
        yield gallery_id
    finally:
        with suppress(facewire.FacewireError):
            client.delete_gallery(gallery_id)


def _report(result: ClipsResult, measured: dict[str, object]) -> Report:
    return Report(
        title=f"Clips: {result.right} of {result.clips} right",
        command=command_line(),
        figures=[(clip.clip, clip.named or clip.final_state, f"{clip.person}, {'right' if clip.right else 'wrong'}")
                 for clip in result.details],
        facts={key: str(value) for key, value in measured.items()},
    )  # fmt: skip


def _show(result: ClipsResult) -> None:
    out = output()
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

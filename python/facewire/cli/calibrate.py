"""``facewire calibrate``: choose an error rate instead of a cosine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from facewire import results
from facewire.calibration import Calibration
from facewire.cli.options import connect, console, naming, talks_to_server, write_json
from facewire.client import Client

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_EXIT_NO = 1


@click.command(
    epilog="""\b
Examples:
  facewire calibrate door --fpir 0.01
  facewire calibrate door --fpir 0.003 --cohort pictures-of-strangers/
  facewire calibrate door --fmr 1e-5 --dry-run --json
  facewire calibrate door --reset"""
)
@click.argument("gallery_id")
@click.option(
    "--fpir", type=click.FloatRange(1e-6, 0.5), help="Share of strangers that may get a name. [default: 0.01]"
)
@click.option("--fmr", type=click.FloatRange(1e-6, 0.5), help="Instead: of comparisons of different people.")
@click.option("--cohort", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Folder with pictures of people who are not enrolled; the largest face of each counts.")  # fmt: skip
@click.option("--cohort-gallery", default="", help="A gallery of people who are not enrolled in this one.")
@click.option("--dry-run", is_flag=True, help="Measure only.")
@click.option("--reset", is_flag=True, help="Back to the embedder's own error rates.")
@talks_to_server
def calibrate(
    gallery_id: str, fpir: float | None, fmr: float | None, cohort: Path | None, cohort_gallery: str, dry_run: bool,
    reset: bool, target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Measure the error rates of GALLERY_ID on its own templates, and decide by them from now on.

    Each template is searched as if its subject were not enrolled. Exit code 1 where the data do not suffice to promise
    the rate: then the target is kept by the embedder's own error rates, on the safe side.
    """
    if fpir is not None and fmr is not None:
        raise click.UsageError("give either --fpir or --fmr")
    if reset and (fpir or fmr or cohort or cohort_gallery or dry_run):
        raise click.UsageError("--reset goes alone")
    with connect(target, timeout_s) as client:
        if reset:
            client.delete_calibration(gallery_id)
            if as_json:
                write_json({"gallery_id": gallery_id, "calibration": None})
            else:
                console().print(f"gallery '{gallery_id}' goes by the embedder's own error rates")
            return 0
        strangers = [] if cohort is None else list(_embed(client, cohort))
        made = client.calibrate(gallery_id, fpir=fpir, fmr=fmr, cohort=strangers, cohort_gallery_id=cohort_gallery,
                                dry_run=dry_run)  # fmt: skip
        in_force = client.get_gallery(gallery_id).min_similarity
    if as_json:
        write_json(made)
    else:
        _show(gallery_id, made, None if dry_run else in_force)
    return 0 if made.sufficient else _EXIT_NO


def _embed(client: Client, folder: Path) -> Iterator[results.Embedding]:
    """The largest face of each picture in the folder and below."""
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not pictures:
        raise click.UsageError(f"{folder} holds no pictures")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for path in progress.track(pictures, description="cohort"):
            with naming(str(path)):
                faces = client.embed(path).faces
            if faces:
                yield max(faces, key=lambda each: each.face.box.width * each.face.box.height).embedding


def _show(gallery_id: str, made: Calibration, in_force: float | None) -> None:
    table = Table("", "", "", box=None, show_header=False, padding=(0, 2, 0, 0))
    cohort = f", {made.cohort} strangers beside" if made.cohort else ""
    table.add_row("gallery", f"[bold]{gallery_id}[/]", f"{made.subjects} subjects, {made.templates} templates{cohort}")
    rate = made.rate
    table.add_row(
        f"target {made.target.upper()}", f"[bold]{rate.value:.3g}[/]", f"95 %: {rate.low:.2g} to {rate.high:.2g}"
    )
    table.add_row("threshold measured", f"[bold]{made.min_similarity:.3f}[/]", "")
    if in_force is not None:
        whose = "the gallery's own rates" if made.sufficient else "the embedder's rates: the gallery's do not suffice"
        table.add_row("threshold in force", f"[bold]{in_force:.3f}[/]", whose)
    if made.miss_rate is not None:
        low, high = made.miss_rate.low, made.miss_rate.high
        table.add_row("expected misses", f"[bold]{made.miss_rate.value:.2%}[/]", f"95 %: {low:.2%} to {high:.2%}")
    table.add_row("can be promised", "[green]yes[/]" if made.sufficient else "[red]no[/]", "")
    console().print(table)
    if made.shortage:
        console().print(made.shortage)

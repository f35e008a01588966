"""``facewire bench``: how fast a running server answers, on pictures of your own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from facewire.cli.bench_load import CallFigures, StreamFigures, call_for, stream_for
from facewire.cli.options import connect, console, plain, talks_to_server, write_json
from facewire.stream_options import StreamOptions

T = TypeVar("T")
_EXIT_NO = 1
_pictures = click.argument("pictures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
_gallery = click.option("--gallery", "-g", "gallery_id", default="", help="Whom to compare with; without: detection.")
_seconds = click.option(
    "--seconds", default=10.0, show_default=True, type=click.FloatRange(0.5, 600), help="How long to go on."
)


@click.group(
    epilog="""\b
Examples:
  facewire bench calls visitor.jpg --gallery door --callers 4
  facewire bench streams frame-*.jpg --gallery door --streams 8 --fps 25
  facewire bench calls visitor.jpg --json > calls.json
\b
The load comes from this process: on the server's own machine it takes processor time from it, and says how much."""
)
def bench() -> None:
    """Measure a running server under load that ends by itself."""


@bench.command("calls")
@_pictures
@_gallery
@click.option("--callers", default=2, show_default=True, type=click.IntRange(1, 64), help="Calls under way at a time.")
@_seconds
@talks_to_server
def calls(
    pictures: tuple[str, ...], gallery_id: str, callers: int, seconds: float, target: str, timeout_s: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Single calls with PICTURES, one after the other for each caller. Exit code 1 if no call succeeded."""
    data = _read(pictures)
    facts = _facts(target, timeout_s, gallery_id)
    figures = _measure(lambda progress: call_for(target, gallery_id, data, callers, seconds, progress))
    if as_json:
        write_json({"server": target, **facts, **plain(figures)})
    else:
        _show_calls(figures, "identify" if gallery_id else "detect", facts)
    return 0 if figures.calls else _EXIT_NO


@bench.command("streams")
@_pictures
@_gallery
@click.option("--streams", default=4, show_default=True, type=click.IntRange(1, 64), help="Cameras.")
@click.option("--fps", default=25.0, show_default=True, type=click.FloatRange(0.1, 240), help="Frames/s of each.")
@click.option("--detect-every", default=1, show_default=True, type=click.IntRange(1, 100), help="k of each stream.")
@_seconds
@talks_to_server
def streams(
    pictures: tuple[str, ...], gallery_id: str, streams: int, fps: float, detect_every: int, seconds: float,
    target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Cameras that send PICTURES over and over. Exit code 1 if no frame was answered."""
    data = _read(pictures)
    facts = _facts(target, timeout_s, gallery_id)
    options = StreamOptions(gallery_id, detect_every=detect_every)
    figures = _measure(lambda progress: stream_for(target, options, data, streams, fps, seconds, progress))
    if as_json:
        write_json({"server": target, **facts, **plain(figures)})
    else:
        _show_streams(figures, facts)
    return 0 if figures.answered else _EXIT_NO


def _read(pictures: Sequence[str]) -> list[bytes]:
    return [Path(picture).read_bytes() for picture in pictures]


def _facts(target: str, timeout_s: float, gallery_id: str) -> dict[str, Any]:
    """What runs there; fails early where there is no server or no such gallery."""
    with connect(target, timeout_s) as client:
        found = client.server_info()
        templates = client.get_gallery(gallery_id).face_count if gallery_id else None
    models = [f"{model.name} {model.precision} on {model.device}" for model in found.models]
    return {"version": found.version, "isa": found.isa, "models": models, "templates": templates}


def _measure(work: Callable[[Callable[[float], None]], Coroutine[Any, Any, T]]) -> T:
    """With a progress bar on a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("measuring", total=1.0)
        return asyncio.run(work(lambda share: bar.update(task, completed=share)))


def _show_calls(figures: CallFigures, verb: str, facts: dict[str, Any]) -> None:
    table = Table(verb, "calls", "calls/s", "faces", "p50 ms", "p95", "p99", "worst", "client CPU ms/call")
    table.add_row(
        f"{figures.callers} callers, {figures.seconds:.1f} s", str(figures.calls), f"{figures.calls_per_s:.1f}",
        str(figures.faces), f"{figures.p50_ms:.1f}", f"{figures.p95_ms:.1f}", f"{figures.p99_ms:.1f}",
        f"{figures.worst_ms:.1f}", f"{figures.client_cpu_ms_per_call:.2f}",
    )  # fmt: skip
    out = console()
    out.print(table)
    if figures.stages_ms:
        stages = ", ".join(f"{name.removesuffix('_ms')} {ms:.2f}" for name, ms in figures.stages_ms.items())
        out.print(f"in the server, median ms: {stages}")
    _show_rest(figures.errors, facts)


def _show_streams(figures: StreamFigures, facts: dict[str, Any]) -> None:
    table = Table("streams", "frames", "answered", "answered/s", "dropped", "detected", "k", "p50 ms", "p95", "worst",
                  "client CPU ms/frame")  # fmt: skip
    table.add_row(
        f"{figures.streams} x {figures.offered_fps / figures.streams:g} frames/s, {figures.seconds:.1f} s",
        str(figures.sent), str(figures.answered), f"{figures.answered_fps:.1f}",
        f"[red]{figures.dropped}[/]" if figures.dropped else "0", str(figures.detected), str(figures.detect_every),
        f"{figures.p50_ms:.1f}", f"{figures.p95_ms:.1f}", f"{figures.worst_ms:.1f}",
        f"{figures.client_cpu_ms_per_frame:.2f}",
    )  # fmt: skip
    console().print(table)
    _show_rest(figures.errors, facts)


def _show_rest(errors: dict[str, int], facts: dict[str, Any]) -> None:
    out = console()
    templates = "" if facts["templates"] is None else f", {facts['templates']} templates"
    out.print(f"facewire {facts['version']}, kernels {facts['isa']}, {', '.join(facts['models'])}{templates}")
    for reason, count in sorted(errors.items()):
        out.print(f"[red]{count} failed: {reason}[/]")

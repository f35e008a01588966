"""``facewire bench``: how fast a running server answers, on pictures of your own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from facewire.cli.bench_load import CallFigures, StreamFigures, call_for, stream_for
from facewire.cli.options import connect, console, naming, plain, talks_to_server, write_json
from facewire.stream_options import StreamOptions

T = TypeVar("T")
_EXIT_NO, _EXIT_UNREACHABLE = 1, 3
_ROOM = 130  # columns that the row of streams needs
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
The load comes from this process: on the server's own machine it takes processor time from it, and says how much.
Streams are named bench-...: what they see becomes events, as of any stream."""
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
    """Single calls with PICTURES, one after the other for each caller.

    Exit code 1 if no call succeeded, 3 if the server was lost.
    """
    facts, data = _prepare(target, timeout_s, gallery_id, pictures)
    figures = _measure(lambda progress: call_for(target, gallery_id, data, callers, seconds, progress))
    if as_json:
        write_json({"server": target, **facts, **plain(figures)})
    else:
        _show_calls(figures, "identify" if gallery_id else "detect", facts)
    return _exit_code(figures.calls, figures.server_lost)


@bench.command("streams")
@_pictures
@_gallery
@click.option("--streams", default=4, show_default=True, type=click.IntRange(1, 64), help="Cameras.")
@click.option("--fps", default=25.0, show_default=True, type=click.FloatRange(0.1, 240), help="Frames/s of each.")
@click.option(
    "--detect-every",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Look for faces in every so many frames.",
)
@_seconds
@talks_to_server
def streams(
    pictures: tuple[str, ...], gallery_id: str, streams: int, fps: float, detect_every: int, seconds: float,
    target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Cameras that send PICTURES over and over.

    Exit code 1 if no frame was answered, 3 if the server was lost.
    """
    facts, data = _prepare(target, timeout_s, gallery_id, pictures)
    options = StreamOptions(gallery_id, detect_every=detect_every)
    figures = _measure(lambda progress: stream_for(target, options, data, streams, fps, seconds, progress))
    if as_json:
        write_json({"server": target, **facts, **plain(figures)})
    else:
        _show_streams(figures, facts)
    return _exit_code(figures.answered, figures.server_lost)


def _exit_code(answered: int, server_lost: bool) -> int:
    return _EXIT_UNREACHABLE if server_lost else 0 if answered else _EXIT_NO


def _prepare(
    target: str, timeout_s: float, gallery_id: str, pictures: Sequence[str]
) -> tuple[dict[str, Any], list[bytes]]:
    """What runs there, and the pictures; fails early without a server, a gallery or a picture that it can read."""
    with connect(target, timeout_s) as client:
        found = client.server_info()
        templates = client.get_gallery(gallery_id).face_count if gallery_id else None
        data = [Path(picture).read_bytes() for picture in pictures]
        for picture, content in zip(pictures, data, strict=True):
            with naming(picture):
                client.detect(content)
    models = [f"{model.name} {model.precision} on {model.device}" for model in found.models]
    return {"version": found.version, "isa": found.isa, "models": models, "templates": templates}, data


def _measure(work: Callable[[Callable[[float], None]], Coroutine[Any, Any, T]]) -> T:
    """With a progress bar on a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("measuring", total=1.0)
        return asyncio.run(work(lambda share: bar.update(task, completed=share)))


def _show_calls(figures: CallFigures, verb: str, facts: dict[str, Any]) -> None:
    _show_row({
        verb: f"{figures.callers} callers, {figures.seconds:.1f} s",
        "calls": str(figures.calls),
        "calls/s": f"{figures.calls_per_s:.1f}",
        "faces": str(figures.faces),
        "p50 ms": f"{figures.p50_ms:.1f}",
        "p95": f"{figures.p95_ms:.1f}",
        "p99": f"{figures.p99_ms:.1f}",
        "worst": f"{figures.worst_ms:.1f}",
        "client CPU ms/call": f"{figures.client_cpu_ms_per_call:.2f}",
    })  # fmt: skip
    if figures.stages_ms:
        stages = ", ".join(f"{name.removesuffix('_ms')} {ms:.2f}" for name, ms in figures.stages_ms.items())
        console().print(f"in the server, median ms: {stages}")
    _show_rest(figures, facts)


def _show_streams(figures: StreamFigures, facts: dict[str, Any]) -> None:
    each = figures.offered_fps / figures.streams
    _show_row({
        "streams": f"{figures.streams} x {each:g} frames/s, {figures.seconds:.1f} s",
        "frames": str(figures.sent),
        "answered": str(figures.answered),
        "answered/s": f"{figures.answered_fps:.1f}",
        "dropped": _red_if_any(figures.dropped),
        "unanswered": _red_if_any(figures.unanswered),
        "detected": str(figures.detected),
        "k": str(figures.detect_every),
        "p50 ms": f"{figures.p50_ms:.1f}",
        "p95": f"{figures.p95_ms:.1f}",
        "worst": f"{figures.worst_ms:.1f}",
        "client CPU ms/frame": f"{figures.client_cpu_ms_per_frame:.2f}",
    })  # fmt: skip
    _show_rest(figures, facts)


def _red_if_any(count: int) -> str:
    return f"[red]{count}[/]" if count else "0"


def _show_row(row: dict[str, str]) -> None:
    """Side by side where there is room, else one below the other."""
    out = console()
    if out.width >= _ROOM:
        table = Table(*row)
        table.add_row(*row.values())
    else:
        table = Table(box=None, show_header=False)
        for name, value in row.items():
            table.add_row(name, value)
    out.print(table)


def _show_rest(figures: CallFigures | StreamFigures, facts: dict[str, Any]) -> None:
    out = console()
    templates = "" if facts["templates"] is None else f", {facts['templates']} templates"
    out.print(f"facewire {facts['version']}, kernels {facts['isa']}, {', '.join(facts['models'])}{templates}")
    for reason, count in sorted(figures.errors.items()):
        out.print(f"[red]{count} failed: {reason}[/]")
    if figures.first_error:
        out.print(f"[red]the first: {escape(figures.first_error)}[/]")
    if figures.server_lost:
        out.print(f"[red]the server was lost after {figures.seconds:.1f} s; the figures are of the time before[/]")

"""What the verbs of ``facewire eval`` have in common: options, the server, progress, the result's files."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import facewire
from facewire.errors import ImageError
from facewire_server.cli.models import ensure_models
from facewire_server.cli.own_server import running_server, server_arguments
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.domain.calibration import ScoreCalibration
from facewire_server.evaluation.corruption import KINDS, Corruption, CorruptionError
from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.plots import require_matplotlib
from facewire_server.evaluation.report import Report
from facewire_server.inference.download import FetchError
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.specs import EmbedderModel

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """The options of :func:`evaluation_options`."""

    json_file: Path | None
    report_file: Path | None
    seed: int
    corruption: Corruption | None
    kept_in: Path | None
    target: str | None
    config_file: Path | None
    settings: tuple[str, ...]


def existing_folder(name: str, help_text: str) -> Callable[[F], F]:
    """A required option that names a folder."""
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option(name, required=True, type=kind, help=help_text)


def evaluation_options(function: F) -> F:
    """Adds what every verb takes; the verb gets them as one ``options``."""

    @click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result here.")
    @click.option("--report", "report_file", type=click.Path(dir_okay=False, path_type=Path),
                  help="Write a page with figures, curves and pictures here (HTML).")  # fmt: skip
    @click.option("--seed", default=0, show_default=True, help="Of everything that is drawn by lot.")
    @click.option("--degrade", metavar="NAME=LEVEL", callback=_corruption,
                  help=f"Make each picture worse first: {', '.join(KINDS)}; see docs/evaluation.md.")  # fmt: skip
    @click.option("--keep", "kept_in", type=click.Path(file_okay=False, path_type=Path),
                  help="Keep embeddings in this folder: a second run, or one after a break, is quicker.")  # fmt: skip
    @click.option("--server", "target", help="host:port of a running server; default: one of its own.")
    @settings_options
    def verb(
        json_file: Path | None, report_file: Path | None, seed: int, degrade: Corruption | None, kept_in: Path | None,
        target: str | None, config_file: Path | None, settings: tuple[str, ...], **others: Any,
    ) -> Any:  # fmt: skip
        options = Options(json_file, report_file, seed, degrade, kept_in, target, config_file, settings)
        try:
            if report_file is not None:
                require_matplotlib()
            for file in (json_file, report_file):
                if file is not None and not file.parent.is_dir():
                    raise InputError(f"there is no folder {file.parent} to write {file.name} to")
            return function(options=options, **others)
        except InputError as error:
            raise ImageError(str(error)) from error
        except FetchError as error:
            raise click.ClickException(str(error)) from error

    verb.__name__, verb.__doc__ = function.__name__, function.__doc__
    if hasattr(function, "__click_params__"):
        verb.__click_params__ = verb.__click_params__ + function.__click_params__  # type: ignore[attr-defined]
    return verb  # type: ignore[return-value]


def _corruption(_: click.Context, __: click.Parameter, value: str | None) -> Corruption | None:
    try:
        return None if value is None else Corruption.parse(value)
    except CorruptionError as error:
        raise click.BadParameter(str(error)) from error


@contextmanager
def server(options: Options, *settings: str) -> Iterator[facewire.Client]:
    """The server given, or one of the command's own with these settings too."""
    if options.target is not None:
        if options.settings or options.config_file is not None:
            raise click.UsageError("--config and --set are for a server of the command's own, not for --server")
        with facewire.Client(options.target) as client:
            yield client
        return
    ensure_models(effective_config(options.config_file, options.settings))
    arguments = server_arguments(options.config_file, (*settings, *options.settings))
    with (
        tempfile.TemporaryDirectory(prefix="facewire-eval-") as folder,
        running_server(arguments, Path(folder)) as (address, _),
        facewire.Client(address) as client,
    ):
        yield client


def setting_of(client: facewire.Client, options: Options) -> str:
    """What answers depend on beside the pictures."""
    info = client.server_info()
    if options.target is None:
        own = effective_config(options.config_file, options.settings)
        return repr((info.version, info.contract_id, own.models, own.pipeline))
    # What a running server is set to is not known; it may change with its next start.
    return repr((info.version, info.contract_id, info.models, info.limits, info.started_at))


def embedder_curve(client: facewire.Client, options: Options) -> ScoreCalibration | None:
    """The error rates of the server's embedder, where its manifest entry is known here and has any."""
    manifest = load_manifest(effective_config(options.config_file, options.settings).models.manifest)
    for model in client.server_info().models:
        spec = manifest.models.get(model.name)
        if isinstance(spec, EmbedderModel) and spec.calibration is not None:
            return spec.calibration.curve()
    return None


def progress() -> Progress:
    """Bars on standard error, gone when done."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def output() -> Console:
    """Standard output, of a fixed width where it is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def facts(client: facewire.Client, options: Options) -> dict[str, Any]:
    """What was measured, for the JSON file and the page."""
    info = client.server_info()
    return {
        "facewire": info.version,
        "contract_id": info.contract_id,
        "models": {model.name: f"{model.precision} on {model.device}" for model in info.models},
        "settings": list(options.settings),
        "degrade": None if options.corruption is None else f"{options.corruption.name}={options.corruption.level:g}",
        "seed": options.seed,
    }


def show(figures: list[tuple[str, str, str]]) -> None:
    """The figures as a table."""
    table = Table("", "", "", box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value, note in figures:
        table.add_row(name, f"[bold]{value}[/]", f"[dim]{note}[/]")
    output().print(table)


def write(options: Options, result: Mapping[str, Any], report: Callable[[], Report]) -> None:
    """The JSON file and the page, where they are asked for."""
    if options.json_file is not None:
        options.json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if options.report_file is not None:
        made = report()
        if made.galleries:  # people's faces: for the owner's eyes
            options.report_file.touch(mode=0o600)
            options.report_file.chmod(0o600)
        options.report_file.write_text(made.html(), encoding="utf-8")
        output().print(f"[dim]report:[/] {options.report_file}")


def command_line() -> str:
    """As it was typed."""
    return shlex.join(["facewire", *sys.argv[1:]])


def percent(value: float, digits: int = 2) -> str:
    """As people read it."""
    return f"{100 * value:.{digits}f} %"

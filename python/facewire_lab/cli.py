"""``facewire lab``: prepare, train, sample, export, evaluate."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from facewire_lab.errors import LabError
from facewire_lab.faces import load_faces, save_faces
from facewire_lab.judging import Judge
from facewire_lab.preparing import pictures_below, prepare
from facewire_lab.recipe import load_recipe
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.inference.conversion import ConversionError
from facewire_server.inference.manifest import ManifestError
from facewire_server.inference.model_cache import ModelMissing
from facewire_server.loading import load_models

if TYPE_CHECKING:
    import torch

_EXIT_STOPPED = 130
_folder = click.Path(file_okay=False, path_type=Path)
_existing = click.Path(exists=True, file_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group(
    epilog="""\b
Examples:
  facewire lab prepare photos/ faces/
  facewire lab train gan faces/ run/             killed? the same command goes on
  facewire lab sample run/ sheet.png
  facewire lab export run/ models/ --name my-faces --licence "our own"
\b
Then models.manifest = "models/my-faces.toml", generation.model = "my-faces", facewire models fetch."""
)
def lab() -> None:
    """Train models on your own pictures, on your own machine."""


@lab.command("prepare")
@click.argument("pictures", type=_existing)
@click.argument("faces", type=_folder)
@click.option(
    "--view", default=0.7, show_default=True, type=click.FloatRange(0.3, 1.0),
    help="1: the tight view of recognition; less shows more around the face.",
)  # fmt: skip
@settings_options
@_json
def prepare_verb(
    pictures: Path, faces: Path, view: float, config_file: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Cut the largest face out of each of PICTURES, upright, into the folder FACES.

    Pictures in sub-folders are of the person the sub-folder is named after. Needs the server's detector: facewire
    models fetch.
    """
    with _telling():
        paths = pictures_below(pictures)
        models = load_models(effective_config(config_file, settings))
        with _progress("faces", len(paths)) as (bar, task):
            made = prepare(pictures, paths, models.detector, view, lambda: bar.advance(task))
        save_faces(faces, made.chips, made.facts)
    if as_json:
        click.echo(json.dumps({"faces": len(made.chips), "left_out": dict(made.left_out)}))
        return
    click.echo(f"faces in {faces}: {len(made.chips)} of {len(paths)} pictures")
    for reason, count in Counter(reason for _, reason in made.left_out).most_common():
        click.echo(f"left out: {count} ({reason})")


@lab.group()
def train() -> None:
    """Train a model."""


@train.command()
@click.argument("faces", type=_existing)
@click.argument("run", type=_folder)
@click.option(
    "--recipe", "recipe_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the recipe; may be repeated.")
def gan(faces: Path, run: Path, recipe_file: Path | None, settings: tuple[str, ...]) -> int:
    """Train a DCGAN on prepared FACES, into the folder RUN; go on where it was broken off.

    RUN gets checkpoint.pt, log.csv, TensorBoard's files and a sheet of samples now and then.
    """
    with _telling():
        if run.exists() and run.samefile(faces):
            raise LabError("RUN and FACES are the same folder: give the training one of its own")
        recipe = load_recipe(recipe_file, settings)
        prepared = load_faces(faces)
        device = _device()
        from facewire_lab.gan import GanTask  # noqa: PLC0415 - takes seconds, and needs PyTorch
        from facewire_lab.training import train as run_training  # noqa: PLC0415

        with _progress("steps", recipe.steps) as (bar, task):

            def on_step(done: int, numbers: dict[str, float]) -> None:
                losses = ", ".join(f"{name} {value:.2f}" for name, value in numbers.items() if name.startswith("loss"))
                bar.update(task, completed=done, description=losses or "steps")

            with _stopping() as stop:
                done = run_training(GanTask(recipe, device), prepared, recipe, run, on_step, stop)
    if done < recipe.steps:
        click.echo(f"stopped after {done} of {recipe.steps} steps; the same command goes on", err=True)
        return _EXIT_STOPPED
    click.echo(f"{done} steps done on {device}; samples: {run / 'samples'}")
    return 0


@lab.command()
@click.argument("run", type=_existing)
@click.argument("sheet", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--count", default=36, show_default=True, type=click.IntRange(1, 1024))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
def sample(run: Path, sheet: Path, count: int, seed: int) -> None:
    """Make faces by what RUN has trained so far, onto one picture, SHEET."""
    with _telling():
        _device()
        from facewire_lab.sampling import sample_sheet  # noqa: PLC0415

        sheet.write_bytes(sample_sheet(run, count, seed))
    click.echo(f"{count} faces: {sheet}")


@lab.command()
@click.argument("run", type=_existing)
@click.argument("out", type=_folder)
@click.option("--name", required=True, help="Of the model, in the manifest.")
@click.option("--licence", required=True, help="Of the weights; follows from that of the pictures.")
def export(run: Path, out: Path, name: str, licence: str) -> None:
    """Write what RUN has trained as a model of the server into OUT: weights, manifest entry, model card."""
    with _telling():
        _device()
        from facewire_lab.export import export_generator  # noqa: PLC0415

        done = export_generator(run, out, name, licence)
    click.echo(f"{done.manifest}: OpenVINO differs from PyTorch by at most {done.difference:.1e} of -1..1")
    click.echo(f'serve it: models.manifest = "{done.manifest}", generation.model = "{name}", facewire models fetch')


@lab.command()
@click.argument("faces", type=_existing)
@click.option("--count", default=1024, show_default=True, type=click.IntRange(300, 100_000), help="Faces to make.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
@settings_options
@_json
def evaluate(
    faces: Path, count: int, seed: int, config_file: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Compare what the configured generator makes with prepared FACES: those it was trained on, or others.

    The generator is that of generation.model: one exported here, or the packaged one.
    """
    with _telling():
        config = effective_config(config_file, settings)
        if not config.generation.model:
            raise LabError("which generator? --set generation.model=NAME, and models.manifest for one of your own")
        prepared = load_faces(faces)
        models = load_models(config)
        with _progress("pictures", count + len(prepared)) as (bar, task):
            judge = Judge(models.detector, models.embedder, lambda: bar.advance(task))
            assert models.generator is not None  # noqa: S101 - one is configured
            found = judge.judge(models.generator, prepared, count, seed)
    if as_json:
        click.echo(json.dumps({"model": config.generation.model, **asdict(found)}))
        return
    table = Table("", config.generation.model, "real faces")
    table.add_row("pictures", str(found.made), str(found.real))
    table.add_row("with a face", f"{found.faces_made:.1%}", f"{found.faces_real:.1%}")
    table.add_row("cosine of two, mean", f"{found.mean_cosine_made:.3f}", f"{found.mean_cosine_real:.3f}")
    for place, name in enumerate(("median", "largest")):
        made, real = found.nearest_training[place], found.nearest_real[place]
        table.add_row(f"cosine with the nearest real face, {name}", f"{made:.3f}", f"{real:.3f}")
    table.add_row("Fréchet distance from the real faces", f"{found.frechet:.3f}", f"{found.frechet_real:.3f}")
    Console(width=None if sys.stdout.isatty() else 120, highlight=False).print(table)


def _device() -> torch.device:
    """A GPU if there is one; raises LabError where PyTorch is missing."""
    try:
        import torch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise LabError("training needs PyTorch: pip install 'facewire[lab]'") from error
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def _telling() -> Iterator[None]:
    """What a person can mend is told in a line."""
    try:
        yield
    except (LabError, ManifestError, ModelMissing, ConversionError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        raise click.ClickException(f"{where}{error.strerror or error}") from error


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM end a training after its step; a second one ends it at once."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(what: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A bar on standard error where a person looks."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as bar:
        yield bar, bar.add_task(what, total=total)

"""``facewire lab``: prepare, train, sample, export, evaluate."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facewire_lab.errors import LabError
from facewire_lab.evaluating import evaluate
from facewire_lab.faces import load_faces, save_faces
from facewire_lab.families import FAMILIES, Family, make_training
from facewire_lab.preparing import Cut, pictures_below, prepare
from facewire_lab.recipe import Recipe, load_recipe
from facewire_lab.terminal import progress, require_torch, sheet_file, telling
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.loading import load_models

if TYPE_CHECKING:
    import torch

_EXIT_STOPPED = 130
_folder = click.Path(file_okay=False, path_type=Path)
_existing = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_TRAINING = """FACES is what facewire lab prepare wrote. RUN gets checkpoint.pt, log.csv, validation.csv, TensorBoard's
files and a sheet of samples now and then. Settings are checked before anything else."""
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group(
    epilog="""\b
Examples:
  facewire lab prepare photos/ faces/
  facewire lab train gan faces/ run/             or vae, restorer, cnn, adapter; killed? the same command goes on
  facewire lab sample run/ sheet.png
  facewire lab export run/ models/ --name my-faces --licence "our own" --data "photographs of our staff"
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
@click.option("--allow-synthetic", is_flag=True, help="Also take pictures that say that a model made or changed them.")
@settings_options
@_json
def prepare_verb(
    pictures: Path, faces: Path, view: float, allow_synthetic: bool, config_file: Path | None,
    settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Cut the largest face out of each of PICTURES, upright, into the folder FACES.

    Pictures in sub-folders are of the person the sub-folder is named after. Needs the server's detector: facewire
    models fetch.
    """
    with telling():
        paths = pictures_below(pictures)
        models = load_models(effective_config(config_file, settings))
        with progress("faces", len(paths)) as (bar, task):
            cut = Cut(models.detector, view, allow_synthetic)
            made = prepare(pictures, paths, cut, lambda: bar.advance(task))
        save_faces(faces, made.chips, made.facts)
    if as_json:
        click.echo(json.dumps({"faces": len(made.chips), "left_out": dict(made.left_out)}))
        return
    click.echo(f"faces in {faces}: {len(made.chips)} of {len(paths)} pictures")
    for reason, count in Counter(reason for _, reason in made.left_out).most_common():
        click.echo(f"left out: {count} ({reason})")


@lab.group()
def train() -> None:
    """Train a model on prepared faces; a training that was broken off goes on with the same command."""


def _settings_of(recipe: type[Recipe]) -> str:
    """All settings with their defaults, for --help."""
    given = ", ".join(f"{key}={field.default}" for key, field in recipe.model_fields.items())
    return f"Settings and their defaults: {given}. What they mean: docs/workshop.md, facewire_lab/recipes.py."


def _train_verb(name: str, family: Family) -> None:
    @train.command(
        name, short_help=family.about, help=f"{family.about}\n\n{_TRAINING}", epilog=_settings_of(family.recipe)
    )
    @click.argument("faces", type=_existing)
    @click.argument("run", type=_folder)
    @click.option("--recipe", "recipe_file", type=_file, help="TOML file.")
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of the recipe.")
    @click.option("--threads", type=click.IntRange(1), help="Of PyTorch; fewer where other work shares the processors.")
    @click.option("--config", "config_file", type=_file, help="Of the server, for its embedder.")
    def verb(
        faces: Path, run: Path, recipe_file: Path | None, settings: tuple[str, ...], threads: int | None,
        config_file: Path | None,
    ) -> int:  # fmt: skip
        return _train(name, faces, run, _recipe(family, recipe_file, settings), threads, config_file)


def _recipe(family: Family, file: Path | None, settings: tuple[str, ...]) -> Recipe:
    """As :func:`load_recipe`, told in a line."""
    with telling():
        return load_recipe(family.recipe, file, settings)


for _name, _family in FAMILIES.items():
    _train_verb(_name, _family)


def _train(family: str, faces: Path, run: Path, recipe: Recipe, threads: int | None, config_file: Path | None) -> int:
    with telling():
        if run.exists() and run.samefile(faces):
            raise LabError("RUN and FACES are the same folder: give the training one of its own")
        prepared = load_faces(faces)
        device = _device(threads)
        from facewire_lab.training import train as run_training  # noqa: PLC0415 - takes seconds, and needs PyTorch

        with progress("faces", len(prepared)) as (bar, task):
            config = effective_config(config_file, ())
            training = make_training(family, recipe, prepared, run, device, config, lambda: bar.advance(task))
        with progress("steps", recipe.steps) as (bar, task):

            def on_step(done: int, numbers: dict[str, float]) -> None:
                losses = ", ".join(f"{name} {value:.2f}" for name, value in numbers.items() if name.startswith("loss"))
                bar.update(task, completed=done, description=losses or "steps")

            with _stopping() as stop:
                outcome = run_training(training, on_step, stop)
    if outcome.done < recipe.steps and not outcome.early:
        click.echo(f"stopped after {outcome.done} of {recipe.steps} steps; the same command goes on", err=True)
        return _EXIT_STOPPED
    early = ", as nothing got better any more" if outcome.early else ""
    click.echo(f"{outcome.done} steps done on {device}{early}; samples: {run / 'samples'}")
    return 0


@lab.command()
@click.argument("run", type=_existing)
@click.argument("sheet", type=click.Path(dir_okay=False, path_type=Path), callback=sheet_file)
@click.option("--count", default=36, show_default=True, type=click.IntRange(1, 1024))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
def sample(run: Path, sheet: Path, count: int, seed: int) -> None:
    """Write a sheet of what RUN has learnt so far: new faces of a GAN or VAE, of other families the latest sheet."""
    with telling():
        require_torch()
        from facewire_lab.sampling import sample_sheet  # noqa: PLC0415

        sheet.write_bytes(sample_sheet(run, count, seed))
    click.echo(str(sheet))


@lab.command()
@click.argument("run", type=_existing)
@click.argument("out", type=_folder)
@click.option("--name", required=True, help="Of the model, in the manifest.")
@click.option("--licence", required=True, help="Of what was trained; follows from that of the pictures.")
@click.option("--data", required=True, help="What the pictures are, in a few words, for the model card.")
@click.option("--faces", type=_existing, help="The FACES it was trained on: for vae and cnn.")
@click.option("--config", "config_file", type=_file, help="Of the server, for its embedder.")
def export(
    run: Path, out: Path, name: str, licence: str, data: str, faces: Path | None, config_file: Path | None
) -> None:
    """Write what RUN has trained as a model of the server into OUT: weights, manifest entry, model card.

    Of a training that was measured on people held out, the best state is taken, else the last.
    """
    with telling():
        require_torch()
        from facewire_lab.export import Order, export_run  # noqa: PLC0415

        prepared = None if faces is None else load_faces(faces)
        order = Order(run, name, licence, data, prepared, effective_config(config_file, ()))
        done = export_run(order, out)
    click.echo(f"{done.manifest}: OpenVINO differs from PyTorch by at most {done.difference:.1e}")
    click.echo(f'serve it: models.manifest = "{done.manifest}", {done.serve}, facewire models fetch')


lab.add_command(evaluate)


def _device(threads: int | None = None) -> torch.device:
    """A GPU if there is one; raises LabError where PyTorch is missing."""
    require_torch()
    import torch  # noqa: PLC0415

    if threads is not None:
        torch.set_num_threads(threads)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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

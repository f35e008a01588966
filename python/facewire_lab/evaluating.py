"""``facewire lab evaluate``: what the server would run, on prepared faces."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces, Rows, load_faces
from facewire_lab.judging import Judge
from facewire_lab.terminal import progress, telling
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.config import Config
from facewire_server.loading import LoadedModels, load_models

_existing = click.Path(exists=True, file_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_seed = click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
_held_out = click.option(
    "--held-out", default=0.1, show_default=True, type=click.FloatRange(0, 1, min_open=True),
    help="Share of the people that was held out from training; 1: FACES are of people it never saw.",
)  # fmt: skip
_sheet = click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Also a picture, a PNG file.")


@click.group()
def evaluate() -> None:
    """Measure models as the server runs them, on prepared FACES."""


@evaluate.command("gan")
@click.argument("faces", type=_existing)
@click.option("--count", default=1024, show_default=True, type=click.IntRange(300, 100_000), help="Faces to make.")
@_seed
@settings_options
@_json
def gan_verb(
    faces: Path, count: int, seed: int, config_file: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Compare what the generator makes with FACES: those it was trained on, or others.

    The generator is that of generation.model: one exported here, or the packaged one.
    """
    with telling():
        config = effective_config(config_file, settings)
        name = _required(config.generation.model, "generator", "generation.model")
        prepared = load_faces(faces)
        models = load_models(config)
        with progress("pictures", count + len(prepared)) as (bar, task):
            judge = Judge(models.detector, models.embedder, lambda: bar.advance(task))
            assert models.generator is not None  # noqa: S101 - one is configured
            found = judge.judge(models.generator, prepared, count, seed)
    if as_json:
        _tell_json({"model": name, **asdict(found)})
        return
    table = Table("", name, "real faces")
    table.add_row("pictures", str(found.made), str(found.real))
    table.add_row("with a face", f"{found.faces_made:.1%}", f"{found.faces_real:.1%}")
    table.add_row("cosine of two, mean", f"{found.mean_cosine_made:.3f}", f"{found.mean_cosine_real:.3f}")
    for place, which in enumerate(("median", "largest")):
        made, real = found.nearest_training[place], found.nearest_real[place]
        table.add_row(f"cosine with the nearest real face, {which}", f"{made:.3f}", f"{real:.3f}")
    table.add_row("Fréchet distance from the real faces", f"{found.frechet:.3f}", f"{found.frechet_real:.3f}")
    _tell(table)


@evaluate.command("restorer")
@click.argument("faces", type=_existing)
@_held_out
@_sheet
@settings_options
@_json
def restorer_verb(
    faces: Path, held_out: float, sheet: Path | None, config_file: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Compare the restorer (generation.restorer) with bicubic enlarging, on FACES it was not trained on.

    Each is made a quarter of its side, noisy (sigma 5) and JPEG of quality 40 first.
    """
    with telling():
        from facewire_lab.restorer_judging import judge_restorer, restorer_sheet  # noqa: PLC0415

        config = effective_config(config_file, settings)
        name = _required(config.generation.restorer, "restorer", "generation.restorer")
        prepared, held, models = _held(faces, held_out, config)
        assert models.restorer is not None  # noqa: S101 - one is configured
        with progress("faces", len(held)) as (bar, task):
            found = judge_restorer(models.restorer, models.embedder, prepared, held, lambda: bar.advance(task))
        if sheet is not None:
            sheet.write_bytes(restorer_sheet(models.restorer, prepared, held))
    if as_json:
        _tell_json({"model": name, "faces": len(held), **asdict(found)})
        return
    table = Table(f"{len(held)} faces", "bicubic", name, "gain")
    rows = (("PSNR, dB", found.psnr_db), ("SSIM", found.ssim), ("cosine with the clean face", found.cosine))
    for label, values in rows:
        table.add_row(label, f"{values[0]:.3f}", f"{values[1]:.3f}", f"{values[1] - values[0]:+.3f}")
    _tell(table)
    before, after = found.cosine_as_cut
    click.echo(f"as the server cuts them out (bilinear): cosine {before:.3f}, restored {after:.3f}")


@evaluate.command("vae")
@click.argument("faces", type=_existing)
@_held_out
@click.option("--others", type=_existing, multiple=True, help="Pictures of other things than faces; may be repeated.")
@click.option("--people", default=100, show_default=True, type=click.IntRange(10), help="To be told apart, anonymised.")
@click.option("-k", "ks", multiple=True, default=(5, 10), show_default=True, type=click.IntRange(2, 100))
@_seed
@_sheet
@settings_options
@_json
def vae_verb(
    faces: Path, held_out: float, others: tuple[Path, ...], people: int, ks: tuple[int, ...], seed: int,
    sheet: Path | None, config_file: Path | None, settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Measure the autoencoder (generation.encoder) on FACES it was not trained on.

    How near reconstructions come; how many units are used; how well faces are told from other things (patterns, and
    the pictures of --others); whether people are recognised who were anonymised.
    """
    with telling():
        from facewire_lab.vae_judging import VaeJudge, anonymous_sheet  # noqa: PLC0415

        config = effective_config(config_file, settings)
        name = _required(config.generation.encoder, "encoder", "generation.encoder")
        prepared, rows, models = _held(faces, held_out, config)
        assert models.autoencoder is not None  # noqa: S101 - one is configured
        with progress("faces", 0) as (bar, task):
            judge = VaeJudge(models.autoencoder, models.detector, models.embedder, lambda: bar.advance(task))
            found = judge.reconstruction(prepared, rows)
            likeness = {what: asdict(area) for what, area in judge.likeness(prepared, rows, [*others]).items()}
            hidden = {k: judge.anonymised(prepared, rows, people, k, seed) for k in ks}
        if sheet is not None:
            sheet.write_bytes(anonymous_sheet(models.autoencoder, prepared, rows, ks))
    if as_json:
        told = {f"k={k}": asdict(each) for k, each in hidden.items()}
        _tell_json({"model": name, "faces": len(rows), **asdict(found), "likeness": likeness, "anonymised": told})
        return
    table = Table(name, f"{len(rows)} faces")
    table.add_row("PSNR of reconstructions", f"{found.psnr_db:.2f} dB")
    table.add_row("KL", f"{found.kl_nats:.0f} nats")
    table.add_row("units that tell something", f"{found.active_units} of {found.units}")
    for what, area in likeness.items():
        if what != "faces":
            by_bound = f"by the evidence bound {area['auc_by_bound']:.2f}"
            table.add_row(f"faces told from {what}: AUC", f"{area['auc']:.4f}, {by_bound} ({area['count']} pictures)")
        refused, strict = area["refused"]
        table.add_row(f"refused of {what}", f"{refused:.1%}; with enrolment.min_likeness=0.01 {strict:.1%}")
    for k, each in hidden.items():
        named = f"anonymised, k = {k}: "
        table.add_row(f"{named}recognised", f"{each.rank1:.1%} of {each.people} (before: {each.rank1_before:.1%})")
        linked = f"{each.rank1_by_encoder:.1%}"
        table.add_row(f"{named}recognised by one who has the encoder", linked)
        table.add_row(f"{named}a face is found in", f"{each.detected:.1%}")
        table.add_row(f"{named}eyes, nose, mouth moved by", f"{each.landmark_shift:.1%} of the eyes' distance")
    _tell(table)


@evaluate.command("adapter")
@click.argument("faces", type=_existing)
@click.option("--enrol", default=3, show_default=True, type=click.IntRange(2), help="Pictures of a person to train on.")
@click.option("--strangers", default=0.5, show_default=True, type=click.FloatRange(0, 1, min_open=True, max_open=True))
@click.option("--splits", default=20, show_default=True, type=click.IntRange(1), help="Random divisions of the people.")
@click.option("--set-recipe", "recipe_settings", multiple=True, metavar="KEY=VALUE", help="A setting of the recipe.")
@_seed
@settings_options
@_json
def adapter_verb(
    faces: Path, enrol: int, strangers: float, splits: int, recipe_settings: tuple[str, ...], seed: int,
    config_file: Path | None, settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Train adapters on some pictures of some people of FACES, and identify all their other pictures, and strangers.

    Each split's adapter sees the enrolled pictures only. Compared with: no adapter, by the best of the templates; and
    as the server compares, by these and their mean.
    """
    with telling():
        import torch  # noqa: PLC0415

        from facewire_lab.adapter_judging import judge_adapters  # noqa: PLC0415
        from facewire_lab.recipe import load_recipe  # noqa: PLC0415
        from facewire_lab.recipes import AdapterRecipe  # noqa: PLC0415
        from facewire_server.evaluation.identities import Plan  # noqa: PLC0415

        torch.set_num_threads(1)  # the matrices are small: more threads wait for each other
        recipe = load_recipe(AdapterRecipe, None, recipe_settings)
        prepared = load_faces(faces)
        models = load_models(effective_config(config_file, settings))
        with progress("splits", splits) as (bar, task):
            plan = Plan(enrol, strangers, splits, seed)
            found = judge_adapters(models.embedder, prepared, plan, recipe, lambda: bar.advance(task))
    if as_json:
        _tell_json({name: asdict(each) for name, each in found.items()})
        return
    table = Table(f"{splits} splits", "rank 1", "FNIR at FPIR 1 %", "difference from the first", "its standard error")
    for name, each in found.items():
        table.add_row(name, f"{each.rank1:.2%}", f"{each.fnir:.2%}", f"{each.difference:+.2%}", f"{each.error:.2%}")
    _tell(table)


def _required(name: str, what: str, setting: str) -> str:
    if not name:
        raise LabError(f"which {what}? --set {setting}=NAME, and models.manifest for one of your own")
    return name


def _held(faces: Path, share: float, config: Config) -> tuple[PreparedFaces, Rows, LoadedModels]:
    prepared = load_faces(faces)
    seen, held = prepared.split(share)
    rows = seen if share == 1 and not len(held) else held
    if not len(rows):
        raise LabError(f"{faces} holds nobody to measure on: prepare more people, or --held-out 1")
    return prepared, rows, load_models(config)


def _tell(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 120, highlight=False).print(table)


def _tell_json(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found))

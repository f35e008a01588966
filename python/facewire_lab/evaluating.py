"""``facewire lab evaluate``: what the server would run, on prepared faces."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from facewire_lab.errors import LabError
from facewire_lab.faces import PreparedFaces, Rows, load_faces
from facewire_lab.judging import Judge
from facewire_lab.terminal import progress, require_torch, sheet_file, telling
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.config import Config
from facewire_server.evaluation.rates import Spread
from facewire_server.loading import LoadedModels, load_models

_PEOPLE = 100
_existing = click.Path(exists=True, file_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_seed = click.option("--seed", default=1, show_default=True, type=click.IntRange(0, 2**31 - 1))
_held_out = click.option(
    "--held-out", default=0.1, show_default=True, type=click.FloatRange(0, 1, min_open=True),
    help="Share of the people that was held out from training; 1: FACES are of people it never saw.",
)  # fmt: skip
_sheet = click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), callback=sheet_file, help="Also a picture, a PNG file.",
)  # fmt: skip


@click.group()
def evaluate() -> None:
    """Measure models as the server runs them, on prepared FACES."""


@evaluate.command("gan")
@click.argument("faces", type=_existing)
@click.option(
    "--count",
    default=1024,
    show_default=True,
    type=click.IntRange(400, 100_000),
    help="Faces to make; 300 must be found in them, and in FACES.",
)
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


@evaluate.command("cnn")
@click.argument("faces", type=_existing)
@_held_out
@click.option(
    "--least",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="People with fewer pictures are left out, as in training.",
)
@settings_options
@_json
def cnn_verb(
    faces: Path, held_out: float, least: int, config_file: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """Measure how well the embedder (models.embedder) tells people of FACES apart whom it was not trained on.

    Of each pair of pictures, by the cosine of their embeddings.
    """
    with telling():
        require_torch()
        from facewire_lab.embedder_judging import judge_embedder  # noqa: PLC0415

        config = effective_config(config_file, settings)
        prepared, rows, models = _held(faces, held_out, config, least)
        with progress("faces", len(rows)) as (bar, task):
            found = judge_embedder(models.embedder, prepared, rows, lambda: bar.advance(task))
    if as_json:
        _tell_json({"model": config.models.embedder, "faces": len(rows), **asdict(found)})
        return
    table = Table(config.models.embedder, f"{len(rows)} faces")
    table.add_row("pairs of one person, of two", f"{found.genuine}, {found.impostor}")
    table.add_row("AUC", f"{found.auc:.4f}")
    for far, tar in found.tar.items():
        table.add_row(f"true-accept rate at a false-accept rate of {far}", f"{tar:.1%}")
    _tell(table)


@evaluate.command("restorer")
@click.argument("faces", type=_existing)
@_held_out
@click.option(
    "--degrade",
    default="far",
    show_default=True,
    type=click.Choice(["far", "dark", "blurred"]),
    help="far: a quarter of the side, noise of 5 levels, JPEG 40; dark: an eighth of the light, half the side; "
    "blurred: by 2 pixels, half the side.",
)
@_sheet
@settings_options
@_json
def restorer_verb(
    faces: Path, held_out: float, degrade: str, sheet: Path | None, config_file: Path | None,
    settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Compare the restorer (generation.restorer) with bicubic enlarging, on FACES it was not trained on.

    Of dark faces what is enlarged is brightened by the right factor first, which the restorer has to guess.
    """
    with telling():
        require_torch()
        from facewire_lab.degradation import DEGRADATIONS  # noqa: PLC0415
        from facewire_lab.restorer_judging import judge_restorer, restorer_sheet  # noqa: PLC0415

        way = DEGRADATIONS[degrade]
        config = effective_config(config_file, settings)
        name = _required(config.generation.restorer, "restorer", "generation.restorer")
        prepared, held, models = _held(faces, held_out, config)
        assert models.restorer is not None  # noqa: S101 - one is configured
        _require_view(prepared, models.restorer.view)
        with progress("faces", len(held)) as (bar, task):
            found = judge_restorer(models.restorer, models.embedder, way, prepared, held, lambda: bar.advance(task))
        if sheet is not None:
            sheet.write_bytes(restorer_sheet(models.restorer, way, prepared, held))
    if as_json:
        _tell_json({"model": name, "degraded": degrade, "faces": len(held), **asdict(found)})
        return
    table = Table(f"{len(held)} faces, {degrade}", "bicubic", name, "gain")
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
@click.option("--people", type=click.IntRange(2), help="To be told apart, anonymised; default: 100, or all there are.")
@click.option("--draws", default=5, show_default=True, type=click.IntRange(1), help="Of these people, at random.")
@click.option("-k", "ks", multiple=True, default=(5, 10), show_default=True, type=click.IntRange(2, 100))
@_seed
@_sheet
@settings_options
@_json
def vae_verb(
    faces: Path, held_out: float, others: tuple[Path, ...], people: int | None, draws: int, ks: tuple[int, ...],
    seed: int, sheet: Path | None, config_file: Path | None, settings: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Measure the autoencoder (generation.encoder) on FACES it was not trained on.

    How near reconstructions come; how many units are used; how well faces are told from other things (patterns, the
    pictures of --others, faces that are covered or cut wrongly); whether people are recognised who were anonymised.
    """
    with telling():
        require_torch()
        from facewire_lab.vae_judging import LIMITS, People, VaeJudge, anonymous_sheet, other_things  # noqa: PLC0415

        config = effective_config(config_file, settings)
        name = _required(config.generation.encoder, "encoder", "generation.encoder")
        prepared, rows, models = _held(faces, held_out, config)
        assert models.autoencoder is not None  # noqa: S101 - one is configured
        _require_view(prepared, models.autoencoder.encoder.view)
        drawn = People(_people(prepared, rows, people), draws, seed)
        judge = VaeJudge(models.autoencoder, models.detector, models.embedder)
        with progress("reconstructing", len(rows)) as (bar, task):
            found = judge.reconstruction(prepared, rows, lambda: bar.advance(task))
        things = other_things(prepared, rows, others)
        with progress("face or not", len(rows) + sum(map(len, things.values()))) as (bar, task):
            likeness = judge.likeness(prepared, rows, things, lambda: bar.advance(task))
        with progress("anonymising", len(ks) * draws) as (bar, task):
            hidden = {k: judge.anonymised(prepared, rows, drawn, k, lambda: bar.advance(task)) for k in ks}
        if sheet is not None:
            sheet.write_bytes(anonymous_sheet(models.autoencoder, prepared, rows, ks))
    if as_json:
        told = {
            "likeness": {what: asdict(area) for what, area in likeness.items()},
            "anonymised": {f"k={k}": asdict(each) for k, each in hidden.items()},
        }
        _tell_json({"model": name, "faces": len(rows), **asdict(found), **told})
        return
    table = Table(name, f"{len(rows)} faces")
    table.add_row("PSNR of reconstructions", f"{found.psnr_db:.2f} dB")
    table.add_row("KL", f"{found.kl_nats:.0f} nats")
    table.add_row("units that tell something", f"{found.active_units} of {found.units}")
    _tell(table)
    table = Table("face or not", "pictures", "AUC", "AUC by the bound", *(f"refused at {limit:g}" for limit in LIMITS))
    for what, area in likeness.items():
        areas = ("", "") if what == "faces" else (f"{area.auc:.4f}", f"{area.auc_by_bound:.2f}")
        table.add_row(what, str(area.count), *areas, *(f"{share:.1%}" for share in area.refused))
    _tell(table)
    table = Table(f"anonymised: {drawn.count} people, {draws} draws", *(f"k = {k}" for k in ks))
    for label, field in (
        ("recognised before", "rank1_before"), ("recognised", "rank1"),
        ("recognised by an attacker with the encoder", "rank1_by_encoder"), ("a face is found in", "detected"),
        ("eyes, nose, mouth moved by, of the eyes' distance", "landmark_shift"),
    ):  # fmt: skip
        spreads = [getattr(each, field) for each in hidden.values()]
        table.add_row(label, *map(_spread, spreads))
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
        require_torch()
        import torch  # noqa: PLC0415

        from facewire_lab.adapter_judging import judge_adapters  # noqa: PLC0415
        from facewire_lab.embedding import embed_faces  # noqa: PLC0415
        from facewire_lab.recipe import load_recipe  # noqa: PLC0415
        from facewire_lab.recipes import AdapterRecipe  # noqa: PLC0415
        from facewire_server.evaluation.identities import Plan  # noqa: PLC0415

        torch.set_num_threads(1)  # the matrices are small: more threads wait for each other
        recipe = load_recipe(AdapterRecipe, None, recipe_settings)
        prepared = load_faces(faces)
        models = load_models(effective_config(config_file, settings))
        with progress("faces", len(prepared)) as (bar, task):
            vectors = embed_faces(models.embedder, prepared, np.arange(len(prepared)), lambda: bar.advance(task))
        with progress("splits", splits) as (bar, task):
            plan = Plan(enrol, strangers, splits, seed)
            found = judge_adapters(vectors, prepared, plan, recipe, lambda: bar.advance(task))
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


def _held(faces: Path, share: float, config: Config, least: int = 1) -> tuple[PreparedFaces, Rows, LoadedModels]:
    """The faces, which of them are measured, and the models; people are divided as they were for training."""
    prepared = load_faces(faces)
    if least > 1:
        prepared = prepared.with_at_least(least)
    seen, held = prepared.split(share)
    rows = seen if share == 1 and not len(held) else held
    if not len(rows):
        raise LabError(f"{faces} holds nobody to measure on: prepare more people, or --held-out 1")
    return prepared, rows, load_models(config)


def _require_view(prepared: PreparedFaces, view: float) -> None:
    if abs(prepared.facts.view - view) > 1e-6:
        raise LabError(
            f"the model takes faces of view {view:g}, these are of {prepared.facts.view:g}: "
            f"facewire lab prepare PICTURES FACES --view {view:g}"
        )


def _people(prepared: PreparedFaces, rows: Rows, wanted: int | None) -> int:
    """How many are told apart."""
    there = len(set(prepared.numbers[rows].tolist()))
    if there < max(2, wanted or 0):
        raise LabError(
            f"{there} of the people are measured, {max(2, wanted or 0)} are to be told apart: prepare more, or, if the "
            "model saw none of them, --held-out 1"
        )
    return wanted or min(_PEOPLE, there)


def _spread(found: Spread) -> str:
    return "-" if math.isnan(found.mean) else f"{found.mean:.1%} ± {found.std:.1%}"


def _tell(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 120, highlight=False).print(table)


def _tell_json(found: dict[str, Any]) -> None:
    """What is no number (there was nothing to measure) is null."""
    click.echo(json.dumps(json.loads(json.dumps(found), parse_constant=lambda _: None)))

"""``facewire eval identities``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from facewire_server.cli.evaluation.shared import (
    Options,
    command_line,
    embedder_curve,
    evaluation_options,
    existing_folder,
    facts,
    percent,
    progress,
    server,
    setting_of,
    show,
    write,
)
from facewire_server.evaluation import plots
from facewire_server.evaluation.faces import FaceReader, SeenFaces
from facewire_server.evaluation.identities import (
    IdentitiesResult,
    People,
    Plan,
    WorstPairs,
    evaluate_identities,
    read_people,
    worst_pairs,
)
from facewire_server.evaluation.report import Report, Shown

Figures = list[tuple[str, str, str]]
_WORST = 8


@click.command(
    epilog="""\b
Examples:
  facewire eval identities --images people/ --enrol 3 --strangers 0.5
  facewire eval identities --images photos/ --labels labels.csv --enrol 3 --splits 20 --report people.html"""
)
@existing_folder("--images", "A folder for each person, or with --labels all pictures in one.")
@click.option("--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV with the columns image and identity.")  # fmt: skip
@click.option("--enrol", default=3, show_default=True, type=click.IntRange(1), help="Pictures of a person to enrol.")
@click.option("--strangers", default=0.5, show_default=True, type=click.FloatRange(0, 1, min_open=True, max_open=True),
              help="Share of the people who are not enrolled.")  # fmt: skip
@click.option("--splits", default=20, show_default=True, type=click.IntRange(1), help="Random divisions of the people.")
@click.option("--promise", default=0.01, show_default=True, type=click.FloatRange(1e-6, 0.5),
              help="Calibrate each gallery on its templates for this FPIR, and measure it.")  # fmt: skip
@click.option("--looks", default=2, show_default=True, type=click.IntRange(1, 2),
              help="At each face that is searched for: 1, as streams; 2, as 1:1, and 1:N in doubt.")  # fmt: skip
@click.option("--enrol-looks", default=3, show_default=True, type=click.IntRange(1, 3),
              help="At each face that is enrolled: 3, as enrolment; 2, as it without enrolment.mirror.")  # fmt: skip
@click.option("--pictures", is_flag=True, help="Show the worst pairs in the report.")
@evaluation_options
def identities(
    options: Options,
    images: Path,
    labels: Path | None,
    enrol: int,
    strangers: float,
    splits: int,
    promise: float,
    looks: int,
    enrol_looks: int,
    pictures: bool,
) -> None:
    """Identification (1:N): do enrolled people get their names, and strangers none?

    FPIR: share of strangers' pictures that get a name. FNIR: share of enrolled people's pictures that do not get
    theirs. The largest face of a picture counts.
    """
    people = read_people(images, labels)
    paths = [path for each in people.values() for path in each]
    with server(options) as client, progress() as bar:
        several = {looks, enrol_looks}
        task = bar.add_task("pictures", total=len(several) * len(set(paths)))
        reader, enroller = (
            FaceReader(client, options.kept_in, setting_of(client, options), options.corruption, options.seed, each)
            for each in (looks, enrol_looks)
        )
        seen = reader.read_all(paths, lambda: bar.advance(task))
        enrolled = seen if looks == enrol_looks else enroller.read_all(paths, lambda: bar.advance(task))
        plan = Plan(enrol, strangers, splits, options.seed, promise)
        result = evaluate_identities(people, seen, plan, embedder_curve(client, options), enrolled)
        measured = {**facts(client, options), "looks": looks, "enrol_looks": enrol_looks}
        worst = _worst(people, seen, reader) if pictures and options.report_file is not None else {}
    figures = _figures(result)
    show(figures)
    write(options, {**_json(result), **measured}, lambda: _report(result, figures, measured, worst))


def _figures(result: IdentitiesResult) -> Figures:
    divided = f"{result.enrolled} people enrolled, {result.strangers} strangers, {len(result.searches)} splits"
    rows = [("rank 1", f"{percent(result.rank1.mean)} ± {percent(result.rank1.std)}", divided)]
    for fpir, spread in result.fnir_at_fpir.items():
        rows.append((f"FNIR at FPIR {fpir:g}", f"{percent(spread.mean)} ± {percent(spread.std)}", ""))
    if result.measured_fpir is not None and result.measured_fnir is not None:
        got_names, missed = result.measured_fpir, result.measured_fnir
        promised = f"promised {percent(result.promised_fpir)} by calibration on the templates alone"
        rows.append(("FPIR measured", f"{percent(got_names.mean)} ± {percent(got_names.std)}", promised))
        rows.append(("FNIR there", f"{percent(missed.mean)} ± {percent(missed.std)}", ""))
    for far, rate in result.tar_at_far.items():
        rows.append((f"TAR at FAR {far:g}", percent(rate.value), "all pairs of pictures"))
    if 0.2 in result.fnmr_when_discarding:
        everyone, best = result.fnmr_when_discarding[0.0], result.fnmr_when_discarding[0.2]
        without = f"{percent(best)} without the fifth of the pictures of the lowest quality"
        rows.append(("FNMR at FMR 0.001", percent(everyone), without))
    rows.append(("failed to acquire", str(len(result.failed)), "pictures show no face"))
    return rows


def _json(result: IdentitiesResult) -> dict[str, Any]:
    return {
        "kind": "identities",
        "enrolled": result.enrolled,
        "strangers": result.strangers,
        "splits": len(result.searches),
        "rank1": result.rank1.mean,
        "fnir_at_fpir": {f"{fpir:g}": spread.mean for fpir, spread in result.fnir_at_fpir.items()},
        "fnir_at_fpir_std": {f"{fpir:g}": spread.std for fpir, spread in result.fnir_at_fpir.items()},
        "promised_fpir": result.promised_fpir,
        "measured_fpir": None if result.measured_fpir is None else result.measured_fpir.mean,
        "measured_fpir_std": None if result.measured_fpir is None else result.measured_fpir.std,
        "measured_fnir": None if result.measured_fnir is None else result.measured_fnir.mean,
        "tar_at_far": {f"{far:g}": rate.value for far, rate in result.tar_at_far.items()},
        "tar_at_far_95": {f"{far:g}": [rate.low, rate.high] for far, rate in result.tar_at_far.items()},
        "fnmr_when_discarding": {f"{share:g}": rate for share, rate in result.fnmr_when_discarding.items()},
        "pictures": result.pictures,
        "failed_to_acquire": len(result.failed) / result.pictures,
        "failed_pictures": [path.name for path in result.failed],
    }


def _worst(people: People, seen: Mapping[Path, SeenFaces], reader: FaceReader) -> dict[str, list[Shown]]:
    one, two = worst_pairs(people, seen, _WORST)

    def shown(pairs: WorstPairs) -> list[Shown]:
        return [
            Shown([reader.picture(a), reader.picture(b)], f"{a.stem}, {b.stem}: {score:.3f}") for a, b, score in pairs
        ]

    return {
        "Least similar pairs of one person (wrong labels?)": shown(one),
        "Most similar pairs of two people": shown(two),
    }


def _report(
    result: IdentitiesResult, figures: Figures, measured: dict[str, Any], worst: dict[str, list[Shown]]
) -> Report:
    mated = np.concatenate([each.mated[each.right] for each in result.searches])
    strangers = np.concatenate([each.strangers for each in result.searches])
    return Report(
        title=f"Identification: rank 1 {percent(result.rank1.mean)}",
        command=command_line(),
        figures=figures,
        facts={key: str(value) for key, value in measured.items()},
        plots=[
            plots.identification(result.searches),
            plots.score_histogram(mated, strangers, None, "Best similarity of a search"),
        ],
        galleries=worst,
    )

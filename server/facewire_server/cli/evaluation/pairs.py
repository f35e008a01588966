"""``facewire eval pairs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from facewire_server.cli.evaluation.shared import (
    Options,
    command_line,
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
from facewire_server.evaluation.faces import FaceReader
from facewire_server.evaluation.pairs import Pairs, PairsResult, evaluate_pairs, read_pairs
from facewire_server.evaluation.rates import best_threshold
from facewire_server.evaluation.report import Report, Shown

_WORST = 8
Figures = list[tuple[str, str, str]]


@click.command(
    epilog="""\b
Examples:
  facewire eval pairs --images lfw/ --pairs pairs.txt --json lfw.json --report lfw.html
  facewire eval pairs --images lfw/ --pairs pairs.txt --degrade dark=0.125"""
)
@existing_folder("--images", "NAME_0001.jpg, or NAME/NAME_0001.jpg.")
@click.option("--pairs", "pairs_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="In the format of Labeled Faces in the Wild; any number of folds.")  # fmt: skip
@click.option("--pictures", is_flag=True, help="Show the worst pairs in the report.")
@click.option("--looks", default=2, show_default=True, type=click.IntRange(1, 2),
              help="At each face: 1, as streams; 2, as enrolment, 1:1, and 1:N in doubt.")  # fmt: skip
@evaluation_options
def pairs(options: Options, images: Path, pairs_file: Path, pictures: bool, looks: int) -> None:
    """Verification (1:1): are two pictures of one person?

    Accuracy is by LFW's protocol: each fold at the threshold that is best on the others. TAR at FAR: the share of pairs
    of one person that are accepted where at most so many pairs of two people are.
    """
    wanted = read_pairs(images, pairs_file)
    with server(options) as client, progress() as bar:
        task = bar.add_task("pictures", total=len(wanted.pictures))
        reader = FaceReader(
            client, options.kept_in, setting_of(client, options), options.corruption, options.seed, looks
        )
        result = evaluate_pairs(wanted, reader.read_all(wanted.pictures, lambda: bar.advance(task)))
        measured = {**facts(client, options), "looks": looks}
        figures = _figures(result)
        worst = _worst(result, reader) if pictures and options.report_file is not None else {}
    show(figures)
    write(options, {**_json(result), **measured}, lambda: _report(result, figures, measured, worst))


def _figures(result: PairsResult) -> Figures:
    pairs, folds = result.pairs, len(np.unique(result.pairs.fold))
    protocol = f"{len(pairs.same)} pairs, {folds} folds" if folds > 1 else "one fold: at its own best threshold"
    rows = [("accuracy", f"{percent(result.accuracy.mean)} ± {percent(result.accuracy.std)}", protocol)]
    for far, rate in result.tar_at_far.items():
        rows.append((f"TAR at FAR {far:g}", percent(rate.value), f"95 %: {percent(rate.low)} to {percent(rate.high)}"))
    rows.append(("equal error rate", percent(result.curve.eer), ""))
    rows.append(("failed to acquire", str(len(result.failed)), f"of {len(pairs.pictures)} pictures show no face"))
    return rows


def _json(result: PairsResult) -> dict[str, Any]:
    return {
        "kind": "pairs",
        "pairs": len(result.pairs.same),
        "folds": len(np.unique(result.pairs.fold)),
        "accuracy": {"mean": result.accuracy.mean, "std": result.accuracy.std},
        "tar_at_far": {f"{far:g}": rate.value for far, rate in result.tar_at_far.items()},
        "tar_at_far_95": {f"{far:g}": [rate.low, rate.high] for far, rate in result.tar_at_far.items()},
        "eer": result.curve.eer,
        "pictures": len(result.pairs.pictures),
        "failed_to_acquire": len(result.failed) / len(result.pairs.pictures),
        "failed_pictures": [path.name for path in result.failed],
    }


def _report(result: PairsResult, figures: Figures, measured: dict[str, Any], worst: dict[str, list[Shown]]) -> Report:
    pairs, scores = result.pairs, result.scores
    threshold = best_threshold(scores, pairs.same)
    return Report(
        title=f"Verification: {percent(result.accuracy.mean)}",
        command=command_line(),
        figures=figures,
        facts={key: str(value) for key, value in measured.items()},
        plots=[
            plots.score_histogram(scores[pairs.same], scores[~pairs.same], threshold, "Similarities"),
            plots.roc(result.curve),
            plots.det(result.curve),
        ],
        galleries=worst,
    )


def _worst(result: PairsResult, reader: FaceReader) -> dict[str, list[Shown]]:
    pairs: Pairs = result.pairs
    order = np.argsort(result.scores, kind="stable")

    def shown(indices: np.ndarray[Any, Any]) -> list[Shown]:
        return [
            Shown([reader.picture(pairs.left[i]), reader.picture(pairs.right[i])],
                  f"{pairs.left[i].stem}, {pairs.right[i].stem}: {result.scores[i]:.3f}")
            for i in indices
        ]  # fmt: skip

    return {
        "Least similar pairs of one person": shown(order[pairs.same[order]][:_WORST]),
        "Most similar pairs of two people": shown(order[~pairs.same[order]][::-1][:_WORST]),
    }

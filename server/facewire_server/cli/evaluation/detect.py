"""``facewire eval detect``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from facewire_server.cli.evaluation.shared import (
    Options,
    command_line,
    evaluation_options,
    existing_folder,
    facts,
    percent,
    progress,
    server,
    show,
    write,
)
from facewire_server.evaluation import plots
from facewire_server.evaluation.detection import DetectionResult, evaluate_detection, read_truth
from facewire_server.evaluation.report import Report

Figures = list[tuple[str, str, str]]


@click.command(
    epilog="""\b
Examples:
  facewire eval detect --images WIDER_val/images --truth wider_face_val_bbx_gt.txt
  facewire eval detect --images photos/ --truth boxes.json --json ap.json"""
)
@existing_folder("--images", "The pictures that the truth names.")
@click.option("--truth", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="WIDER FACE's list, or JSON; see docs/evaluation.md.")  # fmt: skip
@evaluation_options
def detect(options: Options, images: Path, truth: Path) -> None:
    """Detection: average precision at an overlap (IoU) of one half, by WIDER FACE's protocol."""
    pictures = read_truth(images, truth)
    # The curve goes down to faces that nobody would report.
    with server(options, "pipeline.max_faces=1000") as client, progress() as bar:
        task = bar.add_task("pictures", total=len(pictures))
        result = evaluate_detection(client, pictures, options.corruption, options.seed, lambda: bar.advance(task))
        measured = facts(client, options)
    figures = _figures(result)
    show(figures)
    write(options, {**_json(result), **measured}, lambda: _report(result, figures, measured))


def _figures(result: DetectionResult) -> Figures:
    rows = [(f"AP {name}", percent(ap), "") for name, ap in result.ap.items()]
    rows += [(f"AP, {name} faces", percent(ap), "of the picture's height: below 3 %, between, above 40 %")
             for name, ap in result.ap_by_size.items()]  # fmt: skip
    rows.append(("faces", str(result.faces), f"in {result.pictures} pictures"))
    return rows


def _json(result: DetectionResult) -> dict[str, Any]:
    return {
        "kind": "detect",
        "ap": dict(result.ap),
        "ap_by_size": dict(result.ap_by_size),
        "pictures": result.pictures,
        "faces": result.faces,
    }


def _report(result: DetectionResult, figures: Figures, measured: dict[str, Any]) -> Report:
    return Report(
        title=f"Detection: AP {percent(result.ap['all'])}",
        command=command_line(),
        figures=figures,
        facts={key: str(value) for key, value in measured.items()},
        plots=[plots.precision_recall(result.curves)],
    )

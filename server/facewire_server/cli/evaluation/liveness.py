"""``facewire eval liveness``."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import click

from facewire_server.cli.evaluation.shared import (
    Options,
    command_line,
    evaluation_options,
    existing_folder,
    facts,
    output,
    percent,
    progress,
    server,
    setting_of,
    show,
    write,
)
from facewire_server.domain.rate import Rate
from facewire_server.evaluation import plots
from facewire_server.evaluation.faces import FaceReader
from facewire_server.evaluation.liveness import (
    KeptAnswers,
    LivenessResult,
    evaluate_liveness,
    find_presentations,
    largest_face,
)
from facewire_server.evaluation.report import Report

Figures = list[tuple[str, str, str]]


@click.command(
    epilog="""\b
Examples:
  facewire eval liveness --live people/ --attack attacks/ --config facewire.toml
  facewire eval liveness --live people/ --attack attacks/ --server 127.0.0.1:50061 --report liveness.html
\b
Folders within the attacks' folder are kinds of attack (print/, screen/, mask/). The last line printed is the live
faces' curve as the model's manifest entry takes it: the server's limits follow from it."""
)
@existing_folder("--live", "Pictures of living people, as the camera takes them.")
@existing_folder("--attack", "Pictures of attacks, a folder for each kind.")
@evaluation_options
def liveness(options: Options, live: Path, attack: Path) -> None:
    """Liveness: are pictures and screens told from living people?

    BPCER: living people called SPOOF. APCER: attacks called LIVE, of the worst kind.
    """
    wanted = find_presentations(live, attack)
    with server(options) as client, progress() as bar:
        task = bar.add_task("pictures", total=wanted.count)
        reader = FaceReader(client, options.kept_in, setting_of(client, options), options.corruption, options.seed, 1)

        def read(path: Path) -> bytes:
            if options.corruption is None:
                return path.read_bytes()
            out = io.BytesIO()
            reader.picture(path).save(out, "PNG", compress_level=1)
            return out.getvalue()

        ask = KeptAnswers(partial(largest_face, client), options.kept_in, setting_of(client, options))
        result = evaluate_liveness(wanted, ask, read, lambda: bar.advance(task))
        measured = facts(client, options)
    figures = _figures(result, wanted.count)
    show(figures)
    line = result.manifest_line()
    if line is None:
        output().print("[dim]for the manifest:[/] too few live faces for a curve")
    else:
        output().print(f"[dim]for the manifest:[/] {line}", soft_wrap=True)
        output().print(
            f"[dim]{len(result.live)} live faces support a target_bpcer of {result.smallest_rate():g} or more[/]"
        )
    write(options, {**_json(result), **measured}, lambda: _report(result, figures, measured))


def _figures(result: LivenessResult, pictures: int) -> Figures:
    rows = [
        ("BPCER", percent(result.called_spoof.value), f"living people called SPOOF; {_interval(result.called_spoof)}"),
        (
            "not called LIVE",
            percent(result.not_called_live.value),
            f"with the UNSURE; {_interval(result.not_called_live)}",
        ),
    ]
    for kind, rate in result.called_live.items():
        rows.append((f"APCER, {kind}", percent(rate.value), f"attacks called LIVE; {_interval(rate)}"))
    for bpcer, kinds in result.apcer_at_bpcer.items():
        worst = max(kinds.values(), key=lambda rate: rate.value)
        rows.append((f"APCER at BPCER {bpcer:g}", percent(worst.value), f"the worst kind; {_interval(worst)}"))
    rows.append(("equal error rate", percent(result.curve.eer), ""))
    rows.append(("failed to acquire", str(len(result.failed)), f"of {pictures} pictures show no face"))
    return rows


def _interval(rate: Rate) -> str:
    return f"95 %: {percent(rate.low)} to {percent(rate.high)}"


def _json(result: LivenessResult) -> dict[str, Any]:
    return {
        "kind": "liveness",
        "live": len(result.live),
        "attacks": {kind: len(scores) for kind, scores in result.attacks.items()},
        "bpcer": result.called_spoof.value,
        "not_called_live": result.not_called_live.value,
        "apcer": {kind: rate.value for kind, rate in result.called_live.items()},
        "apcer_at_bpcer": {
            f"{bpcer:g}": {kind: rate.value for kind, rate in kinds.items()}
            for bpcer, kinds in result.apcer_at_bpcer.items()
        },
        "eer": result.curve.eer,
        "failed_pictures": [path.name for path in result.failed],
        "manifest": result.manifest_line(),
    }


def _report(result: LivenessResult, figures: Figures, measured: dict[str, Any]) -> Report:
    return Report(
        title=f"Liveness: APCER {percent(max(rate.value for rate in result.called_live.values()))}, "
        f"BPCER {percent(result.called_spoof.value)}",
        command=command_line(),
        figures=[*figures, ("for the manifest", "", result.manifest_line() or "too few live faces for a curve")],
        facts={key: str(value) for key, value in measured.items()},
        plots=[plots.liveness_histogram(result.live, result.attacks)],
    )

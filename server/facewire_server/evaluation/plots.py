"""Curves as SVG, drawn by matplotlib (the extra "eval")."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from facewire_server.evaluation.errors import InputError
from facewire_server.evaluation.rates import ErrorCurve, Scores, Searches, threshold_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def require_matplotlib() -> None:
    """So that nobody waits for an hour and then gets no report.

    Raises:
        InputError: it is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - large, and only reports need it
    except ImportError:
        raise InputError("--report draws with matplotlib: pip install 'facewire[eval]'") from None


def score_histogram(genuine: Scores, impostor: Scores, threshold: float | None, title: str) -> str:
    """Similarities of pairs of one person and of two, as SVG."""
    figure, axes = _axes(title, "similarity (cosine)", "share of comparisons")
    bins = np.linspace(-0.4, 1.0, 71)
    for scores, label, colour in ((impostor, "different people", "#c44e52"), (genuine, "one person", "#4c72b0")):
        axes.hist(scores, bins, weights=np.full(len(scores), 1 / max(len(scores), 1)), alpha=0.65, label=label,
                  color=colour)  # fmt: skip
    if threshold is not None:
        axes.axvline(threshold, color="black", linewidth=1, linestyle="--", label=f"threshold {threshold:.3f}")
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    axes.legend(ncols=3, fontsize="small", loc="upper center")
    return _svg(figure)


def liveness_histogram(live: Scores, attacks: Mapping[str, Scores]) -> str:
    """Liveness scores of living people and of attacks, as SVG."""
    figure, axes = _axes("Liveness", "score", "share of pictures")
    bins = np.linspace(0, 1, 41)
    for label, scores in {"live": live, **attacks}.items():
        axes.hist(scores, bins, weights=np.full(len(scores), 1 / len(scores)), alpha=0.6, label=label)
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    axes.legend(ncols=3, fontsize="small", loc="upper center")
    return _svg(figure)


def roc(curve: ErrorCurve) -> str:
    """True-accept rate over false-match rate, as SVG."""
    figure, axes = _axes("ROC", "false-match rate", "true-accept rate")
    axes.step(np.maximum(curve.fmr, 1e-6), 1 - curve.fnmr, color="#4c72b0", where="post")
    _logarithmic(axes, curve.fmr)
    shown = float(curve.fnmr[curve.fmr > 0].max(initial=0.01))
    axes.set_ylim(max(0.0, 1 - 1.5 * shown), 1 + 0.02 * shown)
    return _svg(figure)


def det(curve: ErrorCurve) -> str:
    """Detection error trade-off: both error rates on logarithmic scales, as SVG."""
    figure, axes = _axes("DET", "false-match rate", "false-non-match rate")
    axes.step(np.maximum(curve.fmr, 1e-6), np.maximum(curve.fnmr, 1e-6), color="#4c72b0", where="post")
    _logarithmic(axes, curve.fmr)
    axes.set_yscale("log")
    axes.set_ylim(float(curve.fnmr[curve.fnmr > 0].min(initial=1e-3)) / 2, 1)
    return _svg(figure)


def identification(searches: Sequence[Searches]) -> str:
    """FNIR over FPIR: each split thin, their mean thick, as SVG."""
    figure, axes = _axes("Identification", "FPIR: strangers who get a name", "FNIR: enrolled people without their name")
    smallest = 1 / max(min(len(each.strangers) for each in searches), 2)
    rates = np.geomspace(smallest, 1, 60)
    rows = [[each.fnir(threshold_at(each.strangers, rate)).value for rate in rates] for each in searches]
    for row in rows:
        axes.plot(rates, row, color="#4c72b0", alpha=0.2, linewidth=0.8)
    axes.plot(rates, np.mean(rows, axis=0), color="#4c72b0", linewidth=2, label=f"mean of {len(rows)} splits")
    axes.set_xscale("log")
    axes.set_ylim(0, None)
    axes.legend()
    return _svg(figure)


def precision_recall(curves: Mapping[str, tuple[Scores, Scores]]) -> str:
    """Precision over recall for each subset, as SVG."""
    figure, axes = _axes("Detection", "recall", "precision")
    for name, (recall, precision) in curves.items():
        axes.plot(recall, precision, label=name)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.legend()
    return _svg(figure)


def _axes(title: str, x: str, y: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _logarithmic(axes: Any, fmr: Scores) -> None:
    axes.set_xscale("log")
    axes.set_xlim(float(fmr[fmr > 0].min(initial=1.0)) / 2, 1)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]

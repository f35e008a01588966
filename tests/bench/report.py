"""The result for people and for programs: a table, a plot, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Table

from tests.bench.row import Row

_GOOD, _BAD = "#2a7f62", "#b5382c"


def write_json(path: Path, machine: dict[str, object], rows: Sequence[Row]) -> None:
    """Machine and rows."""
    path.write_text(
        json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8"
    )


def print_table(console: Console, rows: Sequence[Row]) -> None:
    """One line a row; misses are red."""
    table = Table("row", "ours", "peer", "ratio (quartiles)", "goal", "met", expand=False)
    for row in rows:
        spread = "" if row.spread is None else f" ({row.spread[0]:.2f}-{row.spread[1]:.2f})"
        table.add_row(
            row.name,
            f"{row.our_value:.3g} {row.unit}",
            "" if row.peer_value is None else f"{row.peer_value:.3g} {row.unit}: {row.peer}",
            "" if row.ratio is None else f"{row.ratio:.2f}{spread}",
            row.goal,
            "yes" if row.met else "NO",
            style=None if row.met else "bold red",
        )
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"[dim]{row.name}: {row.note}[/]", highlight=False)


def write_markdown(path: Path, rows: Sequence[Row]) -> None:
    """The table of docs/performance.md."""
    lines = ["| row | ours | peer | ratio (quartiles) | goal | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        spread = "" if row.spread is None else f" ({row.spread[0]:.2f}-{row.spread[1]:.2f})"
        peer = "" if row.peer_value is None else f"{row.peer_value:.3g}: {row.peer}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}{spread}"
        met = "yes" if row.met else "**no**"
        lines.append(f"| {row.name} | {row.our_value:.3g} {row.unit} | {peer} | {ratio} | {row.goal} | {met} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plot(path: Path, machine: dict[str, object], rows: Sequence[Row]) -> None:
    """Ratios as bars on a logarithmic scale, with a mark at each goal."""
    shown = [(row, row.ratio) for row in rows if row.ratio is not None and row.goal.startswith(">=")]
    figure, axes = plt.subplots(figsize=(10, 0.42 * len(shown) + 1.6), layout="constrained")
    for place, (row, ratio) in enumerate(reversed(shown)):
        goal = float(row.goal.removeprefix(">= ").removesuffix("x"))
        axes.barh(place, ratio, color=_GOOD if row.met else _BAD, height=0.62)
        axes.plot([goal, goal], [place - 0.42, place + 0.42], color="black", linewidth=2)
        axes.text(ratio * 1.03, place, f"{ratio:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(shown)), [row.name for row, _ in reversed(shown)], fontsize=9)
    axes.set_xscale("log")
    axes.set_xticks([0.5, 1, 2, 3, 5, 10], ["0.5", "1", "2", "3", "5", "10"])
    axes.axvline(1, color="grey", linewidth=0.8, zorder=0)
    axes.set_xlabel("times as fast as the peer (black: the goal)")
    axes.set_title(f"{machine['processor']}, {machine['cores']} cores, {machine['isa']}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)

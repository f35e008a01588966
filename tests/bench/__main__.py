"""Everything measured against its peers, in one run. Needs the extra environment of `make bench`.

python -m tests.bench [--only kernels,search,models,pipeline,server,streams,start] [--rounds N] [--out DIR]

Each comparison alternates ours and the peer's; ratios are medians over rounds, with their quartiles.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from rich.console import Console

GROUPS = ("kernels", "search", "models", "pipeline", "server", "streams", "start")
_MODULES = {"kernels": "kernel_rows", "models": "model_rows", "streams": "stream_rows"}
# One thread for numpy and faiss, as the rows say; and numpy's own choice of kernel.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default=",".join(GROUPS))
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--out", type=Path, default=Path("bench-output"))
    chosen = arguments.parse_args()
    groups = chosen.only.split(",")
    if unknown := set(groups) - set(GROUPS):
        arguments.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    _in_a_clean_environment()
    machine, report = (importlib.import_module(f"tests.bench.{name}") for name in ("machine", "report"))
    facts = machine.facts()
    console = Console(width=150)
    rows = []
    for group in groups:
        module = importlib.import_module(f"tests.bench.{_MODULES.get(group, group + '_rows')}")
        with console.status(f"measuring: {group} ..."):
            for row in module.rows(chosen.rounds):
                rows.append(row)
                console.log(f"{row.name}: {row.our_value:.3g} {row.unit}, {'met' if row.met else 'NOT met'}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    report.write_json(chosen.out / "bench.json", facts, rows)
    report.write_markdown(chosen.out / "bench.md", rows)
    report.plot(chosen.out / "bench.png", facts, rows)
    report.print_table(console, rows)
    met = sum(row.met for row in rows)
    console.print(f"{met} of {len(rows)} goals met; written: bench.json, bench.md, bench.png in {chosen.out}")
    return 0


def _in_a_clean_environment() -> None:
    """These variables are read when libraries are loaded: the program starts itself anew with them."""
    if any(name in os.environ for name in _SLOWING) or any(os.environ.get(k) != v for k, v in _THREADS.items()):
        environment = {k: v for k, v in os.environ.items() if k not in _SLOWING} | _THREADS
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench", *sys.argv[1:]], environment)


if __name__ == "__main__":
    sys.exit(main())

"""Whether the hot kernels became slower, without trusting a clock: instructions are counted, ratios are alternated.

python -m tests.bench.check [--write]      --write makes what is measured now the new baseline
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench import kernel_rows

ROOT = Path(__file__).parents[2]
BASELINE = Path(__file__).with_name("baseline.json")
PROGRAM = ROOT / "build" / "bench" / "facewire_bench"
ISA = "avx2"  # valgrind knows no AVX-512
TIMES = 5
# The same compiler repeats its counts to the instruction; another one's code is other code.
SAME_COMPILER, OTHER_COMPILER = 1.03, 1.35
LEAST_OF_RATIO = 0.6  # of the baseline's: OpenCV's builds and processors differ
Counts = dict[str, int]


def build() -> str:
    """Builds the program; the compiler's name and version."""
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:{Path(sys.executable).parent}"}
    for command in (
        ["cmake", "-S", str(ROOT), "-B", str(PROGRAM.parent), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
         "-DFACEWIRE_PYTHON=OFF", "-DFACEWIRE_BENCH=ON"],
        ["cmake", "--build", str(PROGRAM.parent), "--target", "facewire_bench"],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return subprocess.run(["c++", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def count_all() -> Counts:
    """Instructions of one run of each kernel."""
    listed = subprocess.run([PROGRAM, "list"], check=True, capture_output=True, text=True).stdout.splitlines()
    return {
        name: (_count(name, 1 + TIMES) - _count(name, 1)) // TIMES for name in track(listed, "counting instructions")
    }


def _count(name: str, times: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(PROGRAM), name, str(times)]
    environment = {**os.environ, "FACEWIRE_ISA": ISA}
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    except FileNotFoundError as error:
        raise SystemExit("valgrind is missing; on Debian: apt-get install valgrind") from error
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise SystemExit(f"valgrind counted nothing:\n{done.stderr[-1000:]}")
    return int(found[1])


def ratios() -> dict[str, float]:
    """Against OpenCV, by row."""
    return {row.name: row.ratio for row in kernel_rows.rows(7) if row.ratio is not None}


def compare(now: dict[str, object], then: dict[str, object], console: Console) -> Iterator[str]:
    """Prints a table; what became slower."""
    same = now["compiler"] == then["compiler"]
    limit = SAME_COMPILER if same else OTHER_COMPILER
    if not same:
        console.print(f"the baseline is of another compiler ({then['compiler']}): counts may rise by {limit:g}x")
    table = Table("what", "baseline", "now", "now / baseline", "limit")
    for kind, worse in (("instructions", lambda x: x > limit), ("ratio to OpenCV", lambda x: x < LEAST_OF_RATIO)):
        before, after = then[kind], now[kind]
        if not isinstance(before, dict) or not isinstance(after, dict):
            raise SystemExit(f"{BASELINE} is damaged: {kind} is no table")
        for name in sorted(before.keys() | after.keys()):
            if name not in before or name not in after:
                yield f"{name} is {'new' if name in after else 'gone'}: run with --write"
                continue
            change = after[name] / before[name]
            bad = worse(change)
            bound = f"<= {limit:g}" if kind == "instructions" else f">= {LEAST_OF_RATIO:g}"
            shown = (f"{before[name]:,.4g}", f"{after[name]:,.4g}") if kind != "instructions" else (
                f"{before[name]:,}", f"{after[name]:,}")  # fmt: skip
            table.add_row(f"{kind}: {name}", *shown, f"{change:.3f}", bound, style="bold red" if bad else None)
            if bad:
                yield f"{kind} of '{name}': {shown[1]}, baseline {shown[0]}"
    console.print(table)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", action="store_true")
    chosen = arguments.parse_args()
    now: dict[str, object] = {"compiler": build(), "isa": ISA, "instructions": count_all(), "ratio to OpenCV": ratios()}
    if chosen.write:
        BASELINE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        print(f"written: {BASELINE.relative_to(ROOT)}")
        return
    slower = list(compare(now, json.loads(BASELINE.read_text(encoding="utf-8")), Console(width=120)))
    if slower:
        raise SystemExit("slower than the baseline:\n  " + "\n  ".join(slower))
    print("no kernel became slower")


if __name__ == "__main__":
    main()

"""What a training tells: one line a step in a CSV file, the same to TensorBoard."""

from __future__ import annotations

import csv
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Journal:
    """Writes a run's numbers, until it is closed.

    Args:
        folder: of the run: log.csv, and TensorBoard's files in ``tensorboard``.
        first_step: what later steps had written before the training was killed is dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._path = folder / "log.csv"
        kept = [row for row in read_journal(self._path) if int(row["step"]) < first_step]
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._writer: csv.DictWriter[str] | None = None
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)
        for row in kept:
            self._row(row)

    def close(self) -> None:
        """Ends both."""
        self._file.close()
        self._board.close()

    def write(self, step: int, numbers: dict[str, float]) -> None:
        """The numbers of a step."""
        self._row({"step": str(step), **{name: f"{value:.6g}" for name, value in numbers.items()}})
        for name, value in numbers.items():
            self._board.add_scalar(name, value, step)

    def flush(self) -> None:
        """To the disk."""
        self._file.flush()

    def _row(self, row: dict[str, str]) -> None:
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row))
            self._writer.writeheader()
        self._writer.writerow(row)


def read_journal(path: Path) -> list[dict[str, str]]:
    """The lines of a log.csv, whole ones; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]

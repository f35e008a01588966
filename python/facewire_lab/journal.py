"""What a training tells: lines of a CSV file, the same to TensorBoard."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Journal:
    """Writes a run's numbers, until it is closed.

    Args:
        folder: of the run.
        name: of the CSV file, and of TensorBoard's folder in ``tensorboard``.
        first_step: what later steps had written before the training was killed is dropped.
    """

    def __init__(self, folder: Path, name: str, first_step: int) -> None:
        path = folder / f"{name}.csv"
        kept = [row for row in read_journal(path) if int(row["step"]) < first_step]
        self._columns = list(kept[0]) if kept else []
        new = folder / f"{name}.new"
        with new.open("w", newline="", encoding="utf-8") as file:
            if kept:
                writer = csv.DictWriter(file, self._columns)
                writer.writeheader()
                writer.writerows(kept)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        self._file = path.open("a", newline="", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard" / name), purge_step=first_step)

    def close(self) -> None:
        """Ends both."""
        self._file.close()
        self._board.close()

    def write(self, step: int, numbers: dict[str, float]) -> None:
        """The numbers of a step, the same ones each time."""
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in numbers.items()}}
        if not self._columns:
            self._columns = list(row)
            csv.DictWriter(self._file, self._columns).writeheader()
        csv.DictWriter(self._file, self._columns).writerow(row)
        for name, value in numbers.items():
            self._board.add_scalar(name, value, step)

    def flush(self) -> None:
        """To the disk, before the checkpoint that counts on it."""
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> list[dict[str, str]]:
    """The lines of such a file, whole ones; none where there is no file, or another one."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values() and row.get("step", "").isdecimal()]

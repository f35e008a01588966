"""Other threads run while kernels work: they release the GIL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from facewire import kernels


class Ticker(threading.Thread):
    """Counts in Python until stopped, and keeps the longest pause between two counts."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.longest_pause_s = 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        last = time.perf_counter()
        while not self.stopped.is_set():
            now = time.perf_counter()
            self.longest_pause_s = max(self.longest_pause_s, now - last)
            last = now
            self.count += 1


def ticks_during(work: Callable[[], object]) -> tuple[float, Ticker]:
    """Seconds the work took, and the ticker that ran beside it."""
    ticker = Ticker()
    ticker.start()
    while ticker.count == 0:
        time.sleep(0.001)
    began = time.perf_counter()
    work()
    taken_s = time.perf_counter() - began
    ticker.stopped.set()
    ticker.join()
    return taken_s, ticker


def test_other_threads_run_while_a_long_search_does() -> None:
    rng = np.random.default_rng(5)
    index = kernels.GalleryIndex(64)
    index.add(rng.standard_normal((200_000, 64), np.float32), np.arange(200_000))
    queries = rng.standard_normal((150, 64), np.float32)
    kernels.use_isa("scalar")  # long on any machine
    taken_s, ticker = ticks_during(lambda: index.search(queries, 5, compressed=False))
    # Holding the GIL would show as one pause of the whole search.
    assert taken_s > 0.2
    assert ticker.longest_pause_s < taken_s / 2
    assert ticker.count > 1000


def test_other_threads_run_while_many_rows_are_added() -> None:
    rows = np.random.default_rng(6).standard_normal((100_000, 256), np.float32)
    subjects = np.arange(len(rows))
    index = kernels.GalleryIndex(256)
    taken_s, ticker = ticks_during(lambda: index.add(rows, subjects))
    assert ticker.longest_pause_s < max(taken_s / 2, 0.05)

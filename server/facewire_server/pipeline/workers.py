"""Worker threads with a bounded queue: the only place where pictures are worked on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import NotReady, Overloaded
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.waiting import result_of

T = TypeVar("T")


class WorkerPool:
    """Runs calls on threads; refuses at once what it could not take up soon.

    Args:
        name: of the threads.
        workers: threads.
        max_pending: calls in work or waiting; one more is refused.
    """

    def __init__(self, name: str, workers: int, max_pending: int) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._name = name
        self._workers = workers
        self._max_pending = max_pending
        self._pending = 0
        self._typical_s = 0.05
        self._closed = False

    @property
    def pending(self) -> int:
        """Calls in work or waiting."""
        return self._pending

    async def run(self, work: Callable[[], T], budget: Budget, clock: StageClock) -> T:
        """Runs ``work`` on a thread and waits for it. For the event loop's thread only.

        If the waiting task is cancelled, the work learns of it through the budget, at the latest when it begins.

        Raises:
            Overloaded: the queue is full.
            NotReady: the pool is closed.
        """
        if self._closed:
            raise NotReady("the server is stopping")
        if self._pending >= self._max_pending:
            wait_s = self._pending * self._typical_s / self._workers
            raise Overloaded(f"the {self._name} queue is full ({self._max_pending} calls)", max(wait_s, 0.1))
        self._pending += 1
        queued = time.perf_counter()

        def timed() -> T:
            started = time.perf_counter()
            clock.add("queue", started - queued)
            budget.check()
            result = work()
            self._typical_s += 0.1 * (time.perf_counter() - started - self._typical_s)
            return result

        loop = asyncio.get_running_loop()
        future = self._executor.submit(timed)
        # The place is given back when the thread is done, not when the caller stops waiting.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release))
        try:
            # Not withdrawn: work that waits keeps its place, and its request in memory, until a thread takes it up.
            return await result_of(future)
        except asyncio.CancelledError:
            budget.cancel()
            raise

    def _release(self) -> None:
        self._pending -= 1

    def close(self) -> None:
        """Takes no more calls and waits for those under way."""
        self._closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)

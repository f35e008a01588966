"""Worker threads: the only place where pictures are worked on. Calls wait in a bounded queue, streams take turns."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, cast

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import NotReady, Overloaded
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.turns import Lane, Turn, Turns, WaitingCall

log = logging.getLogger(__name__)
T = TypeVar("T")


class WorkerPool:
    """Runs calls and streams on threads; refuses at once a call that it could not take up soon.

    Args:
        name: of the threads.
        workers: threads.
        max_pending: calls in work or waiting; one more is refused.
        call_share: share of the threads' time that calls get while streams want all of it.
    """

    def __init__(self, name: str, workers: int, max_pending: int, call_share: float = 0.5) -> None:
        self._name = name
        self._max_pending = max_pending
        self._pending = 0
        self._typical_s = 0.05
        self._closed = False
        self._turns = Turns(call_share)
        self._something = threading.Condition()
        self._threads = [threading.Thread(target=self._work, name=f"{name}_{i}", daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def workers(self) -> int:
        """Threads."""
        return len(self._threads)

    @property
    def max_pending(self) -> int:
        """Calls in work or waiting that are taken."""
        return self._max_pending

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
            wait_s = self._pending * self._typical_s / len(self._threads)
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
        answer: asyncio.Future[T] = loop.create_future()

        def hand_over(result: T | None, error: BaseException | None) -> None:
            """On the event loop, when the thread is done: then the place is free, not when the caller stops waiting."""
            self._pending -= 1
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(cast(T, result))
            else:
                answer.set_exception(error)

        def on_thread() -> None:
            try:
                result = timed()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the answer
                loop.call_soon_threadsafe(hand_over, None, error)
            else:
                loop.call_soon_threadsafe(hand_over, result, None)

        def refuse() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(hand_over, None, NotReady("the server is stopping"))

        with self._something:
            self._turns.add_call(WaitingCall(on_thread, refuse))
            self._something.notify()
        try:
            # Not withdrawn: work that waits keeps its place, and its request in memory, until a thread takes it up.
            return await answer
        except asyncio.CancelledError:
            budget.cancel()
            raise

    def lane(self, work: Callable[[], None]) -> Lane:
        """A stream's place in the turns. ``work`` runs once for each :meth:`wake`, never twice at a time."""
        return Lane(work)

    def wake(self, lane: Lane) -> None:
        """The stream has something to do. Thread-safe; nothing happens if it waits for its turn already."""
        with self._something:
            if not self._closed and self._turns.wake(lane):
                self._something.notify()

    def close_lane(self, lane: Lane) -> None:
        """The stream is gone. Thread-safe."""
        with self._something:
            self._turns.close_lane(lane)

    def _work(self) -> None:
        while True:
            with self._something:
                while not self._turns and not self._closed:
                    self._something.wait()
                if self._closed:
                    return
                turn = self._turns.next()
            self._take(turn)

    def _take(self, turn: Turn) -> None:
        started = time.perf_counter()
        try:
            turn.work()
        except Exception:
            log.exception("a stream's turn failed")  # calls keep their errors for their callers
        with self._something:
            self._turns.done(turn, time.perf_counter() - started)
            if self._turns:
                self._something.notify()

    def close(self) -> None:
        """Takes no more work and waits for what is under way; calls that still wait are refused."""
        with self._something:
            self._closed = True
            waiting = self._turns.drop_all()
            self._something.notify_all()
        for thread in self._threads:
            thread.join()
        for call in waiting:
            call.refuse()

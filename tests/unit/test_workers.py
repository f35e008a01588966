"""The worker pool and a call's budget: limits, deadlines, cancellation, closing."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import CallCancelled, DeadlineExpired, NotReady, Overloaded
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.workers import WorkerPool


def test_a_budget_without_a_deadline_never_ends() -> None:
    Budget().check()


def test_a_budget_ends_by_time_and_by_cancellation() -> None:
    with pytest.raises(DeadlineExpired):
        Budget(0.0).check()
    budget = Budget(60)
    budget.cancel()
    with pytest.raises(CallCancelled):
        budget.check()


def test_results_and_errors_come_back_and_queueing_is_counted() -> None:
    async def run() -> None:
        pool = WorkerPool("test", workers=1, max_pending=4)
        clock = StageClock()
        slow = asyncio.create_task(pool.run(lambda: time.sleep(0.05), Budget(), StageClock()))
        await asyncio.sleep(0)
        assert await pool.run(lambda: 7, Budget(), clock) == 7
        assert clock.ms["queue"] > 20
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0, Budget(), clock)
        await slow
        assert pool.pending == 0
        pool.close()

    asyncio.run(run())


def test_one_call_too_many_is_refused_and_places_come_back() -> None:
    async def run() -> None:
        pool = WorkerPool("test", workers=1, max_pending=2)
        gate = threading.Event()
        waiting = [asyncio.create_task(pool.run(gate.wait, Budget(), StageClock())) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Overloaded) as caught:
            await pool.run(lambda: None, Budget(), StageClock())
        assert caught.value.retry_after_s > 0
        gate.set()
        await asyncio.gather(*waiting)
        assert await pool.run(lambda: "taken again", Budget(), StageClock()) == "taken again"
        pool.close()

    asyncio.run(run())


def test_cancelled_calls_keep_their_places_until_the_thread_is_done_with_them() -> None:
    async def run() -> None:
        pool = WorkerPool("test", workers=1, max_pending=4)
        gate, began, seen = threading.Event(), threading.Event(), []
        budget = Budget()

        def under_way() -> None:
            began.set()
            gate.wait()
            try:
                budget.check()
            except CallCancelled:
                seen.append("cancelled")

        first = asyncio.create_task(pool.run(under_way, budget, StageClock()))
        second = asyncio.create_task(pool.run(lambda: seen.append("ran"), Budget(), StageClock()))
        await asyncio.to_thread(began.wait)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(0.01)
        pending = pool.pending
        gate.set()
        await asyncio.to_thread(pool.close)
        await asyncio.sleep(0.01)
        assert pending == 2, "both hold their places until the thread has looked at them"
        assert pool.pending == 0
        assert seen == ["cancelled"]

    asyncio.run(run())


def test_an_expired_call_is_not_begun() -> None:
    async def run() -> None:
        pool = WorkerPool("test", workers=1, max_pending=4)
        ran: list[int] = []
        with pytest.raises(DeadlineExpired):
            await pool.run(lambda: ran.append(1), Budget(0.0), StageClock())
        assert ran == []
        pool.close()
        with pytest.raises(NotReady):
            await pool.run(lambda: None, Budget(), StageClock())

    asyncio.run(run())

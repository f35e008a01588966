"""Whose turn it is: fair among streams by time, calls against streams, nobody starves."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facewire_server.domain.budget import Budget
from facewire_server.domain.errors import NotReady
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.turns import Lane, Turns, WaitingCall
from facewire_server.pipeline.workers import WorkerPool


def nothing() -> None:
    pass


def serve(turns: Turns, costs: dict[Lane, float], seconds: float) -> dict[Lane, int]:
    """One thread; every lane always has something to do."""
    served = dict.fromkeys(costs, 0)
    now = 0.0
    while now < seconds:
        turn = turns.next()
        assert turn.lane is not None
        turns.wake(turn.lane)
        now += costs[turn.lane]
        served[turn.lane] += 1
        turns.done(turn, costs[turn.lane])
    return served


@given(st.lists(st.floats(0.002, 0.3), min_size=2, max_size=12))
@settings(deadline=None, max_examples=30)
def test_streams_get_equal_time_whatever_their_frames_cost(costs: list[float]) -> None:
    turns = Turns(0.5)
    lanes = {Lane(nothing): cost for cost in costs}
    for lane in lanes:
        turns.wake(lane)
    seconds = 60 * max(costs) * len(costs)
    served = serve(turns, lanes, seconds)
    for lane, cost in lanes.items():
        assert served[lane] * cost == pytest.approx(seconds / len(costs), rel=0.1, abs=2 * max(costs))


def test_a_stream_that_idled_gets_no_credit_for_it() -> None:
    turns = Turns(0.5)
    busy, late = Lane(nothing), Lane(nothing)
    turns.wake(busy)
    serve(turns, {busy: 0.02}, 10.0)
    turns.wake(late)
    served = serve(turns, {busy: 0.02, late: 0.02}, 2.0)
    assert abs(served[busy] - served[late]) <= 3, "the late one must not take all until it has caught up"


def test_calls_and_streams_share_by_the_share() -> None:
    for share in (0.25, 0.5, 0.75):
        turns = Turns(share)
        lane = Lane(nothing)
        turns.wake(lane)
        spent = {True: 0.0, False: 0.0}
        for _ in range(2000):
            turns.add_call(WaitingCall(nothing, nothing))
            turn = turns.next()
            is_call = turn.lane is None
            cost = 0.05 if is_call else 0.01
            spent[is_call] += cost
            if turn.lane is not None:
                turns.wake(turn.lane)
            turns.done(turn, cost)
        assert spent[True] / sum(spent.values()) == pytest.approx(share, abs=0.05)


def test_a_lone_call_comes_before_waiting_streams() -> None:
    turns = Turns(0.5)
    lanes = [Lane(nothing) for _ in range(5)]
    for lane in lanes:
        turns.wake(lane)
    serve(turns, dict.fromkeys(lanes, 0.05), 5.0)
    turns.add_call(WaitingCall(nothing, nothing))
    assert turns.next().lane is None


def test_a_lane_runs_once_for_many_wakes_and_again_if_woken_while_it_runs() -> None:
    turns = Turns(0.5)
    lane = Lane(nothing)
    assert turns.wake(lane)
    assert not turns.wake(lane)
    turn = turns.next()
    assert not turns, "it waits no longer"
    assert not turns.wake(lane)
    assert not turns, "not while it runs"
    turns.done(turn, 0.01)
    assert turns.next().lane is lane


def test_a_closed_lane_never_runs_again() -> None:
    turns = Turns(0.5)
    waiting, running = Lane(nothing), Lane(nothing)
    turns.wake(running)
    turn = turns.next()
    turns.wake(waiting)
    turns.wake(running)
    turns.close_lane(waiting)
    turns.close_lane(running)
    turns.done(turn, 0.01)
    assert not turns


def test_the_pool_runs_lanes_one_at_a_time_and_loses_no_wake() -> None:
    pool = WorkerPool("test", workers=4, max_pending=4)
    inside, most, left = 0, 0, 500
    guard = threading.Lock()
    done = threading.Event()

    def work() -> None:
        nonlocal inside, most, left
        with guard:
            inside += 1
            most = max(most, inside)
        time.sleep(0.0002)
        with guard:
            inside -= 1
            left -= 1
            if left <= 0:
                done.set()
                return
        pool.wake(lane)

    lane = pool.lane(work)
    pool.wake(lane)
    assert done.wait(10)
    assert most == 1
    pool.close()


def test_an_error_in_a_lane_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    pool = WorkerPool("test", workers=1, max_pending=4)
    pool.wake(pool.lane(lambda: 1 // 0))  # type: ignore[arg-type]

    async def run() -> int:
        return await pool.run(lambda: 7, Budget(), StageClock())

    assert asyncio.run(run()) == 7
    pool.close()
    assert "a stream's turn failed" in caplog.text


def test_closing_refuses_calls_that_wait() -> None:
    async def run() -> None:
        pool = WorkerPool("test", workers=1, max_pending=4)
        gate = threading.Event()
        first = asyncio.create_task(pool.run(gate.wait, Budget(), StageClock()))
        second = asyncio.create_task(pool.run(lambda: 7, Budget(), StageClock()))
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        await asyncio.sleep(0.02)
        gate.set()
        await closing
        assert await first is True
        with pytest.raises(NotReady):
            await second

    asyncio.run(run())

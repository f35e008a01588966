"""Whose turn it is: fair shares of the worker threads for streams among each other, and for calls against streams.

Everybody's time on the threads is added up, and who had least comes next; who was idle gets no credit for it
(start-time fair queueing: P. Goyal, H. M. Vin, H. Cheng, IEEE/ACM Transactions on Networking 5(5), 1997). Time, not
turns: a stream of many faces must not take more of the box than the others.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_TYPICAL: Final = 0.1  # weight of the newest duration in a typical one


@dataclass(slots=True, eq=False)
class Account:
    """Time had on the threads, divided by the share one is entitled to."""

    share: float
    had_s: float = 0.0
    typical_s: float = 0.02

    def begin(self) -> float:
        """Charges what a turn usually takes; the charge, for :meth:`end`."""
        self.had_s += self.typical_s / self.share
        return self.typical_s

    def end(self, charged_s: float, took_s: float) -> None:
        """Charges what it took instead."""
        self.had_s += (took_s - charged_s) / self.share
        self.typical_s += _TYPICAL * (took_s - self.typical_s)

    def catch_up(self, others: float) -> None:
        """After idling: no credit for the time others worked meanwhile."""
        self.had_s = max(self.had_s, others)


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call's work, and how to tell its caller that nobody will do it."""

    work: Callable[[], None]
    refuse: Callable[[], None]


@dataclass(slots=True, eq=False)
class Lane:
    """A stream's place in the turns. Made by ``WorkerPool.lane``."""

    work: Callable[[], None]
    account: Account = field(default_factory=lambda: Account(share=1.0))
    waiting_since: float | None = None
    running: bool = False
    again: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a thread shall do next, and to whose account."""

    work: Callable[[], None]
    accounts: tuple[tuple[Account, float], ...]
    lane: Lane | None


class Turns:
    """Waiting calls and streams. Not thread-safe: the pool guards it.

    Args:
        call_share: share of the threads' time that calls are entitled to while streams want it too, 0..1.
    """

    def __init__(self, call_share: float) -> None:
        self._calls: deque[WaitingCall] = deque()
        self._ready: list[Lane] = []
        self._call_account = Account(share=call_share)
        self._stream_account = Account(share=1.0 - call_share)
        # Virtual times: what whoever was chosen last had had then. Who comes after idling begins there.
        self._now_s = 0.0
        self._lanes_now_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._calls or self._ready)

    def add_call(self, call: WaitingCall) -> None:
        """A call waits."""
        if not self._calls:
            self._call_account.catch_up(self._now_s)
        self._calls.append(call)

    def wake(self, lane: Lane) -> bool:
        """The stream has something to do; whether that is news. While its work runs, it runs again afterwards."""
        if lane.closed or lane.waiting_since is not None:
            return False
        if lane.running:
            lane.again = True
            return False
        if not self._ready:
            self._stream_account.catch_up(self._now_s)
        lane.account.catch_up(self._lanes_now_s)
        lane.waiting_since = time.monotonic()
        self._ready.append(lane)
        return True

    def close_lane(self, lane: Lane) -> None:
        """The stream is gone; work under way ends by itself."""
        lane.closed = True
        if lane.waiting_since is not None:
            lane.waiting_since = None
            self._ready.remove(lane)

    def next(self) -> Turn:
        """Who had least comes next, a call before a stream; there must be something."""
        if self._calls and (not self._ready or self._call_account.had_s <= self._stream_account.had_s):
            self._now_s = max(self._now_s, self._call_account.had_s)
            return Turn(self._calls.popleft().work, ((self._call_account, self._call_account.begin()),), None)
        # Of two that had the same, the one whose frame is older.
        lane = min(self._ready, key=lambda each: (each.account.had_s, each.waiting_since))
        self._ready.remove(lane)
        self._now_s = max(self._now_s, self._stream_account.had_s)
        self._lanes_now_s = max(self._lanes_now_s, lane.account.had_s)
        lane.waiting_since = None
        lane.running = True
        accounts = ((self._stream_account, self._stream_account.begin()), (lane.account, lane.account.begin()))
        return Turn(lane.work, accounts, lane)

    def done(self, turn: Turn, took_s: float) -> None:
        """The thread is free again."""
        for account, charged_s in turn.accounts:
            account.end(charged_s, took_s)
        if turn.lane is not None:
            turn.lane.running = False
            if turn.lane.again:
                turn.lane.again = False
                self.wake(turn.lane)

    def drop_all(self) -> list[WaitingCall]:
        """Forgets whoever waits; the calls among them."""
        calls = list(self._calls)
        self._calls.clear()
        for lane in self._ready:
            lane.waiting_since = None
        self._ready.clear()
        return calls

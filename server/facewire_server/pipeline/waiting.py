"""Waiting on the event loop for work on a thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TypeVar

T = TypeVar("T")


async def result_of(work: concurrent.futures.Future[T]) -> T:
    """The work's result. If the waiting task is cancelled the work goes on, and nobody asks for its result or error."""
    waiting = asyncio.wrap_future(work)
    waiting.add_done_callback(_look_at)
    return await asyncio.shield(waiting)


def _look_at(done: asyncio.Future[T]) -> None:
    """An error nobody looked at would be logged as forgotten."""
    if not done.cancelled():
        done.exception()

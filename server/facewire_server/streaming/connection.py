"""One call that carries a stream: answers on their way out, and the end. For the event loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from facewire_server.domain.stream import FrameAnswer, StreamOpened

# So many answers may wait to be sent while the next frame is worked on: one hides the way through the event loop.
MAX_UNSENT = 2


class Connection:
    """A stream's call. What ends it is put into the queue of answers."""

    def __init__(self, opened: StreamOpened) -> None:
        self.opened = opened
        self.unsent = 0
        self.finished = False
        self.room = asyncio.Event()
        self.room.set()
        self.touched = asyncio.get_running_loop().time()
        self._queue: asyncio.Queue[FrameAnswer | Exception | None] = asyncio.Queue()

    def deliver(self, answer: FrameAnswer) -> None:
        """An answer is to be sent."""
        self.unsent += 1
        self._queue.put_nowait(answer)

    def fail(self, error: Exception) -> None:
        """The call ends with this error, after the answers that wait."""
        self._queue.put_nowait(error)
        self.room.set()

    def end(self) -> None:
        """The call ends well."""
        self._queue.put_nowait(None)

    async def answers(self) -> AsyncIterator[FrameAnswer]:
        """The answers as they come.

        Raises:
            Exception: what :meth:`fail` was given.
        """
        while True:
            answer = await self._queue.get()
            if answer is None:
                return
            if isinstance(answer, Exception):
                raise answer
            yield answer

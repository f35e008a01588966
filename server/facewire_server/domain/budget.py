"""How long a call may go on: looked at between the stages of its work."""

from __future__ import annotations

import threading
import time

from facewire_server.domain.errors import CallCancelled, DeadlineExpired


class Budget:
    """A call's deadline and whether its caller still waits. Thread-safe.

    Args:
        seconds: time left, or None for no deadline.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._cancelled.set()

    def check(self) -> None:
        """Between two stages.

        Raises:
            CallCancelled: the caller went away.
            DeadlineExpired: the deadline passed.
        """
        if self._cancelled.is_set():
            raise CallCancelled("the caller went away")
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise DeadlineExpired

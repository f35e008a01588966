"""Events a second, lately."""

from __future__ import annotations

from typing import Final

_WINDOW_S: Final = 1.0
_STALE_S: Final = 3.0


class Rate:
    """Counts over windows of a second."""

    def __init__(self) -> None:
        self._start = 0.0
        self._count = 0
        self._per_s = 0.0

    def count(self, now_s: float) -> None:
        """One more."""
        if now_s - self._start > _STALE_S:
            self._start, self._count = now_s, 0
        elif now_s - self._start >= _WINDOW_S:
            self._per_s = self._count / (now_s - self._start)
            self._start, self._count = now_s, 0
        self._count += 1

    def per_s(self, now_s: float) -> float:
        """Of the last whole window; 0 where nothing came lately."""
        return 0.0 if now_s - self._start > _STALE_S else self._per_s

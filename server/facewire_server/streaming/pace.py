"""How often faces are looked for: every k-th frame, with a larger k while the box has more to do than it can."""

from __future__ import annotations

from typing import Final

_WINDOW_S: Final = 1.0
_TOO_MANY_DROPPED: Final = 0.1
# Faces are looked for at least so often, whatever the load: less would lose walking people.
_FEWEST_PER_S: Final = 4.0
_FIRST_PATIENCE: Final = 2
_LONGEST_PATIENCE: Final = 60


class Pace:
    """The k in force, from the frames that were dropped. Windows are of wall time."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.every = wanted
        self._window_start = 0.0
        self._received = 0
        self._dropped = 0
        self._quiet = 0
        self._lossy = False
        self._patience = _FIRST_PATIENCE

    @property
    def overloaded(self) -> bool:
        """Whether k is larger than asked for."""
        return self.every > self.wanted

    def want(self, every: int) -> None:
        """The stream asks for another k."""
        overloaded = self.overloaded
        self.wanted = every
        self.every = max(self.every, every) if overloaded else every

    def observe(self, received: int, dropped: int, now_s: float) -> None:
        """Totals so far, at each frame."""
        if now_s - self._window_start < _WINDOW_S:
            return
        came, lost = received - self._received, dropped - self._dropped
        seconds = now_s - self._window_start
        first = self._window_start == 0.0
        self._window_start, self._received, self._dropped = now_s, received, dropped
        if not first and came:
            self._adapt(lost / came, came / seconds)

    def _adapt(self, share_lost: float, frames_per_s: float) -> None:
        if share_lost > _TOO_MANY_DROPPED:
            largest = max(self.wanted, int(frames_per_s / _FEWEST_PER_S))
            self._quiet = 0
            # One window alone may be a burst: cameras send what they had buffered when they are opened.
            if self._lossy:
                self.every = min(self.every + 1, largest)
            self._lossy = True
            return
        self._lossy = False
        self._quiet += 1
        if share_lost == 0.0 and self.overloaded and self._quiet >= self._patience:
            self.every -= 1
            # If that was too early, the next try comes later: k must not swing to and fro.
            self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
            self._quiet = 0
        elif not self.overloaded and self._quiet >= _LONGEST_PATIENCE:
            self._patience = _FIRST_PATIENCE

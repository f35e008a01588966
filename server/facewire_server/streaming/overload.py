"""How much less often faces are looked for while there is more to do than the box can: from the frames it dropped."""

from __future__ import annotations

import threading
from typing import Final

WINDOW_S: Final = 1.0
_TOO_MANY_DROPPED: Final = 0.1
# Grows by half at most at once: what was lost in one window may be chance.
_LEAST_KEPT: Final = 2 / 3
# A try at looking more often.
_STEP_DOWN: Final = 0.9
_FIRST_PATIENCE: Final = 2
_LONGEST_PATIENCE: Final = 60
_LARGEST: Final = 16.0
# A stream that did not report for so long has no frames.
_FORGOTTEN_S: Final = 5.0


class Slowdown:
    """A factor, 1 or more, from the share of frames lost in each window."""

    def __init__(self) -> None:
        self.factor = 1.0
        self._quiet = 0
        self._lossy = False
        self._tried = False  # whether the last change was a try at a smaller factor
        self._patience = _FIRST_PATIENCE

    def adapt(self, share_lost: float) -> None:
        """A window is over."""
        if share_lost > _TOO_MANY_DROPPED:
            self._quiet = 0
            # One window alone may be a burst: cameras send what they had buffered when they are opened.
            if self._lossy:
                self._grow(share_lost)
            self._lossy = True
            return
        self._lossy = False
        self._quiet += 1
        if share_lost < _TOO_MANY_DROPPED / 4 and self.factor > 1.0 and self._quiet >= self._patience:
            self._try_less()

    def _grow(self, share_lost: float) -> None:
        """By what was lost: most of a frame's work is looking."""
        self.factor = min(self.factor / max(1.0 - share_lost, _LEAST_KEPT), _LARGEST)
        if self._tried:
            # The try was too early, the next comes later: k must not swing to and fro.
            self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
            self._tried = False

    def _try_less(self) -> None:
        if self._tried:
            self._patience = _FIRST_PATIENCE  # the last try did no harm
        self.factor = max(self.factor * _STEP_DOWN, 1.0)
        self._tried = True
        self._quiet = 0


class Overload:
    """The slowdown of all streams together, so that streams that ask for the same get the same. Thread-safe.

    It follows what the stream at the lower quarter loses: turns are fair, so a stream that asks for less than its share
    loses nothing, and is not slowed down because of others that ask for more.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._slowdown = Slowdown()
        self._window_start = 0.0
        self._shares: dict[object, tuple[float, float]] = {}  # of each stream: when, and what it lost
        self.share_lost = 0.0

    @property
    def factor(self) -> float:
        """How many times fewer frames are to be looked at."""
        return self._slowdown.factor

    def report(self, stream: object, share_lost: float, now_s: float) -> None:
        """What a stream lost since its last report."""
        with self._guard:
            kept = {key: each for key, each in self._shares.items() if now_s - each[0] < _FORGOTTEN_S}
            if not kept:
                self._slowdown, self._window_start = Slowdown(), now_s
            self._shares = kept | {stream: (now_s, share_lost)}
            if now_s - self._window_start >= WINDOW_S:
                self._window_start = now_s
                lost = sorted(share for _, share in self._shares.values())
                self.share_lost = lost[len(lost) // 4]
                self._slowdown.adapt(self.share_lost)

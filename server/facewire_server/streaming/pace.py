"""How often a stream looks for faces: every k-th frame, with a larger k while the box has more to do than it can."""

from __future__ import annotations

from math import ceil
from typing import Final

from facewire_server.streaming.overload import WINDOW_S, Overload, Slowdown

# Faces are looked for at least so often, whatever the load: less would lose walking people.
_FEWEST_PER_S: Final = 4.0
# A stream that loses so much more than the box does on the whole asks for more than its share: it slows down alone.
_MORE_THAN_OTHERS: Final = 0.1


class Pace:
    """The k in force. Windows are of wall time.

    k has a fraction, and the overload is that of the box: with a whole k for each stream alone, of two streams that are
    entitled to the same, one looks at every second frame and the other at every third for as long as neither drops any.
    """

    def __init__(self, wanted: int, overload: Overload) -> None:
        self.wanted = wanted
        self._overload = overload
        self._alone = Slowdown()
        self._every = float(wanted)
        self._looked = 0.0  # where in the count of frames faces were to be looked for last
        self._window_start: float | None = None
        self._received = 0
        self._dropped = 0

    @property
    def every(self) -> int:
        """k, rounded up."""
        return ceil(self._every)

    @property
    def overloaded(self) -> bool:
        """Whether k is larger than asked for."""
        return self._every > self.wanted

    def want(self, every: int) -> None:
        """The stream asks for another k."""
        self._every = max(self._every, float(every)) if self.overloaded else float(every)
        self.wanted = every

    def is_due(self, frame: int) -> bool:
        """Whether faces are to be looked for in this frame; frames are counted as they arrive, dropped ones too."""
        return frame >= self._looked + self._every

    def looked(self, frame: int) -> None:
        """Faces were looked for in this frame."""
        due = self._looked + self._every
        # The fraction is carried on, lost frames are not made up for.
        self._looked = due if frame - due < 1.0 else float(frame)

    def observe(self, received: int, dropped: int, now_s: float) -> None:
        """Totals so far, at each frame. Streams that lose no frames by their nature do not call it."""
        start = self._window_start
        if start is not None and now_s - start < WINDOW_S:
            return
        came, lost = received - self._received, dropped - self._dropped
        self._window_start, self._received, self._dropped = now_s, received, dropped
        if start is not None and came:
            self._adapt(lost / came, came / (now_s - start), now_s)

    def _adapt(self, share_lost: float, frames_per_s: float, now_s: float) -> None:
        self._overload.report(self, share_lost, now_s)
        self._alone.adapt(max(0.0, share_lost - self._overload.share_lost - _MORE_THAN_OTHERS))
        largest = max(float(self.wanted), frames_per_s / _FEWEST_PER_S)
        self._every = min(self.wanted * self._overload.factor * self._alone.factor, largest)

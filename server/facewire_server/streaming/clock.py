"""Stream time: seconds that always rise, from whatever capture times a camera sends."""

from __future__ import annotations

from typing import Final

_STEP_S: Final = 1 / 30


class StreamClock:
    """Follows the camera's clock; where that stands still or jumps back, time goes on by one ordinary frame.

    Time must pass: what is unseen would never be over.
    """

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._last_ms = 0
        self.now_s = 0.0

    def advance(self, capture_ms: int) -> float:
        """The time of the next frame, seconds since the stream's first."""
        if self._offset_ms is None:
            self._offset_ms = capture_ms
        elif capture_ms < self._last_ms:
            self.now_s += _STEP_S
            self._offset_ms = capture_ms - round(self.now_s * 1e3)
        else:
            at_s = (capture_ms - self._offset_ms) / 1e3
            self.now_s = at_s if at_s > self.now_s else self.now_s + _STEP_S
        self._last_ms = capture_ms
        return self.now_s

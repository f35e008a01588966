"""Stream time: seconds that never run backwards, from whatever capture times a camera sends."""

from __future__ import annotations

from typing import Final

_STEP_S: Final = 1 / 30


class StreamClock:
    """Follows the camera's clock; where that jumps back, time goes on by one ordinary frame."""

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._last_ms = 0
        self.now_s = 0.0

    def advance(self, capture_ms: int) -> float:
        """The time of the next frame, seconds since the stream's first."""
        if self._offset_ms is None:
            self._offset_ms = capture_ms
        elif capture_ms < self._last_ms:
            self._offset_ms = capture_ms - round((self.now_s + _STEP_S) * 1e3)
        self._last_ms = capture_ms
        self.now_s = max(self.now_s, (capture_ms - self._offset_ms) / 1e3)
        return self.now_s

"""Frames as ``facewire watch`` sends them, kept for a while to be drawn in."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator

from facewire.images import ImageLike
from facewire.video import VideoFrame, VideoSource

_MOST_KEPT = 64  # frames whose answers are under way


class WatchedFrames:
    """Iterable once. Numbers are those of the stream.

    Args:
        seconds: of the source's time, after which to stop; None: never.
        realtime: wait between a file's frames as long as between taking them.
        keep: for :meth:`take`.
    """

    def __init__(self, source: VideoSource, seconds: float | None, *, realtime: bool, jpeg: bool, keep: bool) -> None:
        self.sent = 0
        self._source = source
        self._seconds = seconds
        self._realtime = realtime
        self._jpeg = jpeg
        self._keep = keep
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()

    def __iter__(self) -> Iterator[tuple[ImageLike, float]]:
        begun = time.monotonic()
        first_s: float | None = None
        for frame in self._source.frames():
            first_s = frame.time_s if first_s is None else first_s
            if self._realtime:
                time.sleep(max(0.0, begun + frame.time_s - first_s - time.monotonic()))
            if self._seconds is not None and frame.time_s - first_s >= self._seconds:
                return
            self.sent += 1
            if self._keep:
                self._kept[self.sent] = frame
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            yield (frame.jpeg() if self._jpeg else frame.image), frame.time_s

    def take(self, sequence: int) -> VideoFrame | None:
        """The frame of this number, if it is still kept; older ones are no longer needed."""
        frame = self._kept.pop(sequence, None)
        for number in [number for number in list(self._kept) if number < sequence]:
            self._kept.pop(number, None)
        return frame

"""Lines and zones in a picture, and who crosses them. Coordinates are shares of the frame's width and height."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

Position = tuple[float, float]
# Nearer to a line than this share of the frame nobody has changed sides: boxes tremble.
_DEAD_BAND: Final = 0.01


class Crossing(Enum):
    """A direction over a boundary."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Line:
    """From the left side to the right, seen from start to end, is in."""

    name: str
    start: Position
    end: Position

    def side(self, at: Position) -> float:
        """Signed distance from the line: positive on the right side, seen from start to end (y points down)."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        return (dx * (at[1] - self.start[1]) - dy * (at[0] - self.start[0])) / math.hypot(dx, dy)

    def meets(self, before: Position, after: Position) -> bool:
        """Whether the way between two points on different sides goes through the line, not past its ends."""
        a, b = self.side(before), self.side(after)
        part = a / (a - b)
        x, y = before[0] + part * (after[0] - before[0]), before[1] + part * (after[1] - before[1])
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        along = (dx * (x - self.start[0]) + dy * (y - self.start[1])) / (dx * dx + dy * dy)
        return 0.0 <= along <= 1.0


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon."""

    name: str
    corners: tuple[Position, ...]

    def contains(self, at: Position) -> bool:
        """Whether the point is inside: a ray to the right meets the border an odd number of times."""
        inside = False
        x, y = at
        for (x0, y0), (x1, y1) in zip(self.corners, self.corners[1:] + self.corners[:1], strict=True):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                inside = not inside
        return inside


Boundary = Line | Zone


class LineWatch:
    """One track against one line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._last: Position | None = None

    def move(self, at: Position) -> Crossing | None:
        """The track is here now."""
        if abs(self._line.side(at)) < _DEAD_BAND:
            return None
        before, self._last = self._last, at
        if before is None or (self._line.side(before) > 0) == (self._line.side(at) > 0):
            return None
        if not self._line.meets(before, at):
            return None
        return Crossing.IN if self._line.side(at) > 0 else Crossing.OUT

    def end(self) -> Crossing | None:
        """The track ended: nobody crosses a line by that."""
        return None


class ZoneWatch:
    """One track against one zone. A change counts when seen twice in a row: boxes tremble."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._inside = False
        self._changes = 0

    def move(self, at: Position) -> Crossing | None:
        """The track is here now."""
        if self._zone.contains(at) == self._inside:
            self._changes = 0
            return None
        self._changes += 1
        if self._changes < 2:
            return None
        self._changes = 0
        self._inside = not self._inside
        return Crossing.IN if self._inside else Crossing.OUT

    def end(self) -> Crossing | None:
        """The track ended: whoever was inside is not any more."""
        was_inside, self._inside = self._inside, False
        return Crossing.OUT if was_inside else None


BoundaryWatch = LineWatch | ZoneWatch


def watch(boundary: Boundary) -> BoundaryWatch:
    """For one track."""
    return LineWatch(boundary) if isinstance(boundary, Line) else ZoneWatch(boundary)

"""Numbers that tell whether a gallery changed: rising through the whole process, so that no two states share one."""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)


def next_revision() -> int:
    """A number larger than all given before. Thread-safe."""
    return next(_numbers)

"""Frames that several tests of streams send."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pictures import Pixels, walking


@pytest.fixture(scope="module")
def walk(samples: Path) -> list[Pixels]:
    """Person A walks."""
    return walking(samples / "person_a_2.jpg", 30)


@pytest.fixture(scope="module")
def stranger(samples: Path) -> list[Pixels]:
    """Somebody else walks."""
    return walking(samples / "impostor_1.jpg", 30)

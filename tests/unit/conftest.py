"""What all unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facewire import kernels


@pytest.fixture(autouse=True)
def isa_stays() -> Iterator[None]:
    before = kernels.isa()
    yield
    kernels.use_isa(before)

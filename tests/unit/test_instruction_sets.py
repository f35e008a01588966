"""The choice of the instruction set: by name, by FACEWIRE_ISA."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from facewire import kernels


@pytest.mark.parametrize("name", ["sse9", "", "AVX2", "scalar "])
def test_an_unknown_instruction_set_is_refused_and_changes_nothing(name: str) -> None:
    before = kernels.isa()
    with pytest.raises(ValueError, match=", ".join(kernels.available_isas())):
        kernels.use_isa(name)
    assert kernels.isa() == before


@pytest.mark.parametrize("name", kernels.available_isas())
def test_each_available_instruction_set_can_be_put_in_force(name: str) -> None:
    kernels.use_isa(name)
    assert kernels.isa() == name


def isa_of_new_process(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from facewire import kernels; print(kernels.isa())"],
        env=os.environ | {"FACEWIRE_ISA": name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_wrong_facewire_isa_fails_the_import_with_the_sets_there_are() -> None:
    done = isa_of_new_process("mmx")
    assert done.returncode == 1  # an exception, not a crash
    assert "ImportError" in done.stderr
    assert "'mmx'" in done.stderr
    assert re.search("it has: " + ", ".join(kernels.available_isas()), done.stderr)


@pytest.mark.parametrize("name", kernels.available_isas())
def test_facewire_isa_chooses_the_instruction_set(name: str) -> None:
    assert isa_of_new_process(name).stdout.strip() == name


def test_an_empty_facewire_isa_means_the_best_there_is() -> None:
    assert isa_of_new_process("").stdout.strip() == kernels.available_isas()[-1]

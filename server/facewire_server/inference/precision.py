"""Which form of a model runs: in floats, or in 8 bits where that is measured to be faster."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from facewire_server.inference.model_cache import CachedModel
from facewire_server.inference.specs import GoldenAnswer, InputSpec

Precision = Literal["auto", "int8", "f32", "f16", "bf16"]

# Measured with VNNI (2.6 times as fast as f32), without it (1.6) and without AVX (1.6), see docs/performance.md; not
# measured on others.
_FAST_INT8: Final = ("x86_64", "AMD64")


class PrecisionUnknown(Exception):
    """The model does not come in the precision that is configured; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of a model.

    Attributes:
        xml: its OpenVINO IR.
        precision: what to call it: a floating-point type of inference, or "int8".
        golden: what it answers to the test pattern, where known.
        input: how pixels become its input.
    """

    xml: Path
    precision: str
    golden: GoldenAnswer | None
    input: InputSpec

    @property
    def float_type(self) -> str:
        """The type of what is not in 8 bits."""
        return "f32" if self.precision == "int8" else self.precision


def choose(wanted: Precision, model: CachedModel, device: str) -> Variant:
    """The form to run. "auto" is int8 on an x86 processor where the manifest tells how, else f32.

    Raises:
        PrecisionUnknown: int8 of a model whose manifest entry does not tell how.
    """
    int8 = model.int8_xml
    if wanted == "auto":
        wanted = "int8" if device == "CPU" and int8 is not None and platform.machine() in _FAST_INT8 else "f32"
    if wanted != "int8":
        return Variant(model.xml, wanted, model.spec.golden, model.spec.input)
    if int8 is None or model.spec.int8 is None:
        raise PrecisionUnknown(
            f"model '{model.spec.name}' has no int8 section in the manifest; set models.precision to auto or f32"
        )
    return Variant(int8, "int8", model.spec.int8.golden, model.spec.input)

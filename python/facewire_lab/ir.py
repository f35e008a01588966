"""From PyTorch modules to OpenVINO's IR, in one file, of half precision; checked against PyTorch."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facewire_lab.errors import LabError
from facewire_server.inference import golden
from facewire_server.inference.conversion import convert_to_ir
from facewire_server.inference.precision import Variant
from facewire_server.inference.quiet_openvino import ov
from facewire_server.inference.runtime import Placement, Runtime
from facewire_server.inference.specs import InputSpec

CHECKED: Final = 16
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same file each time
Shape = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class CheckedIr:
    """A network as the server reads it.

    Attributes:
        file: a zip file of model.xml and model.bin.
        difference: the largest between OpenVINO and PyTorch, on random input.
        golden: what it answers to the manifest's test pattern, by output, as TOML.
    """

    file: bytes
    difference: float
    golden: str


def to_ir(module: nn.Module, shape: Shape, input_name: str, outputs: Sequence[str]) -> bytes:
    """A module with one input and these outputs, its weights rounded to half precision."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit", category=Warning)  # the converter traces with it
        model = ov.convert_model(module.eval(), example_input=torch.zeros(shape), input=list(shape))
    model.inputs[0].get_tensor().set_names({input_name})
    for output, name in zip(model.outputs, outputs, strict=True):
        output.get_tensor().set_names({name})
    with tempfile.TemporaryDirectory() as scratch:
        xml = Path(scratch) / "model.xml"
        ov.save_model(model, xml, compress_to_fp16=True)
        return zipped(xml)


def zipped(xml: Path) -> bytes:
    """An IR's two files in one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in (xml, xml.with_suffix(".bin")):
            packed.writestr(zipfile.ZipInfo(file.name, _ZIP_TIME), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def check_ir(
    file: bytes, module: nn.Module, shape: Shape, spec: InputSpec, outputs: Sequence[str], inputs: Tensor, most: float,
    fixed: Sequence[str] = (),
) -> CheckedIr:  # fmt: skip
    """Runs the file as the server does, beside the module.

    Args:
        file: of :func:`to_ir`.
        module: what it was made of, in full precision: the difference is that of the rounding, too.
        shape, spec: of the server's input.
        outputs: their names, in the module's order.
        inputs: (n, *shape[1:]).
        most: the largest difference allowed.
        fixed: outputs that are the same for each input.

    Raises:
        LabError: OpenVINO computes something else.
    """
    with tempfile.TemporaryDirectory() as scratch:
        packed = Path(scratch) / "weights.zip"
        packed.write_bytes(file)
        xml = Path(scratch) / "model.xml"
        convert_to_ir(packed, "zipped-ir", xml)
        runtime = Runtime(Path(scratch) / "compiled", 1)
        (compiled,) = runtime.load(Placement("CPU", Variant(xml, "f32", None, spec)), [shape]).shapes.values()
        answers = [compiled.run(one.numpy()[np.newaxis]) for one in inputs]
        pattern = compiled.run(golden.pattern(shape, spec))
    with torch.no_grad():
        expected = module(inputs)
    wanted = (expected,) if isinstance(expected, Tensor) else expected
    difference = 0.0
    for name, values in zip(outputs, wanted, strict=True):
        found = answers[0][name] if name in fixed else np.concatenate([answer[name] for answer in answers])
        difference = max(difference, float(np.abs(found - values.numpy()).max()))
    require_near(difference, most)
    return CheckedIr(file, difference, golden_toml({name: pattern[name] for name in outputs}))


def require_near(difference: float, most: float) -> None:
    """Raises LabError where OpenVINO's answers differ from PyTorch's by more than allowed, or by what is no number."""
    if not difference <= most:
        raise LabError(f"OpenVINO's answers differ from PyTorch's by {difference:.2g}, at most {most:g} is allowed")


def golden_toml(answers: Mapping[str, npt.NDArray[np.float32]]) -> str:
    """What a network answers to the manifest's test pattern, as its entry has it."""
    return "\n".join(f"{name} = {json.dumps(list(values))}" for name, values in golden.summary(answers).items())

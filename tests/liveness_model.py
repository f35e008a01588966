"""A made-up liveness network: bright pictures are living people's.

The weights of real ones are not ours to hand out; tests with FACEWIRE_DATA run a real one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
from onnx import TensorProto, helper

_MIDDLE = 70.0  # mean pixel value of a picture that is neither
_STEEPNESS = 0.3

ENTRY = """
[[model]]
name = "bright-is-live"
task = "liveness"
kind = "minifasnet"
licence = "user's own"
source = {{ path = "{path}" }}
sha256 = "{sha256}"
input = {{ colour = "bgr" }}
bpcer = {{ scores = [0.1, 0.9], rates = [0.01, 0.1] }}
"""


def write_liveness_model(folder: Path) -> Path:
    """Writes the network and a manifest with it; the manifest's path."""
    weights = folder / "bright.onnx"
    onnx.save(_network(), str(weights))
    manifest = folder / "liveness.toml"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    manifest.write_text(ENTRY.format(path=weights, sha256=digest))
    return manifest


def _network() -> onnx.ModelProto:
    """Three classes; the logit of the second, "live", rises with the mean of all pixels."""
    constants: dict[str, npt.NDArray[Any]] = {
        "middle": np.array(_MIDDLE, np.float32),
        "steep": np.array([[-_STEEPNESS, _STEEPNESS, -_STEEPNESS]], np.float32),
        "shape": np.array([1, 1], np.int64),
    }
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
            helper.make_node("Sub", ["mean", "middle"], ["above"]),
            helper.make_node("Reshape", ["above", "shape"], ["row"]),
            helper.make_node("Mul", ["row", "steep"], ["logits"]),
        ],
        "bright",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 80, 80])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)

"""The server's embedder as a PyTorch module, so that gradients pass through it; its weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import Tensor, nn

from facewire_lab.errors import LabError
from facewire_server.inference.quiet_openvino import ov, passes
from facewire_server.inference.specs import EmbedderModel

Operation = Callable[[list[Tensor], dict[str, Any]], Tensor]


class FrozenEmbedder(nn.Module):
    """Faces (n, 3, 112, 112), R, G, B, -1..1, to embeddings (n, dim) of unit length.

    Args:
        xml: the embedder's network.
        spec: its manifest entry.
        view: of the faces, see :class:`~facewire_lab.faces.FaceFacts`.

    Raises:
        LabError: the network has layers of a kind that are not translated, or another template than ArcFace's.
    """

    def __init__(self, xml: Path, spec: EmbedderModel, view: float) -> None:
        super().__init__()
        if spec.template is not None:
            raise LabError(f"embedder '{spec.name}' has a template of its own, which is not followed: set identity=0")
        self._spec = spec
        self._view = view
        self._network = _Graph(xml)
        mean, scale = (torch.tensor(triple).view(1, 3, 1, 1) for triple in (spec.input.mean, spec.input.scale))
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.requires_grad_(False)
        self.eval()

    def forward(self, faces: Tensor) -> Tensor:
        """The embeddings."""
        side, n = self._spec.size, len(faces)
        shrink = torch.eye(2, 3, device=faces.device)[None].repeat(n, 1, 1) * self._view
        grid = F.affine_grid(shrink, [n, 3, side, side], align_corners=False)
        chips = (F.grid_sample(faces, grid, mode="bilinear", align_corners=False) + 1) * 127.5
        if self._spec.input.colour == "bgr":
            chips = chips.flip(1)
        return F.normalize(self._network((chips - self.mean) * self.scale).flatten(1))


class _Graph(nn.Module):
    """An OpenVINO network, node by node."""

    def __init__(self, xml: Path) -> None:
        super().__init__()
        model = ov.Core().read_model(xml)
        model.reshape([1, *list(model.input().partial_shape)[1:]])
        folding = passes.Manager()
        folding.register_pass(passes.ConstantFolding())
        folding.run_passes(model)
        self._names: list[tuple[str, str, dict[str, Any], list[str]]] = []
        for node in model.get_ordered_ops():
            kind, name = node.get_type_name(), node.get_friendly_name()
            inputs = [value.get_node().get_friendly_name() for value in node.input_values()]
            if kind == "Constant":
                self._keep(name, node.data)
            elif kind == "Result":
                self._result = inputs[0]
            elif kind == "Parameter":
                self._parameter = name
            elif kind in _OPERATIONS:
                self._names.append((kind, name, node.get_attributes(), inputs))
            else:
                raise LabError(f"{xml.name} has a layer {kind}, which is not translated to PyTorch: set identity=0")
        self._drop_unused()

    def _keep(self, name: str, values: np.ndarray[Any, Any]) -> None:
        self.register_buffer(_buffer(name), torch.from_numpy(np.array(values)))

    def _drop_unused(self) -> None:
        used = {_buffer(name) for _, _, _, inputs in self._names for name in inputs}
        for name in [name for name, _ in self.named_buffers() if name not in used]:
            delattr(self, name)

    def forward(self, planes: Tensor) -> Tensor:
        """The only output."""
        values = {self._parameter: planes}
        for kind, name, attributes, inputs in self._names:
            given = [values[each] if each in values else getattr(self, _buffer(each)) for each in inputs]
            values[name] = _OPERATIONS[kind](given, attributes)
        return values[self._result]


def _buffer(name: str) -> str:
    return "constant_" + name.replace(".", "_")


def _padded(planes: Tensor, attributes: dict[str, Any]) -> Tensor:
    (top, left), (bottom, right) = attributes["pads_begin"], attributes["pads_end"]
    return F.pad(planes, (left, right, top, bottom)) if any((top, left, bottom, right)) else planes


def _convolution(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    strides, dilations = attributes["strides"], attributes["dilations"]
    return F.conv2d(_padded(given[0], attributes), given[1], None, strides, 0, dilations)


def _group_convolution(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    groups = given[1].shape[0]
    strides, dilations = attributes["strides"], attributes["dilations"]
    return F.conv2d(_padded(given[0], attributes), given[1].flatten(0, 1), None, strides, 0, dilations, groups)


def _batch_norm(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    planes, gamma, beta, mean, variance = given
    return F.batch_norm(planes, mean, variance, gamma, beta, False, 0.0, attributes["epsilon"])


def _reshape(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    # The network is traced with one face; any number goes in.
    shape = given[1].tolist()
    return given[0].reshape(len(given[0]), *shape[1:])


def _matmul(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    first, second = (
        value.mT if turned else value
        for value, turned in zip(given, (attributes["transpose_a"], attributes["transpose_b"]), strict=True)
    )
    return first @ second


_OPERATIONS: Final[dict[str, Operation]] = {
    "Add": lambda given, _: given[0] + given[1],
    "BatchNormInference": _batch_norm,
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "MatMul": _matmul,
    "Multiply": lambda given, _: given[0] * given[1],
    "PRelu": lambda given, _: F.prelu(given[0], given[1].flatten()),
    "Relu": lambda given, _: F.relu(given[0]),
    "Reshape": _reshape,
    "Subtract": lambda given, _: given[0] - given[1],
}

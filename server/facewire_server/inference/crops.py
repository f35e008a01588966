"""A network that runs for one face at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from facewire import kernels
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.ports import Tensor, TensorInfo
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import ModelSpec


class CropNetwork:
    """Runs such a network. Thread-safe.

    Args:
        spec: the manifest's entry.
        network: compiled for one shape.
    """

    def __init__(self, spec: ModelSpec, network: Network) -> None:
        self._spec = spec
        self._network = network
        (self._compiled,) = network.shapes.values()
        self.transform = kernels.PixelTransform(
            rgb=spec.input.colour == "rgb", mean=spec.input.mean, scale=spec.input.scale
        )

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        return self._spec.name

    @property
    def task(self) -> str:
        """What it is for, as in the manifest."""
        return self._spec.task

    def judge(self, draw: Callable[[Tensor], object]) -> dict[str, Tensor]:
        """The outputs, copied; ``draw`` fills the input, float32, for cut-out faces (1, 3, S, S)."""
        with self._compiled.borrow() as request:
            draw(request.input)
            return {name: value.copy() for name, value in request.infer().items()}

    # --- the raw network, for the Open Inference Protocol ---------------------------------------------------

    @property
    def inputs(self) -> Sequence[TensorInfo]:
        """Its input."""
        return self._network.input_info()

    @property
    def outputs(self) -> Sequence[TensorInfo]:
        """Its outputs."""
        return self._network.output_info()

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """Outputs for an input of the compiled shape."""
        if tensor.shape != self._compiled.shape:
            raise InvalidArgument("inputs.shape", f"must be {list(self._compiled.shape)}, not {list(tensor.shape)}")
        return self._compiled.run(np.ascontiguousarray(tensor))

"""The generator of a DCGAN as an OpenVINO network, from its weights alone.

A. Radford, L. Metz, S. Chintala, Unsupervised representation learning with deep convolutional generative adversarial
networks, ICLR 2016: transposed convolutions of 4 x 4, batch normalisation and ReLU between, tanh at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.inference.quiet_openvino import ops, ov

_EPSILON: Final = 1e-5  # torch.nn.BatchNorm2d's
_LAYER: Final = re.compile(r"main\.(\d{1,4})\.")
_NORMALISATION: Final = ("weight", "bias", "running_mean", "running_var")
_INPUT, _OUTPUT = "z", "image"
Tensors = Mapping[str, npt.NDArray[np.float32]]


class DcganError(Exception):
    """The tensors are not those of such a generator."""


def build_generator(tensors: Tensors) -> ov.Model:
    """Input ``z`` (n, latent, 1, 1), output ``image`` (n, 3, S, S), RGB, -1..1.

    Args:
        tensors: as PyTorch's DCGAN tutorial names them: main.0.weight (convolution), main.1.* (normalisation), ...

    Raises:
        DcganError: some are missing, left over, or do not fit together.
    """
    layers = sorted({int(found.group(1)) for name in tensors if (found := _LAYER.match(name))})
    convolutions = [n for n in layers if tensors.get(f"main.{n}.weight", np.empty(0)).ndim == 4]
    if not convolutions:
        raise DcganError("there are no transposed convolutions main.N.weight")
    latent = tensors[f"main.{convolutions[0]}.weight"].shape[0]
    z = ops.parameter([-1, latent, 1, 1], np.float32, name=_INPUT)
    node: ov.Output | ov.Node = z
    channels = latent
    for position, number in enumerate(convolutions):
        weight = tensors[f"main.{number}.weight"].astype(np.float32)
        if weight.shape[0] != channels or weight.shape[2:] != (4, 4):
            raise DcganError(f"main.{number}.weight has shape {weight.shape}, ({channels}, n, 4, 4) is needed")
        channels = weight.shape[1]
        stride, padding = (1, 0) if position == 0 else (2, 1)
        node = ops.convolution_backprop_data(
            node, ops.constant(weight), strides=[stride] * 2, pads_begin=[padding] * 2, pads_end=[padding] * 2
        )
        if position + 1 < len(convolutions):
            node = ops.relu(_normalised(node, tensors, number + 1, channels))
    _require_all_used(tensors, convolutions)
    if channels != 3:
        raise DcganError(f"the last convolution gives {channels} planes, three are needed")
    node = ops.tanh(node)
    node.output(0).set_names({_OUTPUT})
    z.output(0).set_names({_INPUT})
    return ov.Model([node], [z], "dcgan")


def _require_all_used(tensors: Tensors, convolutions: list[int]) -> None:
    """What is not used would be missing in the faces: biases of convolutions, other layers."""
    used = {f"main.{number}.weight" for number in convolutions}
    normalised = (*_NORMALISATION, "num_batches_tracked")
    used |= {f"main.{number + 1}.{name}" for number in convolutions[:-1] for name in normalised}
    left = sorted(set(tensors) - used)
    if left:
        raise DcganError(f"{left[0]} has no place in a DCGAN without biases")


def _normalised(node: ov.Output | ov.Node, tensors: Tensors, number: int, channels: int) -> ov.Node:
    """Batch normalisation as it is when serving: a factor and an offset for each channel."""
    missing = [
        name for name in _NORMALISATION if tensors.get(f"main.{number}.{name}", np.empty(0)).shape != (channels,)
    ]
    if missing:
        raise DcganError(f"main.{number}.{missing[0]} is missing, or has not {channels} values")
    weight, bias, mean, variance = (tensors[f"main.{number}.{name}"].astype(np.float64) for name in _NORMALISATION)
    factor = weight / np.sqrt(variance + _EPSILON)
    offset = bias - mean * factor
    shape = (1, channels, 1, 1)
    scaled = ops.multiply(node, ops.constant(factor.reshape(shape).astype(np.float32)))
    return ops.add(scaled, ops.constant(offset.reshape(shape).astype(np.float32)))

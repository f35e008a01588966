"""Float networks to networks of 8-bit weights and activations, once, at fetch time.

Each layer's input is rounded to 256 levels between a low and a high value, its weights to 255 levels, symmetric, for
each output channel (Jacob et al., Quantization and Training of Neural Networks, 2018, eq. 1 to 4). The lows and highs
need no pictures of the owner: they follow from the network's own batch normalisation, or stand in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.inference.quiet_openvino import ops, ov
from facewire_server.inference.specs import Int8

FloatArray = npt.NDArray[np.float32]

# Axes of the weights that one output channel has to itself.
_CHANNEL_AXES: Final = {"Convolution": (1, 2, 3), "GroupConvolution": (2, 3, 4), "MatMul": (1,)}
_ACTIVATION_LEVELS: Final = 256
_LARGEST_WEIGHT: Final = 127
# What lies between a layer and its batch normalisation without changing values.
_TRANSPARENT: Final = ("Reshape",)


class QuantisationError(Exception):
    """The network is not built as the manifest says."""


@dataclass(frozen=True, slots=True)
class Range:
    """Smallest and largest value of a layer's input, a number for each channel, (c,)."""

    low: FloatArray
    high: FloatArray


def quantise(model: ov.Model, rules: Int8) -> ov.Model:
    """The network in 8 bits, changed in place; with ``bytes_input`` its input becomes (n, H, W, 3) bytes.

    Raises:
        QuantisationError: there are fewer layers than ranges, or no batch normalisation.
    """
    layers = weighted_layers(model)
    chosen = list(_measured(layers, rules) if rules.layers else _by_batch_norm(layers, rules.sigmas or 0.0))
    if not chosen:
        raise QuantisationError("no layer's range is known: the network has no batch normalisation")
    for layer, channels in chosen:
        _round_input(layer, channels)
        _round_weights(layer)
    model.validate_nodes_and_infer_types()
    return _with_bytes_input(model) if rules.bytes_input else model


def weighted_layers(model: ov.Model) -> list[ov.Node]:
    """Convolutions and matrix products, in the order in which they run."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in _CHANNEL_AXES]


def _measured(layers: list[ov.Node], rules: Int8) -> Iterator[tuple[ov.Node, Range]]:
    """The first layers, with the manifest's ranges."""
    if len(layers) < len(rules.layers):
        raise QuantisationError(f"the manifest has ranges for {len(rules.layers)} layers, there are {len(layers)}")
    for layer, each in zip(layers, rules.layers, strict=False):
        yield layer, Range(np.array(each.low, dtype=np.float32), np.array(each.high, dtype=np.float32))


def _by_batch_norm(layers: list[ov.Node], sigmas: float) -> Iterator[tuple[ov.Node, Range]]:
    """Layers behind a batch normalisation, which says how their inputs were distributed in training.

    Its output has mean beta and standard deviation |gamma| in each channel (Ioffe and Szegedy 2015); a PReLU behind it
    scales what is negative.
    """
    for layer in layers:
        node = layer.input_value(0).get_node()
        while node.get_type_name() in _TRANSPARENT:
            node = node.input_value(0).get_node()
        slope = None
        if node.get_type_name() == "PRelu":
            slope = _constant(node.input_value(1)).ravel()
            node = node.input_value(0).get_node()
        if node.get_type_name() != "BatchNormInference":
            continue
        spread = sigmas * np.abs(_constant(node.input_value(1)))
        middle = _constant(node.input_value(2))
        low, high = middle - spread, middle + spread
        if slope is not None:
            low, high = np.where(low < 0, slope * low, low), np.where(high < 0, slope * high, high)
        yield layer, Range(np.minimum(low, high), np.maximum(low, high))


def _round_input(layer: ov.Node, channels: Range) -> None:
    low, high = channels.low, channels.high
    shape: tuple[int, ...] = (1, -1, 1, 1)
    if layer.get_type_name() != "GroupConvolution":  # only there each channel stays by itself
        low, high, shape = low.min(keepdims=True), high.max(keepdims=True), (1,)
    # Zero must be one of the levels: it is what padding adds.
    low, high = np.minimum(low, 0), np.maximum(high, 1e-6)
    step = (high - low) / (_ACTIVATION_LEVELS - 1)
    zero = np.round(-low / step)
    bounds = [(-zero * step).reshape(shape), ((_ACTIVATION_LEVELS - 1 - zero) * step).reshape(shape)]
    first, last = (ops.constant(bound.astype(np.float32)) for bound in bounds)
    rounded = ops.fake_quantize(layer.input_value(0), first, last, first, last, _ACTIVATION_LEVELS)
    layer.input(0).replace_source_output(rounded.output(0))


def _round_weights(layer: ov.Node) -> None:
    weights = _constant(layer.input_value(1))
    scale = np.abs(weights).max(axis=_CHANNEL_AXES[layer.get_type_name()], keepdims=True) / _LARGEST_WEIGHT
    scale[scale == 0] = 1
    codes = ops.convert(ops.constant(np.rint(weights / scale).astype(np.int8)), "f32")
    layer.input(1).replace_source_output(ops.multiply(codes, ops.constant(scale.astype(np.float32))).output(0))


def _constant(port: ov.Output) -> FloatArray:
    """A value that depends on constants alone, such as reshaped weights."""
    folded = ov.Core().compile_model(ov.Model([ops.result(port)], [], "constant"), "CPU")
    return np.array(folded([])[0], dtype=np.float32)


def _with_bytes_input(model: ov.Model) -> ov.Model:
    """Bytes as pixels lie in a picture: less to write, and nothing to reorder before the first layer."""
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_layout(ov.Layout("NHWC")).set_element_type(ov.Type.u8)
    steps.input().preprocess().convert_element_type(ov.Type.f32)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()

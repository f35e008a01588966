"""Published weights to OpenVINO IR, once, at fetch time."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
import onnx.helper
import onnx.numpy_helper

from facewire_server.inference.dcgan import DcganError, build_generator
from facewire_server.inference.quantisation import QuantisationError, quantise
from facewire_server.inference.quiet_openvino import ov
from facewire_server.inference.specs import Int8
from facewire_server.inference.torch_archive import TorchArchiveError, read_tensors

_GENERATOR: Final = "netG_state_dict"  # what such checkpoints commonly call it
_ZIPPED: Final = ("model.xml", "model.bin")
_MOST_BYTES: Final = 2 << 30
_ONNX_ERROR: Final = onnx.onnx_cpp2py_export.checker.ValidationError


class ConversionError(Exception):
    """The weights cannot be converted."""


def convert_to_ir(weights: Path, conversion: str, target: Path) -> None:
    """Writes ``target`` (an .xml, with the .bin beside it), float32.

    Args:
        weights: an ONNX or TFLite file, an IR .xml, a PyTorch checkpoint or a zip file.
        conversion: as in the manifest, see ``BaseSpec``.

    Raises:
        ConversionError: OpenVINO or onnx cannot read the file.
    """
    try:
        if conversion == "dequantise-onnx":
            plain = dequantise(onnx.load(str(weights)))
            model = ov.Core().read_model(plain.SerializeToString())
        elif conversion == "zipped-ir":
            model = ov.Core().read_model(*_unzipped(weights))
        elif conversion == "dcgan-torch":
            model = build_generator(read_tensors(weights, _GENERATOR))
        else:
            model = ov.Core().read_model(weights)
        if conversion == "planar":
            model = _planar(model)
        ov.save_model(model, target, compress_to_fp16=False)
    except (RuntimeError, ValueError, TorchArchiveError, DcganError, _ONNX_ERROR) as error:
        first_line = str(error).strip().splitlines()[0]
        raise ConversionError(f"{weights.name} cannot be converted: {first_line}") from error


def convert_to_int8(xml: Path, rules: Int8, target: Path) -> None:
    """Writes the 8-bit network of a float IR.

    Raises:
        ConversionError: it is not built as the rules say.
    """
    try:
        ov.save_model(quantise(ov.Core().read_model(xml), rules), target, compress_to_fp16=False)
    except (RuntimeError, ValueError, QuantisationError) as error:
        raise ConversionError(f"{xml.name} cannot be made 8-bit: {str(error).strip().splitlines()[0]}") from error


def _unzipped(file: Path) -> tuple[bytes, bytes]:
    """An IR's two files; raises ValueError where the zip holds something else, or much more than it says."""
    try:
        with zipfile.ZipFile(file) as packed:
            sizes = {info.filename: info.file_size for info in packed.infolist()}
            if set(sizes) != set(_ZIPPED) or sum(sizes.values()) > _MOST_BYTES:
                raise ValueError(f"must hold {' and '.join(_ZIPPED)}, at most {_MOST_BYTES >> 20} MiB")
            xml, weights = (packed.read(name) for name in _ZIPPED)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError) as error:
        raise ValueError(f"is no sound zip file ({error})") from error
    return xml, weights


def _planar(model: ov.Model) -> ov.Model:
    """The same network with an input of (n, 3, H, W)."""
    steps = ov.preprocess.PrePostProcessor(model)
    steps.input().tensor().set_layout(ov.Layout("NCHW"))
    steps.input().model().set_layout(ov.Layout("NHWC"))
    return steps.build()


def dequantise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with float weights.

    Every DequantizeLinear of a constant becomes the constant (value - zero point) * scale, the scale and zero
    point repeated over their blocks (opset 21). Inputs that nothing uses, or that are constants in truth, are
    dropped. OpenVINO refuses the block-quantised file of SFace as it is published.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    kept_nodes: list[onnx.NodeProto] = []
    consumed: set[str] = set()
    for node in graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            kept_nodes.append(node)
            continue
        parts = [onnx.numpy_helper.to_array(constants[name]) for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values = _dequantise_tensor(parts, int(attributes.get("axis", 1)))
        constants[node.output[0]] = onnx.numpy_helper.from_array(values, node.output[0])
        consumed.update(node.input)
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    del plain.graph.node[:], plain.graph.initializer[:], plain.graph.input[:]
    plain.graph.node.extend(kept_nodes)
    plain.graph.initializer.extend(t for n, t in constants.items() if n not in consumed)
    used = {name for node in kept_nodes for name in node.input}
    plain.graph.input.extend(i for i in graph.input if i.name in used and i.name not in constants)
    return plain


def _dequantise_tensor(parts: list[npt.NDArray[np.generic]], axis: int) -> npt.NDArray[np.float32]:
    values, scale = parts[0], parts[1]
    zero = parts[2] if len(parts) > 2 else np.zeros_like(scale, dtype=np.int32)
    if scale.ndim == values.ndim:
        block = -(-values.shape[axis] // scale.shape[axis])
        cut = [slice(None)] * values.ndim
        cut[axis] = slice(0, values.shape[axis])
        scale = np.repeat(scale, block, axis=axis)[tuple(cut)]
        zero = np.repeat(zero, block, axis=axis)[tuple(cut)]
    elif scale.ndim == 1 and values.ndim > 1:
        shape = [1] * values.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((values.astype(np.int32) - zero.astype(np.int32)) * scale.astype(np.float32)).astype(np.float32)

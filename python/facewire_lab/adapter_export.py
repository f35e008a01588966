"""A trained adapter as an embedder of the server: the one it was trained for, and the map behind it."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from facewire_lab.adapter import Adapter
from facewire_lab.checkpoint import Checkpoint, of_this_kind
from facewire_lab.errors import LabError
from facewire_lab.export import Entry, Order, Package
from facewire_lab.ir import CHECKED, golden_toml, require_near, zipped
from facewire_server.inference import golden
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.precision import Variant
from facewire_server.inference.quiet_openvino import ops, ov
from facewire_server.inference.runtime import Placement, Runtime
from facewire_server.inference.specs import EmbedderModel

_TOLERANCE: Final = 1e-4  # of embeddings of unit length


def package(order: Order, found: Checkpoint) -> Package:
    """The embedder of the configuration with one more layer.

    Its error rates are the embedder's own: a map that moves people apart leaves strangers where they were or farther
    off, see docs/workshop.md.
    """
    spec = load_manifest(order.config.models.manifest).of(order.config.models.embedder, EmbedderModel)
    with of_this_kind():
        digest = found.task["embedder_sha256"]
        adapter = Adapter(len(found.task["adapter"]["change"]))
        adapter.load_state_dict(found.task["adapter"])
    if digest != spec.sha256:
        raise LabError(f"{order.run} was trained for another embedder than '{spec.name}': name it with --config")
    xml = ModelCache(order.config.models.cache_dir).verify(spec).xml
    with torch.no_grad():
        matrix = adapter.weight.numpy()
    with tempfile.TemporaryDirectory() as scratch:
        merged = Path(scratch) / "model.xml"
        ov.save_model(_with_map(ov.Core().read_model(xml), spec.output, matrix), merged, compress_to_fp16=False)
        difference, answer = _check(xml, merged, spec, matrix, Path(scratch) / "compiled")
        file = zipped(merged)
    tables = f"""
{_calibration(spec)}
[model.golden]
shape = [1, 3, {spec.size}, {spec.size}]
[model.golden.values]
{answer}
"""
    facts = {
        "task": f"tells people apart: embeddings of {spec.dim} numbers, adapted to the people it was trained on",
        "family": f"embedder '{spec.name}' ({spec.licence}) with a linear map behind it",
        "change of the map": f"{np.linalg.norm(matrix - np.eye(len(matrix))):.3f} (Frobenius norm)",
    }
    entry = Entry(f"{order.name}.zip", file, _toml(spec), tables)
    return Package([entry], facts, difference, 'models.embedder = "{name}"', f"{spec.licence} (embedder '{spec.name}')")


def _with_map(model: ov.Model, output: str, matrix: np.ndarray[Any, Any]) -> ov.Model:
    """The same network, its output multiplied by a symmetric matrix."""
    embedding = model.output(output).get_node().input_value(0)
    mapped = ops.matmul(embedding, ops.constant(matrix.astype(np.float32)), False, False)
    mapped.output(0).get_tensor().set_names({output})
    return ov.Model([mapped], model.get_parameters(), "adapted")


def _check(
    plain: Path, merged: Path, spec: EmbedderModel, matrix: np.ndarray[Any, Any], cache: Path
) -> tuple[float, str]:
    """The largest difference of unit embeddings from the plain network's, mapped; the answer to the test pattern."""
    shape = (1, 3, spec.size, spec.size)
    runtime = Runtime(cache, 1)
    before, after = (
        next(iter(runtime.load(Placement("CPU", Variant(xml, "f32", None, spec.input)), [shape]).shapes.values()))
        for xml in (plain, merged)
    )
    inputs = np.random.default_rng(0).uniform(-1, 1, (CHECKED, *shape)).astype(np.float32) + golden.pattern(
        shape, spec.input
    )
    difference = 0.0
    for one in inputs:
        wanted = before.run(one)[spec.output].ravel() @ matrix
        given = after.run(one)[spec.output].ravel()
        unit = given / np.linalg.norm(given) - wanted / np.linalg.norm(wanted)
        difference = max(difference, float(np.abs(unit).max()))
    require_near(difference, _TOLERANCE)
    return difference, golden_toml(after.run(golden.pattern(shape, spec.input)))


def _toml(spec: EmbedderModel) -> str:
    out = io.StringIO()
    out.write('task = "embedder"\n')
    told = spec.model_dump(mode="json", exclude_none=True)
    for key in ("kind", "output", "dim", "size", "template", "threshold", "clear_norm", "norm_step"):
        if key in told:
            out.write(f"{key} = {json.dumps(told[key])}\n")
    out.write('conversion = "zipped-ir"\n')
    colour, mean, scale = told["input"]["colour"], told["input"]["mean"], told["input"]["scale"]
    out.write(f'input = {{ colour = "{colour}", mean = {json.dumps(mean)}, scale = {json.dumps(scale)} }}\n')
    if spec.int8 is not None and spec.int8.sigmas is not None:
        out.write(f"int8 = {{ sigmas = {spec.int8.sigmas} }}\n")
    return out.getvalue()


def _calibration(spec: EmbedderModel) -> str:
    if spec.calibration is None:
        return ""
    told = spec.calibration.model_dump(mode="json")
    return "[model.calibration]\n" + "\n".join(f"{key} = {json.dumps(told[key])}" for key in told)

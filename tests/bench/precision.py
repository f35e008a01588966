"""Face verification on LFW with the models in floats and in 8 bits: what the faster form costs.

python -m tests.bench.precision --data DIR [--precisions f32,int8]     DIR holds lfw/images and lfw/pairs.txt
"""

from __future__ import annotations

import argparse
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


def false_matches(vectors: dict[Path, Vectors], limit: float) -> float:
    """Share of all pairs of different people that reach the cosine; people are told by folder."""
    stack = np.stack(list(vectors.values()))
    people = np.unique([path.parent.name for path in vectors], return_inverse=True)[1]
    strangers = people[:, None] < people[None, :]
    return float((stack @ stack.T >= limit)[strangers].mean())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--precisions", default="f32,int8")
    chosen = arguments.parse_args()
    pairs, same = read_pairs(chosen.data / "lfw")
    paths = sorted({path for pair in pairs for path in pair})
    table = Table(
        "precision", "accuracy, %", "TAR at FAR 1e-2, %", "TAR at FAR 1e-3, %", "FMR at 0.40", "at 0.45", "no face"
    )
    for precision in chosen.precisions.split(","):
        models = load_models(load_config(None, {"models": {"precision": precision}}))
        vectors = {path: embed(models, path) for path in track(paths, precision)}
        scores = np.array([vectors[a] @ vectors[b] for a, b in pairs], dtype=np.float32)
        accuracy = fold_accuracies(scores, same, len(pairs) // 600) * 100
        lost = sum(not vector.any() for vector in vectors.values())
        tars = [f"{100 * tar_at(scores, same, far):.2f}" for far in (1e-2, 1e-3)]
        rates = [f"{false_matches(vectors, limit):.2e}" for limit in (0.4, 0.45)]
        table.add_row(precision, f"{accuracy.mean():.3f} +- {accuracy.std():.3f}", *tars, *rates, str(lost))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

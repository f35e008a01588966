"""Face verification on LFW with the models in floats and in 8 bits, of one look and of two: what speed costs.

python -m tests.bench.precision --data DIR [--precisions f32,int8] [--sizes 320x320,128x128] [--looks 1,2]

DIR holds lfw/images and lfw/pairs.txt. Sizes are the detector's input: LFW's pictures are 250x250, faces about 100 px.
The curves are those of models.toml, which has the larger rate of all forms.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from facewire import kernels
from facewire_server.config import load_config
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.pairs import read_pairs
from facewire_server.evaluation.rates import fold_accuracies, tar_at_far
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.decoding import decode_image

CURVE = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
Vectors = npt.NDArray[np.float32]


def embed(models: LoadedModels, path: Path, looks: int) -> Vectors:
    """The face nearest the middle, as LFW has it; zeros where none was found."""
    frame = decode_image(path.read_bytes(), 10**7)
    faces = models.detector.detect(frame, None, 20)
    if not len(faces):
        return np.zeros(models.contract.dim, dtype=np.float32)
    middle = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2 - np.array([frame.width, frame.height]) / 2
    face = faces.select(np.array([np.linalg.norm(middle, axis=1).argmin()]))
    total = models.embedder.encode(frame, face, StageClock()).embeddings
    if looks > 1:
        total = total + models.embedder.encode(frame, models.detector.look_again(frame, face), StageClock()).embeddings
        kernels.normalise_rows(total)
    return np.asarray(total[0])


def false_match_rates(vectors: dict[Path, Vectors]) -> list[float]:
    """Share of all pairs of different people that reach each cosine; people are told by the pictures' names."""
    stack = np.stack(list(vectors.values()))
    people = np.unique([path.stem.rpartition("_")[0] for path in vectors], return_inverse=True)[1]
    scores = (stack @ stack.T)[people[:, None] < people[None, :]]
    return [float((scores >= limit).mean()) for limit in CURVE]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--precisions", default="f32,int8")
    arguments.add_argument("--sizes", default="320x320")
    arguments.add_argument("--looks", default="1,2")
    chosen = arguments.parse_args()
    images = chosen.data / "lfw" / "images"
    pairs = read_pairs(images, chosen.data / "lfw" / "pairs.txt")
    paths = sorted(images.rglob("*.jpg"))
    table = Table("form", "accuracy, %", "TAR at FAR 1e-2, %", "TAR at FAR 1e-3, %", "no face")
    curves = []
    for precision, size, looks in product(
        *(part.split(",") for part in (chosen.precisions, chosen.sizes, chosen.looks))
    ):
        name = f"{precision}, detector {size}, looks {looks}"
        models = load_models(load_config(None, {"models": {"precision": precision, "detector_sizes": (size,)}}))
        vectors = {path: embed(models, path, int(looks)) for path in track(paths, name)}
        scores = np.array([vectors[a] @ vectors[b] for a, b in zip(pairs.left, pairs.right, strict=True)], dtype=float)
        accuracy = 100 * np.array(fold_accuracies(scores, pairs.same, pairs.fold))
        genuine, impostor = scores[pairs.same], scores[~pairs.same]
        tars = [f"{100 * tar_at_far(genuine, impostor, far).value:.2f}" for far in (1e-2, 1e-3)]
        lost = sum(not vector.any() for vector in vectors.values())
        curves.append((name, false_match_rates(vectors)))
        table.add_row(name, f"{accuracy.mean():.3f} +- {accuracy.std(ddof=1):.3f}", *tars, str(lost))
    Console(width=140).print(table)
    for name, curve in curves:
        print(f"{name}: log10 of the false-match rate at {CURVE}: {np.log10(curve).round(3).tolist()}")


if __name__ == "__main__":
    main()

"""Can faces of nobody stand for strangers when a threshold is chosen?

    python -m tests.bench.made_strangers --data ../shared/data --set generation.model=dcgan-faces-64

CelebA: 25 people enrolled with one picture each. The threshold that gives a name to 1 % of a cohort, and the share of
the real strangers, the other 25 people's pictures, that get one there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facewire_server.cli.settings import effective_config
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.identities import Plan, splits
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.recognizer import largest_face
from tests.bench.one_picture import Vectors, embed, pictures

_SPLITS, _MADE, _FPIR = 400, 1000, 0.01


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    models = load_models(effective_config(None, tuple(given.settings)))
    people, frames = pictures(given.data / "celeba")
    vectors = {path: _vector(models, frame) for path, frame in frames.items()}
    cohorts = {"made faces": _made_faces(models)}
    divided = list(splits(people, vectors, Plan(1, 0.5, _SPLITS, 0)))
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for split in divided:
        strangers = _best(split.strangers, split.templates)
        mated = (split.probes * split.templates[split.probe_subjects]).sum(axis=1)
        for name, cohort in {"real strangers": split.strangers, **cohorts}.items():
            limit = float(np.quantile(_best(cohort, split.templates), 1 - _FPIR))
            rows.setdefault(name, []).append((limit, float((strangers > limit).mean()), float((mated <= limit).mean())))
    real = np.array(rows["real strangers"])[:, 0]
    for name, found in rows.items():
        table = np.array(found)
        likeness = np.corrcoef(real, table[:, 0])[0, 1]
        chosen, rate, missed = (
            f"{mean:.3f} ± {std:.3f}" for mean, std in zip(table.mean(0), table.std(0), strict=True)
        )
        print(
            f"{name:16} threshold {chosen}  FPIR on real strangers {rate}  misses {missed}  correlation {likeness:.2f}"
        )
    # A constant correction, from half of the divisions, and a constant threshold: on the other half.
    half = _SPLITS // 2
    shift = float((real - np.array(rows["made faces"])[:, 0])[:half].mean())
    for name, limits in (
        (f"made faces {shift:+.3f}", np.array(rows["made faces"])[half:, 0] + shift),
        ("one threshold", np.full(_SPLITS - half, real[:half].mean())),
    ):
        rates = [
            (_best(s.strangers, s.templates) > limit).mean() for s, limit in zip(divided[half:], limits, strict=True)
        ]
        print(f"{name:18} FPIR on real strangers {np.mean(rates):.2%} ± {np.std(rates):.2%}")


def _vector(models: LoadedModels, frame: Frame) -> Vectors | None:
    face = largest_face(models.detector.detect(frame, None, 100))
    return embed(models, frame, face) if len(face) else None


def _made_faces(models: LoadedModels) -> Vectors:
    assert models.generator is not None, "which generator? --set generation.model=NAME"
    random = np.random.default_rng(1)
    found: list[Vectors] = []
    while len(found) < _MADE:
        latent = random.standard_normal(models.generator.latent, dtype=np.float32)
        vector = _vector(models, Frame(models.generator.generate(latent, StageClock()), "rgb"))
        if vector is not None:
            found.append(vector)
    return np.stack(found)


def _best(vectors: Vectors, templates: Vectors) -> npt.NDArray[np.float32]:
    return (vectors @ templates.T).max(axis=1)


if __name__ == "__main__":
    main()

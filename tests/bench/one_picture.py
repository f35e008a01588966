"""Would more pictures made of the one that is enrolled make a better template?

    python -m tests.bench.one_picture --data ../shared/data

CelebA, one picture enrolled of each of 25 people, the others and 25 strangers searched for: FNIR at FPIR 1 % of
templates that are the mean of the picture's embedding and those of variations. With --set generation.encoder=NAME also
variations in that model's latent.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

from facewire_server.cli.settings import effective_config
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.evaluation.identities import Plan, search, splits
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.chips import cut_chips, shrink, template_of
from facewire_server.pipeline.mirror import mirrored
from facewire_server.pipeline.recognizer import largest_face

Vectors = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Vary = Callable[[Image.Image, np.random.Generator], Image.Image]
_SPLITS, _LATENTS = 40, 5


def _jpeg(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=15)
    return Image.open(out).convert("RGB")


def _noisy(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    levels = np.asarray(picture, dtype=np.float32) + random.normal(0, 20, (picture.height, picture.width, 3))
    return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))


VARIATIONS: Mapping[str, Vary] = {
    "turned by 10 degrees": lambda picture, _: picture.rotate(10, Image.Resampling.BICUBIC),
    "darker (half)": lambda picture, _: ImageEnhance.Brightness(picture).enhance(0.5),
    "less contrast": lambda picture, _: ImageEnhance.Contrast(picture).enhance(0.7),
    "blurred (2 px)": lambda picture, _: picture.filter(ImageFilter.GaussianBlur(2)),
    "noisy (20 levels)": _noisy,
    "JPEG 15": _jpeg,
}


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    models = load_models(effective_config(None, tuple(given.settings)))
    people, frames = pictures(given.data / "celeba")
    faces = {path: largest_face(models.detector.detect(frame, None, 100)) for path, frame in frames.items()}
    known = {path: frame for path, frame in frames.items() if len(faces[path])}
    plain = {path: embed(models, frame, faces[path]) for path, frame in known.items()}
    probes = {path: plain.get(path) for path in frames}
    made = {"mirror image": {path: embed(models, *mirrored(frame, faces[path])) for path, frame in known.items()}}
    random = np.random.default_rng(0)
    for name, vary in VARIATIONS.items():
        made[name] = {path: _varied(models, frame, vary, random, plain[path]) for path, frame in known.items()}
    if models.autoencoder is not None:
        made["latent"] = {path: _latents(models, frame, faces[path], random) for path, frame in known.items()}
    plan = Plan(1, 0.5, _SPLITS, 0)
    first = _fnir(people, probes, plan, probes)
    print(f"{'none':24} {first.mean():7.2%}")
    for name, vectors in made.items():
        for weight in (0.25, 1.0):
            both = {path: _mean(vector, vectors.get(path), weight) for path, vector in probes.items()}
            found = _fnir(people, probes, plan, both)
            gain = 100 * (found - first)
            told = f"{gain.mean():+.2f} ± {gain.std() / np.sqrt(_SPLITS):.2f} points"
            print(f"{name:24} {found.mean():7.2%}  weight {weight:4}  {told}", flush=True)


def pictures(folder: Path) -> tuple[dict[str, list[Path]], dict[Path, Frame]]:
    people: dict[str, list[Path]] = {}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            people.setdefault(row["identity"], []).append(folder / "images" / row["image"])
    paths = [path for each in people.values() for path in each]
    return people, {path: Frame(np.asarray(Image.open(path).convert("RGB")), "rgb") for path in paths}


def embed(models: LoadedModels, frame: Frame, face: Faces) -> Vectors:
    return models.embedder.encode(frame, face, StageClock()).embeddings[0]


def _varied(models: LoadedModels, frame: Frame, vary: Vary, random: np.random.Generator, otherwise: Vectors) -> Vectors:
    """Detected anew; the plain embedding where no face is found any more."""
    changed = Frame(np.asarray(vary(Image.fromarray(frame.pixels), random)), "rgb")
    face = largest_face(models.detector.detect(changed, None, 100))
    return embed(models, changed, face) if len(face) else otherwise


def _latents(models: LoadedModels, frame: Frame, face: Faces, random: np.random.Generator) -> Vectors:
    """The mean embedding of faces that the autoencoder makes near this one."""
    assert models.autoencoder is not None
    encoder, generator = models.autoencoder.encoder, models.autoencoder.generator
    _, chips = cut_chips(frame, face, encoder.view)
    latent = encoder.encode(shrink(chips[0], encoder.size), StageClock())
    spread = np.exp(latent.log_variance / 2)
    where = Faces(face.boxes, template_of(encoder.view)[np.newaxis], face.scores)
    found = []
    for _ in range(_LATENTS):
        near = (latent.mean + spread * random.standard_normal(len(spread))).astype(np.float32)
        picture = Image.fromarray(generator.generate(near, StageClock())).resize((112, 112), Image.Resampling.BICUBIC)
        found.append(embed(models, Frame(np.asarray(picture), "rgb"), where))
    return np.mean(found, axis=0)


def _mean(first: Vectors | None, second: Vectors | None, weight: float) -> Vectors | None:
    if first is None or second is None:
        return None
    both = first + np.float32(weight) * second / np.float32(np.linalg.norm(second))
    return np.asarray(both / np.linalg.norm(both), dtype=np.float32)


def _fnir(
    people: Mapping[str, list[Path]],
    probes: Mapping[Path, Vectors | None],
    plan: Plan,
    enrolled: Mapping[Path, Vectors | None],
) -> npt.NDArray[np.float64]:
    return np.array([search(split).fnir_at_fpir(0.01).value for split in splits(people, probes, plan, enrolled)])


if __name__ == "__main__":
    main()

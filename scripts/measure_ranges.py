#!/usr/bin/env python3
"""Measures the ranges of a detector's first layers on scenes made of the sample photographs, and prints them as TOML.

For models without batch normalisation, see facewire_server/inference/quantisation.py. Usage:
    .venv/bin/python scripts/measure_ranges.py yunet-2023mar 11
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache, default_cache_dir
from facewire_server.inference.quantisation import weighted_layers
from facewire_server.inference.quiet_openvino import ops, ov
from facewire_server.inference.samples import fetch_samples
from facewire_server.inference.specs import DetectorModel

WIDTH, HEIGHT = 640, 384
SCENES_A_PICTURE = 40
KEPT = 99  # per cent of the scenes whose extremes lie within the range
WIDER = 1.3  # room for other pictures; landmarks were steadiest with this of 1, 1.3, 1.7, 2.5
Array = npt.NDArray[np.float32]


def scene(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """The picture somewhere on a plain ground: large or small, bright or dark, sharp or noisy."""
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = ImageEnhance.Brightness(picture).enhance(random.uniform(0.35, 1.6))
    height = int(HEIGHT * random.uniform(0.15, 1.3))
    picture = picture.resize((max(8, picture.width * height // picture.height), height))
    ground = Image.new("RGB", (WIDTH, HEIGHT), tuple(random.integers(0, 256, 3).tolist()))
    free = (max(1, WIDTH - picture.width), max(1, HEIGHT - picture.height))
    ground.paste(picture, (int(random.integers(free[0])), int(random.integers(free[1]))))
    pixels = np.asarray(ground, dtype=np.float32) + random.normal(0, random.uniform(0, 12), (HEIGHT, WIDTH, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def extremes(model: ov.Model, scenes: list[Array], layers: int) -> list[tuple[Array, Array]]:
    """For each layer the smallest and the largest input, (scenes, channels) each."""
    inputs = [node.input_value(0) for node in weighted_layers(model)[:layers]]
    probes = ov.Model([ops.result(port) for port in inputs], model.get_parameters(), "probes")
    compiled = ov.Core().compile_model(probes, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    lows: list[list[Array]] = [[] for _ in inputs]
    highs: list[list[Array]] = [[] for _ in inputs]
    for tensor in scenes:
        for i, values in enumerate(compiled([tensor]).values()):
            lows[i].append(values.min(axis=(0, 2, 3)))
            highs[i].append(values.max(axis=(0, 2, 3)))
    return [(np.stack(low), np.stack(high)) for low, high in zip(lows, highs, strict=True)]


def main(name: str, layers: int) -> None:
    """Prints the ranges of so many layers."""
    cache = ModelCache(default_cache_dir())
    spec = load_manifest().of(name, DetectorModel)
    model = ov.Core().read_model(cache.home(spec) / "model.xml")
    model.reshape([1, 3, HEIGHT, WIDTH])
    random = np.random.default_rng(2023)
    folder: Path = fetch_samples(cache.folder, None, lambda done, total: None)
    pictures = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.jpg"))]
    scenes = [np.asarray(scene(p, random), dtype=np.float32) for p in pictures for _ in range(SCENES_A_PICTURE)]
    order = slice(None, None, -1 if spec.input.colour == "bgr" else 1)
    tensors = [np.ascontiguousarray(pixels[..., order].transpose(2, 0, 1))[np.newaxis] for pixels in scenes]
    print("layers = [")
    for number, (low, high) in enumerate(extremes(model, tensors, layers)):
        first, last = np.percentile(low, 100 - KEPT, axis=0), np.percentile(high, KEPT, axis=0)
        first, last = (
            np.minimum(first, 0) * WIDER + np.maximum(first, 0),
            np.maximum(last, 0) * WIDER + np.minimum(last, 0),
        )
        if number == 0:
            first, last = np.zeros_like(first), np.full_like(last, 255)  # pixels, whatever the scenes hold
        last = np.maximum(last, first + 0.01)  # a channel that was silent
        numbers = [", ".join(f"{value:.3g}" for value in bound) for bound in (first, last)]
        print(f"    {{ low = [{numbers[0]}], high = [{numbers[1]}] }},")
    print("]")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

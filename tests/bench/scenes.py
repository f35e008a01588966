"""720p frames with faces, made of the sample photographs: the same for all who are compared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageFilter

from facewire_server.config import load_config
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import load_manifest
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples

Pixels = npt.NDArray[np.uint8]
PEOPLE = ("person_a_1", "person_b_1", "impostor_1", "impostor_2", "person_a_2")
ENROLLED = {"a": "person_a_1", "b": "person_b_1", "c": "impostor_1", "d": "impostor_2"}
JPEG_QUALITY = 90
VARIANTS = 6


@cache
def ready_cache() -> ModelCache:
    """The models, fetched if they are not here yet."""
    config = load_config(None)
    models = ModelCache(config.models.cache_dir)
    for spec in load_manifest().models.values():
        fetch_model(models, spec, config.index_url, lambda done, total: None)
    return models


@cache
def samples() -> Path:
    """The folder of sample photographs."""
    return fetch_samples(ready_cache().folder, load_config(None).index_url, lambda done, total: None)


def photograph(name: str) -> Image.Image:
    """A sample photograph."""
    return Image.open(samples() / f"{name}.jpg").convert("RGB")


def scene(faces: int, width: int = 1280, height: int = 720, variant: int = 0) -> Pixels:
    """BGR pixels: so many photographs of one person each side by side on soft noise; variants shift them."""
    random = np.random.default_rng(1000 * faces + variant)
    ground = Image.fromarray(random.integers(40, 200, (height // 8, width // 8, 3), dtype=np.uint8))
    picture = ground.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))
    columns, rows = _grid(max(faces, 2), width / height)
    cell_width, cell_height = width / columns, height / rows
    for i in range(faces):
        photo = photograph(PEOPLE[i % len(PEOPLE)])
        scale = 0.85 * min(cell_width / photo.width, cell_height / photo.height)
        photo = photo.resize((max(1, int(photo.width * scale)), max(1, int(photo.height * scale))))
        free_x, free_y = cell_width - photo.width, cell_height - photo.height
        left = (i % columns) * cell_width + random.uniform(0, free_x)
        top = (i // columns) * cell_height + random.uniform(0, free_y)
        picture.paste(photo, (int(left), int(top)))
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def _grid(cells: int, ratio: float) -> tuple[int, int]:
    columns = max(1, round((cells * ratio) ** 0.5))
    while columns * max(1, -(-cells // columns)) < cells:
        columns += 1
    return columns, -(-cells // columns)


def jpegs(faces: int, width: int = 1280, height: int = 720) -> list[bytes]:
    """Several such frames as JPEG files."""
    return [
        simplejpeg.encode_jpeg(scene(faces, width, height, variant), JPEG_QUALITY, "BGR", "420")
        for variant in range(VARIANTS)
    ]


def clip(faces: int, frames: int = 50, width: int = 1280, height: int = 720) -> list[bytes]:
    """Two seconds of people who sway before a still background, as JPEG files; it can go on from its start."""
    ground = Image.fromarray(scene(0, width, height)[..., ::-1])
    columns = max(faces, 2)
    photos = [photograph(PEOPLE[i % len(PEOPLE)]) for i in range(faces)]
    scales = [0.6 * min(width / columns / photo.width, height / photo.height) for photo in photos]
    small = [p.resize((int(p.width * s), int(p.height * s))) for p, s in zip(photos, scales, strict=True)]
    made = []
    for number in range(frames):
        picture = ground.copy()
        for i, photo in enumerate(small):
            angle = 2 * np.pi * number / frames + i
            left = (i + 0.5) * width / columns - photo.width / 2 + 0.08 * width / columns * np.sin(angle)
            top = (height - photo.height) / 2 + 0.05 * height * np.cos(angle)
            picture.paste(photo, (int(left), int(top)))
        pixels = np.ascontiguousarray(np.asarray(picture))
        made.append(simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "RGB", "420"))
    return made

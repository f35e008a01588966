"""Pictures for ``make lab-demo``: faces of nobody, some "people" of nobody, and the sample photographs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from facewire import synthetic
from facewire_server.config import load_config
from facewire_server.domain.stages import StageClock
from facewire_server.inference.model_cache import ModelCache
from facewire_server.inference.samples import fetch_samples
from facewire_server.loading import load_models

_NOBODY, _PEOPLE, _EACH = 512, 24, 6
_SIDE, _AROUND = 240, 16


def main(out: Path) -> None:
    """Writes them below ``out``: people/NAME/*.png, and nobody/*.png."""
    config = load_config(None, {"generation": {"model": "dcgan-faces-64"}})
    generator = load_models(config).generator
    assert generator is not None  # noqa: S101 - one is configured
    random = np.random.default_rng(1)

    def write(file: Path, latent: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = generator.generate(latent.astype(np.float32), StageClock())
        wide = np.pad(pixels, ((_AROUND, _AROUND), (_AROUND, _AROUND), (0, 0)), mode="reflect")
        large = np.asarray(Image.fromarray(wide).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        file.write_bytes(synthetic.marked_png(large, "facewire lab demo"))

    for number in range(_NOBODY):
        write(out / "nobody" / f"{number:03d}.png", random.standard_normal(generator.latent))
    for person in range(_PEOPLE):
        middle = random.standard_normal(generator.latent)
        for picture in range(_EACH):
            nearby = 0.9 * middle + 0.45 * random.standard_normal(generator.latent)
            write(out / "people" / f"nobody-{person:02d}" / f"{picture}.png", nearby)
    samples = fetch_samples(ModelCache(config.models.cache_dir).folder, None, lambda done, total: None)
    for path in sorted(samples.glob("*.jpg")):
        person = path.stem.rsplit("_", 1)[0]
        (out / "people" / person).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, out / "people" / person / path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

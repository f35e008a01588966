"""Clean faces made as far, noisy, blurred, compressed and dark ones are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Pixels = npt.NDArray[np.uint8]

_DARKEST, _LIGHTEST_DARK = 0.08, 0.25  # dark enough not to be confused with dark skin
_NOISIEST: Final = 12.0
_FAR_SHARE: Final = 0.75
_MOST_BLUR: Final = 2.0
_WORST_QUALITY, _BEST_QUALITY = 30, 95


@dataclass(frozen=True, slots=True)
class Degradation:
    """What happens to a face, in this order.

    Attributes:
        blur: sigma of a Gaussian, pixels of the clean face.
        factor: so many times fewer pixels each way.
        light: pixel values times this.
        noise: sigma of normal noise, grey levels.
        quality: of JPEG; None: not compressed.
        smooth: how pixels are made more again: bicubic, or bilinear, as the server cuts faces out.
    """

    blur: float
    factor: float
    light: float
    noise: float
    quality: int | None
    smooth: bool = True

    def apply(self, chip: Pixels, random: np.random.Generator) -> Pixels:
        """The face as it would be cut out of such a picture: uint8 (S, S, 3)."""
        side = chip.shape[0]
        how = Image.Resampling.BICUBIC if self.smooth else Image.Resampling.BILINEAR
        return np.asarray(self.seen(chip, random).resize((side, side), how))

    def seen(self, chip: Pixels, random: np.random.Generator) -> Image.Image:
        """The face in such a picture, of fewer pixels."""
        side = chip.shape[0]
        picture = Image.fromarray(np.asarray(chip))
        if self.blur > 0:
            picture = picture.filter(ImageFilter.GaussianBlur(self.blur))
        small = max(1, round(side / self.factor))
        picture = picture.resize((small, small), Image.Resampling.BICUBIC)
        levels = np.asarray(picture, dtype=np.float32) * self.light
        levels = levels + random.normal(0.0, 1.0, levels.shape).astype(np.float32) * self.noise
        picture = Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))
        if self.quality is not None:
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=self.quality)
            picture = Image.open(file)
        return picture


FAR: Final = Degradation(blur=0.0, factor=4.0, light=1.0, noise=5.0, quality=40)
"""What restorers are measured on: a quarter of the side, noise, JPEG 40."""
DARK: Final = Degradation(blur=0.0, factor=2.0, light=0.12, noise=3.0, quality=80)
"""An eighth of the light, as noisy as sensors are then; half the side."""
BLURRED: Final = Degradation(blur=2.0, factor=2.0, light=1.0, noise=3.0, quality=60)
"""Out of focus, or moving; half the side."""
DEGRADATIONS: Final = {"far": FAR, "dark": DARK, "blurred": BLURRED}


def any_degradation(random: np.random.Generator) -> Degradation:
    """One as cameras make them: three of four about as far as :data:`FAR`, the others anything; some dark."""
    if random.random() < _FAR_SHARE:
        return Degradation(
            blur=0.0,
            factor=4.0 if random.random() < 0.5 else float(random.uniform(3.0, 4.0)),
            light=_some_light(random, 0.08),
            noise=float(random.uniform(2.0, 8.0)),
            quality=int(random.integers(_WORST_QUALITY, 61)),
            smooth=random.random() < 0.5,
        )
    return Degradation(
        blur=float(random.uniform(0, _MOST_BLUR)) if random.random() < 0.3 else 0.0,
        factor=float(random.uniform(1.5, 4.0)),
        light=_some_light(random, 0.3),
        noise=float(random.uniform(0, _NOISIEST)),
        quality=int(random.integers(_WORST_QUALITY, _BEST_QUALITY + 1)) if random.random() < 0.9 else None,
        smooth=random.random() < 0.5,
    )


def _some_light(random: np.random.Generator, dark: float) -> float:
    return float(random.uniform(_DARKEST, _LIGHTEST_DARK)) if random.random() < dark else 1.0

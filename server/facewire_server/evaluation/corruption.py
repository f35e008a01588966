"""Pictures made worse, as bad light, movement, distance and compression do. Seeded by the picture's name."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Linear = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

_FULL_WELL: Final = 600.0  # electrons at white of a small sensor with its gain turned up
_READ_NOISE: Final = 5.0  # electrons


class CorruptionError(ValueError):
    """No such corruption, or a level out of its range; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind at one level, see :data:`KINDS`."""

    name: str
    level: float

    @classmethod
    def parse(cls, text: str) -> Corruption:
        """From NAME=LEVEL.

        Raises:
            CorruptionError: it is none.
        """
        name, equals, number = text.partition("=")
        kind = KINDS.get(name)
        if kind is None or not equals:
            raise CorruptionError(f"'{text}' is no NAME=LEVEL with a name of {', '.join(KINDS)}")
        try:
            level = float(number)
        except ValueError:
            raise CorruptionError(f"the level of '{text}' is no number") from None
        if not kind.lowest <= level <= kind.highest:
            raise CorruptionError(f"the level of {name} must be {kind.lowest:g} to {kind.highest:g}: {kind.meaning}")
        return cls(name, level)

    def apply(self, picture: Image.Image, face: Box | None, seed: str) -> Image.Image:
        """The picture, worse.

        Args:
            picture: RGB.
            face: x, y, width, height of the face that matters; None: the middle of the picture.
            seed: of the noise and the directions.
        """
        random = np.random.default_rng(zlib.crc32(f"{seed} {self.name}".encode()))
        width, height = picture.size
        side = 0.45 * min(width, height)
        middle = ((width - side) / 2, (height - side) / 2, side, side)
        return KINDS[self.name].act(picture, self.level, face or middle, random)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a level means, and what is done."""

    meaning: str
    lowest: float
    highest: float
    act: Callable[[Image.Image, float, Box, np.random.Generator], Image.Image]


def _to_linear(picture: Image.Image) -> Linear:
    """Light, 0..1 (IEC 61966-2-1)."""
    coded = np.asarray(picture, dtype=np.float32) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _from_linear(light: Linear) -> Image.Image:
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((coded * 255 + 0.5).astype(np.uint8))


def _with_sensor_noise(light: Linear, random: np.random.Generator) -> Linear:
    """Photons come at random, and reading adds its own noise."""
    electrons = random.poisson(np.clip(light, 0, 4) * _FULL_WELL) + random.normal(0, _READ_NOISE, light.shape)
    return (electrons / _FULL_WELL).astype(np.float32)


def _dark(picture: Image.Image, level: float, _: Box, random: np.random.Generator) -> Image.Image:
    return _from_linear(_with_sensor_noise(_to_linear(picture) * level, random))


def _bright(picture: Image.Image, level: float, _: Box, __: np.random.Generator) -> Image.Image:
    return _from_linear(_to_linear(picture) * level)


def _shadow(picture: Image.Image, level: float, face: Box, random: np.random.Generator) -> Image.Image:
    """One half of the face in shadow, with a soft edge of a tenth of the face."""
    x = np.arange(picture.width, dtype=np.float32)
    middle, edge = face[0] + face[2] / 2, max(face[2] / 10, 1.0)
    lit = 1 / (1 + np.exp(np.clip((x - middle) / edge * 4, -50, 50)))
    if random.random() < 0.5:
        lit = 1 - lit
    light = _to_linear(picture) * (level + (1 - level) * lit)[None, :, None]
    return _from_linear(_with_sensor_noise(light.astype(np.float32), random))


def _colour(picture: Image.Image, level: float, _: Box, random: np.random.Generator) -> Image.Image:
    """Light of a random hue; the level is its saturation."""
    hue = random.uniform(0, 2 * np.pi)
    gains = 1 + level * np.cos(hue + np.array([0, 2, 4]) * np.pi / 3)
    return _from_linear(_to_linear(picture) * (gains / gains.max()).astype(np.float32))


def _backlight(picture: Image.Image, level: float, face: Box, random: np.random.Generator) -> Image.Image:
    """The face at this exposure before surroundings four times too bright, some of whose light strays into the lens."""
    x, y, width, height = face
    columns = (np.arange(picture.width) - x - width / 2) / (0.75 * width)
    rows = (np.arange(picture.height) - y - height / 2) / (0.85 * height)
    distance = np.sqrt(rows[:, None] ** 2 + columns[None, :] ** 2)
    outside = (1 / (1 + np.exp(-np.clip((distance - 1) * 12, -50, 50)))).astype(np.float32)[..., None]
    light = _to_linear(picture)
    lit = light * (level * (1 - outside) + 4 * outside) + 0.02 * outside.mean()
    return _from_linear(_with_sensor_noise(lit, random))


def _motion(picture: Image.Image, level: float, _: Box, random: np.random.Generator) -> Image.Image:
    """A straight movement of so many pixels during the exposure."""
    angle = random.uniform(0, np.pi)
    light, total = _to_linear(picture), np.zeros((picture.height, picture.width, 3), dtype=np.float32)
    steps = max(2, int(np.ceil(level)) + 1)
    for part in np.linspace(-level / 2, level / 2, steps):
        dx, dy = round(part * np.cos(angle)), round(part * np.sin(angle))
        rows = np.clip(np.arange(picture.height) + dy, 0, picture.height - 1)
        columns = np.clip(np.arange(picture.width) + dx, 0, picture.width - 1)
        total += light[rows][:, columns]
    return _from_linear((total / steps).astype(np.float32))


def _jpeg(picture: Image.Image, level: float, _: Box, __: np.random.Generator) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=int(level))
    return Image.open(out).convert("RGB")


def _small(picture: Image.Image, level: float, face: Box, _: np.random.Generator) -> Image.Image:
    """The whole picture so small that the face is so many pixels wide; never larger than it was."""
    scale = min(1.0, level / max(face[2], 1.0))
    size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BOX)


def _rotate(picture: Image.Image, level: float, face: Box, random: np.random.Generator) -> Image.Image:
    """Turned about the face, one way or the other; the corners are filled with the picture's mean."""
    sign = 1 if random.random() < 0.5 else -1
    mean = tuple(int(channel) for channel in np.asarray(picture).mean(axis=(0, 1)))
    centre = (face[0] + face[2] / 2, face[1] + face[3] / 2)
    return picture.rotate(sign * level, Image.Resampling.BICUBIC, center=centre, fillcolor=mean)


KINDS: Final = {
    "dark": Kind("exposure, with sensor noise", 0.01, 1, _dark),
    "bright": Kind("exposure, clipped", 1, 16, _bright),
    "shadow": Kind("exposure of one half of the face", 0.01, 1, _shadow),
    "colour": Kind("saturation of the light, of a random hue", 0, 1, _colour),
    "backlight": Kind("exposure of the face before bright surroundings", 0.01, 1, _backlight),
    "motion": Kind("length of the movement, pixels", 0, 64, _motion),
    "jpeg": Kind("JPEG quality", 1, 100, _jpeg),
    "small": Kind("width of the face, pixels", 4, 512, _small),
    "rotate": Kind("degrees in the plane, either way", 0, 180, _rotate),
}

"""Pictures made worse: seeded, in the direction they say, and refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from facewire_server.evaluation.corruption import KINDS, Corruption, CorruptionError

LEVELS = {"dark": 0.125, "bright": 4, "shadow": 0.1, "colour": 0.8, "backlight": 0.1, "motion": 12, "jpeg": 20,
          "small": 24, "rotate": 45}  # fmt: skip
FACE = (60.0, 60.0, 80.0, 90.0)


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    random = np.random.default_rng(0)
    smooth = Image.fromarray(random.integers(40, 220, (10, 10, 3), dtype=np.uint8))
    return smooth.resize((200, 200), Image.Resampling.BICUBIC)


def test_every_kind_has_a_level_here() -> None:
    assert LEVELS.keys() == KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_gives_the_same_picture_and_another_one_changes_it(name: str, picture: Image.Image) -> None:
    corruption = Corruption(name, LEVELS[name])
    once, again = (np.asarray(corruption.apply(picture, FACE, "a")) for _ in range(2))
    assert (once == again).all()
    assert once.dtype == np.uint8
    assert once.shape != (200, 200, 3) or (once != np.asarray(picture)).any()
    if name in {"dark", "shadow", "colour", "backlight", "motion"}:
        others = [np.asarray(corruption.apply(picture, FACE, f"b{i}")) for i in range(4)]
        assert any((other != once).any() for other in others)


def mean_light(picture: Image.Image, box: tuple[int, int, int, int]) -> float:
    coded = np.asarray(picture.crop(box), dtype=float) / 255
    return float((coded**2.2).mean())


def test_darkness_is_of_light_not_of_numbers(picture: Image.Image) -> None:
    whole = (0, 0, 200, 200)
    dark = Corruption("dark", 0.25).apply(picture, FACE, "a")
    assert mean_light(dark, whole) / mean_light(picture, whole) == pytest.approx(0.25, rel=0.1)
    bright = Corruption("bright", 2).apply(picture, FACE, "a")
    assert mean_light(bright, whole) > 1.3 * mean_light(picture, whole)


def test_backlight_darkens_the_face_and_not_its_surroundings(picture: Image.Image) -> None:
    face, corner = (85, 85, 115, 125), (0, 0, 20, 20)
    lit = Corruption("backlight", 0.1).apply(picture, FACE, "a")
    assert mean_light(lit, face) < 0.3 * mean_light(picture, face)
    assert mean_light(lit, corner) > mean_light(picture, corner)


def test_small_makes_the_face_so_wide(picture: Image.Image) -> None:
    assert Corruption("small", 20).apply(picture, FACE, "a").size == (50, 50)
    assert Corruption("small", 200).apply(picture, FACE, "a").size == (200, 200)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("fog=1", "dark, bright"), ("dark", "no NAME=LEVEL"), ("dark=deep", "no number"), ("dark=2", "0.01 to 1"),
     ("jpeg=nan", "1 to 100")],
)  # fmt: skip
def test_what_is_none_is_refused_with_what_there_is(text: str, problem: str) -> None:
    with pytest.raises(CorruptionError, match=problem):
        Corruption.parse(text)

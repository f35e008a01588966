"""How face-like an upright picture is, by a model that knows faces only."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.face import FloatArray
from facewire_server.domain.frame import Pixels

_FINE, _COARSE = 1.0, 4.0  # sigmas of the two blurs at a side of 64: between eyelids and light from one side
_WIDTH, _HEIGHT = 0.375, 0.40625  # half axes of the oval that is looked at, in sides
_FLAT: Final = 2.0  # squared grey levels: a picture of less contrast has no structure to compare


def likeness(face: Pixels, known: Pixels) -> float:
    """Correlation of the structure of a picture with what a VAE makes of it from the main directions of its latents.

    The reconstruction always looks like a face; if the picture is one, eyes, nose and mouth coincide. The
    reconstruction error and the evidence lower bound alone tell faces badly: plain pictures have a high bound, and
    detailed ones a low one, whatever they show (E. Nalisnick et al., Do deep generative models know what they don't
    know?, ICLR 2019); docs/workshop.md has the figures.

    Args:
        face: uint8 (S, S, 3), upright.
        known: the same shape: what is made of it.

    Returns:
        -1..1; faces mostly above a half, other things around 0.
    """
    side = face.shape[0]
    first, second = (_structure(each, side) for each in (face, known))
    inside = _oval(side)
    a, b = first[inside], second[inside]
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + (_FLAT * len(a)) ** 2))


def _structure(pixels: Pixels, side: int) -> FloatArray:
    """The grey picture's details that are neither the finest nor those of its light."""
    grey = pixels.mean(axis=2, dtype=np.float32)
    scale = side / 64
    return _blurred(grey, _FINE * scale) - _blurred(grey, _COARSE * scale)


def _blurred(grey: FloatArray, sigma: float) -> FloatArray:
    reach = int(np.ceil(3 * sigma))
    places = np.arange(-reach, reach + 1, dtype=np.float32)
    weights = np.exp(-np.square(places) / np.float32(2 * sigma**2))
    weights /= weights.sum()
    for axis in (0, 1):
        wide = np.pad(grey, [(reach, reach) if each == axis else (0, 0) for each in (0, 1)], mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(wide, len(weights), axis=axis)
        grey = windows @ weights
    return grey


def _oval(side: int) -> npt.NDArray[np.bool_]:
    places = (np.arange(side) - (side - 1) / 2) / side
    return np.square(places[:, np.newaxis] / _HEIGHT) + np.square(places / _WIDTH) < 1

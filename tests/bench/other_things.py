"""Pictures of other things than faces, for ``facewire lab evaluate vae --others``.

    python -m tests.bench.other_things --data ../shared/data OUT

Squares cut out of WIDER FACE and CelebA where no face is found: OUT/background, 400 of anything, and OUT/skin, 200 of
which two fifths or more have the colour of skin (hands, arms, necks, and what looks like them).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from facewire_server.cli.settings import effective_config
from facewire_server.domain.frame import Frame
from facewire_server.loading import load_models
from tests.pictures import Pixels, read_bgr

_BACKGROUNDS, _SKINS, _TRIES = 400, 200, 60
_LOW, _HIGH = np.array([60, 135, 80]), np.array([255, 175, 127])  # of Y, Cr, Cb: D. Chai, K. Ngan, 1999, widened


def main() -> None:
    """Writes the two folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    models = load_models(effective_config(None, ()))
    random = np.random.default_rng(0)
    paths = sorted(path for name in ("widerface", "celeba") for path in (given.data / name).rglob("*.jpg"))
    found: dict[str, list[Pixels]] = {"background": [], "skin": []}
    for number in random.permutation(len(paths)):
        picture = read_bgr(paths[number])
        boxes = models.detector.detect(Frame(picture, "bgr"), 0.3, 100).boxes
        for kind, square in _squares(picture, boxes, random):
            found[kind].append(square)
    for kind, count in (("background", _BACKGROUNDS), ("skin", _SKINS)):
        (given.out / kind).mkdir(parents=True, exist_ok=True)
        for number, square in enumerate(found[kind][:count]):
            cv2.imwrite(str(given.out / kind / f"{number:03d}.png"), square)
        print(f"{given.out / kind}: {min(count, len(found[kind]))}")


def _squares(
    picture: Pixels, boxes: np.ndarray[tuple[int, int], np.dtype[np.float32]], random: np.random.Generator
) -> list[tuple[str, Pixels]]:
    """At most two of each kind."""
    height, width = picture.shape[:2]
    kept: dict[str, list[Pixels]] = {"background": [], "skin": []}
    for _ in range(_TRIES):
        side = int(random.integers(40, max(41, min(height, width) // 2)))
        if side >= min(height, width):
            break
        x, y = int(random.integers(0, width - side)), int(random.integers(0, height - side))
        if any(x < bx + bw and bx < x + side and y < by + bh and by < y + side for bx, by, bw, bh in boxes.tolist()):
            continue
        square = cv2.resize(picture[y : y + side, x : x + side], (112, 112), interpolation=cv2.INTER_AREA)
        levels = cv2.cvtColor(square, cv2.COLOR_BGR2YCrCb)
        kind = "skin" if ((levels >= _LOW) & (levels < _HIGH)).all(axis=2).mean() > 0.4 else "background"
        if len(kept[kind]) < 2:
            kept[kind].append(square.astype(np.uint8))
    return [(kind, square) for kind, squares in kept.items() for square in squares]


if __name__ == "__main__":
    main()

"""How often the gender network is right: people of Labeled Faces in the Wild whose first names leave no doubt.

python -m tests.bench.gender --images lfw/images
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from facewire_server.config import load_config
from facewire_server.domain.frame import Frame
from facewire_server.domain.rate import Rate
from facewire_server.domain.stages import StageClock
from facewire_server.loading import load_models
from facewire_server.pipeline.recognizer import largest_face
from tests.bench.scenes import ready_cache


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


MEN = _names(
    "John James Robert Michael William David Richard Joseph Thomas Charles Daniel Matthew Anthony Mark",
    "Donald Steven Paul Andrew George Kenneth Kevin Brian Edward Ronald Timothy Jeffrey Ryan Gary",
    "Nicholas Eric Stephen Larry Scott Frank Raymond Gregory Patrick Jack Dennis Jerry Tom Bill Bob Jim",
    "Mike Steve Carlos Jose Juan Luis Vladimir Tony Colin Gerhard Hugo Ariel",
)
WOMEN = _names(
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Margaret Betty",
    "Sandra Ashley Dorothy Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca",
    "Laura Sharon Cynthia Kathleen Amy Shirley Angela Helen Anna Pamela Nicole Samantha Katherine",
    "Christine Catherine Julia Julie Jane Gloria Serena Venus Maria Hillary Halle Winona Naomi",
)


def main() -> None:
    """Prints the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    arguments = parser.parse_args()
    models = load_models(
        load_config(None, {"models": {"cache_dir": ready_cache().folder}, "attributes": {"enabled": True}})
    )
    assert models.attributes is not None
    right: dict[str, list[bool]] = {"men": [], "women": []}
    for path in track(sorted(arguments.images.rglob("*.jpg")), "pictures"):
        first = path.name.partition("_")[0]
        if first not in MEN | WOMEN:
            continue
        frame = Frame(np.ascontiguousarray(cv2.imread(str(path))), "bgr")
        face = largest_face(models.detector.detect(frame, None, 10))
        if len(face):
            (found,) = models.attributes.estimate(frame, face, StageClock())
            right["men" if first in MEN else "women"].append((found.female > 0.5) == (first in WOMEN))
    for name, answers in right.items():
        rate = Rate.of(sum(answers), len(answers))
        print(f"{name}: {rate.value:.1%} of {len(answers)} pictures right, 95 %: {rate.low:.1%} to {rate.high:.1%}")


if __name__ == "__main__":
    main()

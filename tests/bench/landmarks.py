"""How far the 8-bit detector's landmarks lie from the float one's, in shares of the distance between the eyes.

python -m tests.bench.landmarks [FOLDER ...]      the sample photographs, and the JPEG files in these folders
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from facewire_server.loading import load_models
from facewire_server.pipeline.decoding import decode_image
from tests.bench.our_pipeline import MAX_PIXELS, configuration
from tests.bench.scenes import samples


def main() -> None:
    folders = [samples(), *map(Path, sys.argv[1:])]
    exact, quick = (load_models(configuration(precision=form)).detector for form in ("f32", "int8"))
    shares, lost = [], 0
    for path in sorted(found for folder in folders for found in folder.rglob("*.jpg")):
        frame = decode_image(path.read_bytes(), MAX_PIXELS)
        wanted, got = (detector.detect(frame, None, 1) for detector in (exact, quick))
        if len(wanted) and len(got):
            eyes = np.linalg.norm(wanted.landmarks[0, 0] - wanted.landmarks[0, 1])
            shares.append(np.linalg.norm(got.landmarks[0] - wanted.landmarks[0], axis=1).mean() / eyes)
        lost += len(wanted) != len(got)
    print(
        f"{len(shares)} faces: mean {np.mean(shares):.4f}, 95 % {np.percentile(shares, 95):.4f}, "
        f"largest {np.max(shares):.4f}; found by one form alone: {lost}"
    )


if __name__ == "__main__":
    main()

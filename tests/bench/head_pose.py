"""How wrong head poses are: photographs whose heads are turned by known angles, see ``tests.turning_heads``.

    python -m tests.bench.head_pose --images FOLDER --count 70

Errors are of the change against the photograph itself, whose own pose nobody knows: only heads that look about straight
ahead are used. The pictures are made with the depth of the mesh, so a mesh too flat would flatter it; its noses stand
out by 0.61 of the distance between the eyes, as people's do.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.loading import LoadedModels, load_models
from facewire_server.pipeline.recognizer import largest_face
from tests.bench.our_pipeline import configuration
from tests.pictures import Pixels
from tests.turning_heads import head_of

_STRAIGHT_DEG = 8.0
_SMALLEST_PX = 80.0
_VIEWS = 6
_YAW_DEG, _PITCH_DEG = 40.0, 25.0


def poses(models: LoadedModels, picture: Pixels) -> np.ndarray | None:
    """Yaw and pitch by the mesh and by the landmarks, (4,); None without a face."""
    frame = Frame(np.ascontiguousarray(picture), "bgr")
    face = largest_face(models.detector.detect(frame, None, 10))
    if not len(face) or face.sizes_px[0] < _SMALLEST_PX or models.mesh is None:
        return None
    mesh = models.mesh.fit(frame, face, StageClock())[0].pose
    (quality,) = models.embedder.measure(frame, face, StageClock())[1]
    return np.array([mesh.yaw_deg, mesh.pitch_deg, quality.yaw_deg, quality.pitch_deg])


def main() -> None:
    """Prints a table of errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=70, help="photographs")
    arguments = parser.parse_args()
    chance = random.Random(3)
    models = load_models(configuration(mesh="mediapipe-mesh-468"))
    paths = sorted(arguments.images.rglob("*.jpg"))
    chance.shuffle(paths)
    rows, used = [], 0
    for path in track(paths, "photographs"):
        photo = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
        straight = poses(models, photo)
        if straight is None or np.abs(straight[[0, 2]]).max() > _STRAIGHT_DEG:
            continue
        head = head_of(photo, models)
        for _ in range(_VIEWS):
            yaw, pitch = chance.uniform(-_YAW_DEG, _YAW_DEG), chance.uniform(-_PITCH_DEG, _PITCH_DEG)
            found = poses(models, head.turned(yaw, pitch))
            if found is not None:
                rows.append([yaw, pitch, *(found - straight)])
        used += 1
        if used >= arguments.count:
            break
    table = np.array(rows)
    print(f"{len(table)} views of {used} photographs, yaw to {_YAW_DEG:.0f} and pitch to {_PITCH_DEG:.0f} degrees")
    for name, truth, column in (("yaw", 0, 0), ("pitch", 1, 1)):
        for source, offset in (("mesh", 2), ("five landmarks", 4)):
            error = np.abs(table[:, offset + column] - table[:, truth])
            slope = float(table[:, offset + column] @ table[:, truth] / (table[:, truth] @ table[:, truth]))
            worst = np.quantile(error, 0.9)
            print(f"{name:6} {source:15} mean {error.mean():5.1f}, nine in ten below {worst:5.1f}, slope {slope:.2f}")


if __name__ == "__main__":
    main()

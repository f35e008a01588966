"""The face mesh: 468 points of a face in three dimensions."""

from __future__ import annotations

from typing import Final

import numpy as np

from facewire import kernels
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.mesh import MESH_POINTS, Mesh
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import MeshModel

# Middle and ends of a square's axes, in its sides.
_CROSS: Final = np.array([[0, 0], [-0.5, 0], [0.5, 0], [0, -0.5], [0, 0.5]], dtype=np.float32)


class NetworkMesh(CropNetwork):
    """MediaPipe's network. Thread-safe."""

    def __init__(self, spec: MeshModel, network: Network) -> None:
        super().__init__(spec, network)
        network.require_output(spec.points)
        network.require_output(spec.score)
        self._model = spec

    def fit(self, frame: Frame, faces: Faces, clock: StageClock) -> list[Mesh]:
        """The mesh of each face."""
        with clock.stage("mesh"):
            return [self._fit(frame, box, points) for box, points in zip(faces.boxes, faces.landmarks, strict=True)]

    def _fit(self, frame: Frame, box: FloatArray, landmarks: FloatArray) -> Mesh:
        """Shown upright, by the line of the eyes, in a square around the box."""
        side = max(float(box[2:].max()), 1.0) * self._model.box_scale
        middle = box[:2] + box[2:] / 2
        across = landmarks[1] - landmarks[0]
        angle = float(np.arctan2(across[1], across[0]))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
        places = np.asarray(middle + side * _CROSS @ turn.T, dtype=np.float32)
        size = self._model.size
        outputs = self.judge(
            lambda chips: kernels.align_faces(
                frame.pixels, frame.format, places[np.newaxis], size / 2 + size * _CROSS, chips, self.transform
            )
        )
        seen = outputs[self._model.points].reshape(MESH_POINTS, 3) * np.float32(side / size)
        points = seen.copy()
        points[:, :2] = (seen[:, :2] - side / 2) @ turn.T + middle
        score = float(1.0 / (1.0 + np.exp(-outputs[self._model.score].ravel()[0])))
        return Mesh(points, score)

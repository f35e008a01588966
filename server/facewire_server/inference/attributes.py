"""Age and gender, from dlib's networks on dlib's face chip."""

from __future__ import annotations

from typing import Final

import numpy as np

from facewire import kernels
from facewire_server.domain.attributes import Attributes
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import AttributeModel

# Eyes, nose tip and mouth corners of dlib's mean face (image_transforms/interpolation.h): of its 68 points the mean of
# those around each eye, and numbers 31, 49 and 55.
_MEAN_FACE: Final = np.array(
    [[0.2257, 0.2160], [0.7546, 0.2160], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]], dtype=np.float32
)


class AttributeNetwork(CropNetwork):
    """One of the two networks. Thread-safe."""

    def __init__(self, spec: AttributeModel, network: Network) -> None:
        super().__init__(spec, network)
        network.require_output(spec.output, (len(spec.values),))
        self._model = spec
        self._values = np.array(spec.values, dtype=np.float32)
        self._reference = (_MEAN_FACE + spec.padding) / (1 + 2 * spec.padding) * np.float32(spec.size)

    def estimate(self, frame: Frame, landmarks: FloatArray) -> float:
        """The mean over the classes of what each stands for."""
        outputs = self.judge(
            lambda chips: kernels.align_faces(
                frame.pixels, frame.format, landmarks[np.newaxis], self._reference, chips, self.transform
            )
        )
        return float(outputs[self._model.output][0] @ self._values)


class NetworkAttributes:
    """Both together. Thread-safe."""

    def __init__(self, age: AttributeNetwork, gender: AttributeNetwork) -> None:
        self._age = age
        self._gender = gender

    def estimate(self, frame: Frame, faces: Faces, clock: StageClock) -> list[Attributes]:
        """What each face looks like."""
        with clock.stage("attributes"):
            return [
                Attributes(self._age.estimate(frame, points), self._gender.estimate(frame, points))
                for points in faces.landmarks
            ]

"""Passive liveness: the face with its surroundings, and how live a network takes it to be."""

from __future__ import annotations

import numpy as np

from facewire import kernels
from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.stages import StageClock
from facewire_server.inference.crops import CropNetwork
from facewire_server.inference.runtime import Network
from facewire_server.inference.specs import LivenessModel


class NetworkLiveness(CropNetwork):
    """A liveness network described by the manifest. Thread-safe."""

    def __init__(self, spec: LivenessModel, network: Network) -> None:
        super().__init__(spec, network)
        self._output = spec.output or network.output_info()[0].name
        network.require_output(self._output, (spec.classes,))
        self._model = spec

    def scores(self, frame: Frame, faces: Faces, clock: StageClock) -> FloatArray:
        """How live each face looks, float32 (n,), 0..1."""
        scores = np.empty(len(faces), dtype=np.float32)
        with clock.stage("liveness"):
            for i, box in enumerate(faces.boxes):
                scores[i] = self._score(frame, box)
        return scores

    def _score(self, frame: Frame, box: FloatArray) -> float:
        cut = np.array([surroundings(box, self._model.box_scale, frame.width, frame.height)], dtype=np.float32)
        outputs = self.judge(lambda chips: kernels.crop_boxes(frame.pixels, frame.format, cut, chips, self.transform))
        return float(_softmax(outputs[self._output][0])[self._model.live_class])


def surroundings(box: FloatArray, scale: float, width: int, height: int) -> tuple[float, float, float, float]:
    """The box enlarged about its middle, but not beyond the frame, and moved into it: as Silent-Face trains."""
    x, y, w, h = (float(value) for value in box)
    scale = min(scale, (width - 1) / max(w, 1.0), (height - 1) / max(h, 1.0))
    wide, high = max(w, 1.0) * scale, max(h, 1.0) * scale
    left = min(max(x + w / 2 - wide / 2, 0.0), width - 1 - wide)
    top = min(max(y + h / 2 - high / 2, 0.0), height - 1 - high)
    return max(left, 0.0), max(top, 0.0), max(wide, 1.0), max(high, 1.0)


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max())
    shares: FloatArray = powers / powers.sum()
    return shares

"""A face detector: frame to letterboxed input tensor, network, decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facewire import kernels
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.ports import Tensor, TensorInfo
from facewire_server.inference.manifest import DetectorModel
from facewire_server.inference.runtime import CompiledShape, Network

_NO_FACES = np.empty((0, 15), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Bucket:
    """One input size the detector is compiled for."""

    network: CompiledShape
    width: int
    height: int

    def scale_for(self, frame: Frame) -> float:
        return kernels.letterbox_scale(frame.width, frame.height, self.width, self.height)


class NetworkDetector:
    """Finds faces with a network described by the manifest. Thread-safe.

    Args:
        spec: the manifest's entry.
        network: compiled for (1, 3, H, W) of each input size.
        second_look: where nothing is found, look again at the smallest size: very large faces show only there.
    """

    def __init__(self, spec: DetectorModel, network: Network, *, second_look: bool) -> None:
        self._spec = spec
        self._network = network
        self._second_look = second_look
        self._transform = kernels.PixelTransform(
            rgb=spec.input.colour == "rgb", mean=spec.input.mean, scale=spec.input.scale
        )
        for stride in spec.strides:
            for name in (spec.outputs.score, spec.outputs.box, spec.outputs.landmarks, spec.outputs.objectness):
                if name is not None:
                    network.require_output(name.format(stride=stride))
        self._buckets = sorted(
            (_Bucket(c, shape[3], shape[2]) for shape, c in network.shapes.items()),
            key=lambda bucket: bucket.width * bucket.height,
        )

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        return self._spec.name

    @property
    def network(self) -> Network:
        """Its compiled shapes."""
        return self._network

    def detect(self, frame: Frame, min_score: float | None, max_faces: int) -> Faces:
        """Faces by falling score."""
        threshold = self._spec.score_threshold if min_score is None else min_score
        best = self._bucket_for(frame)
        rows = self._detect_at(best, frame, threshold, max_faces)
        smallest = self._buckets[0]
        if not len(rows) and self._second_look and best.scale_for(frame) > smallest.scale_for(frame):
            rows = self._detect_at(smallest, frame, threshold, max_faces)
        return Faces(
            boxes=np.ascontiguousarray(rows[:, :4]),
            landmarks=np.ascontiguousarray(rows[:, 4:14]).reshape(-1, 5, 2),
            scores=np.ascontiguousarray(rows[:, 14]),
        )

    def _bucket_for(self, frame: Frame) -> _Bucket:
        """The size that shows the frame largest; of several the smallest."""
        return max(reversed(self._buckets), key=lambda b: (b.scale_for(frame), -b.width * b.height))

    def _detect_at(self, bucket: _Bucket, frame: Frame, threshold: float, max_faces: int) -> Tensor:
        with bucket.network.borrow() as request:
            scale = kernels.letterbox(frame.pixels, frame.format, request.input[0], self._transform)
            outputs = request.infer()
            levels = [self._level(outputs, stride, bucket) for stride in self._spec.strides]
            return kernels.decode_faces(
                self._spec.kind,
                levels,
                score_threshold=threshold,
                nms_iou=self._spec.nms_iou,
                scale=scale,
                max_faces=max_faces,
            )

    def _level(self, outputs: dict[str, Tensor], stride: int, bucket: _Bucket) -> kernels.Level:
        names = self._spec.outputs
        objectness = names.objectness
        return (
            stride,
            bucket.width // stride,
            bucket.height // stride,
            outputs[names.score.format(stride=stride)].reshape(-1),
            None if objectness is None else outputs[objectness.format(stride=stride)].reshape(-1),
            outputs[names.box.format(stride=stride)].reshape(-1, 4),
            outputs[names.landmarks.format(stride=stride)].reshape(-1, 10),
        )

    # --- the raw network, for the Open Inference Protocol ---------------------------------------------------

    @property
    def inputs(self) -> Sequence[TensorInfo]:
        """Its input; -1 where several sizes are compiled."""
        return self._network.input_info()

    @property
    def outputs(self) -> Sequence[TensorInfo]:
        """Its outputs."""
        return self._network.output_info()

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """Outputs for an input of one of the compiled shapes."""
        compiled = self._network.shapes.get(tuple(tensor.shape))
        if compiled is None:
            known = ", ".join(str(list(shape)) for shape in self._network.shapes)
            raise InvalidArgument("inputs.shape", f"{list(tensor.shape)} is none of the compiled shapes: {known}")
        return compiled.run(tensor)

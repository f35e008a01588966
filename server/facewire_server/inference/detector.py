"""A face detector: frame to letterboxed input tensor, network, decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facewire import kernels
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import Faces
from facewire_server.domain.frame import Frame
from facewire_server.domain.ports import Tensor, TensorInfo
from facewire_server.inference.runtime import CompiledShape, Network
from facewire_server.inference.specs import DetectorModel

# In a close-up the face takes so much of the input's side: of 0.15, 0.3, 0.4, 0.5, 0.6 the best on LFW and CelebA.
_CLOSE_UP: Final = 0.6
_CLOSE_UP_FACES: Final = 8
_TILTED_DEG: Final = 15.0
_SAME_FACE: Final = 0.35  # its middle lies within this share of the face's size
# Middle and ends of a square's axes, in its sides.
_CROSS: Final = np.array([[0, 0], [-0.5, 0], [0.5, 0], [0, -0.5], [0, 0.5]], dtype=np.float32)
# Frames that leave so much room are looked at enlarged, too, and faces smaller than so many pixels taken from there.
# AP on WIDER FACE at 416 pixels across: 65 to 73 % (medium), 1.8 to 8.3 % (tiny), 90.2 to 90.0 % (huge faces).
_ROOM: Final = 1.15
_MOST_ENLARGED: Final = 4.0
_SMALL_PX: Final = 32.0


@dataclass(frozen=True, slots=True)
class _Bucket:
    """One input size the detector is compiled for."""

    network: CompiledShape
    width: int
    height: int

    def scale_for(self, frame: Frame) -> float:
        return kernels.letterbox_scale(frame.width, frame.height, self.width, self.height)

    def room_for(self, frame: Frame) -> float:
        """How many times as large a frame would fill it."""
        return kernels.letterbox_scale(frame.width, frame.height, self.width, self.height, _MOST_ENLARGED)


def _small_ones_from(larger: Tensor, plain: Tensor, iou: float) -> Tensor:
    """Rows (n, 15) of both looks by falling score: of a face that both show the small one of ``larger``."""
    if not len(larger) or not len(plain):
        return larger if len(larger) else plain
    same = _overlaps(plain, larger) > iou
    keep = (plain[:, 2:4].min(axis=1) >= _SMALL_PX) | ~same.any(axis=1)
    rows = np.concatenate([plain[keep], larger[~(same & keep[:, None]).any(axis=0)]])
    return np.ascontiguousarray(rows[np.argsort(-rows[:, 14], kind="stable")])


def _overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes x, y, width, height: rows (n, 15) and (m, 15) to (n, m)."""
    start = np.maximum(a[:, None, :2], b[None, :, :2])
    end = np.minimum(a[:, None, :2] + a[:, None, 2:4], b[None, :, :2] + b[None, :, 2:4])
    shared = np.clip(end - start, 0, None).prod(axis=2)
    areas = a[:, None, 2:4].prod(axis=2) + b[None, :, 2:4].prod(axis=2)
    return np.asarray(shared / np.maximum(areas - shared, 1e-9), dtype=np.float32)


def _upright(landmarks: Tensor) -> Tensor:
    """The rotation, (2, 2), that a tilted face has; none below what the network finds as well as an upright one."""
    across = landmarks[1] - landmarks[0]
    angle = float(np.arctan2(across[1], across[0]))
    if abs(angle) < np.deg2rad(_TILTED_DEG):
        angle = 0.0
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]], dtype=np.float32)


class NetworkDetector:
    """Finds faces with a network described by the manifest. Thread-safe.

    Args:
        spec: the manifest's entry.
        network: compiled for (1, 3, H, W) of each input size.
        second_look: where nothing is found, look again at the smallest size: very large faces show only there.

    A frame that leaves room in its input is looked at twice, as it is and enlarged to fill it: small faces are those of
    the second, others, whose landmarks it shows no better, of the first.
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
        if best.room_for(frame) >= _ROOM:
            larger = self._detect_at(best, frame, threshold, max_faces, _MOST_ENLARGED)
            rows = _small_ones_from(larger, rows, self._spec.nms_iou)[:max_faces]
        smallest = self._buckets[0]
        if not len(rows) and self._second_look and best.scale_for(frame) > smallest.scale_for(frame):
            rows = self._detect_at(smallest, frame, threshold, max_faces)
        return Faces(
            boxes=np.ascontiguousarray(rows[:, :4]),
            landmarks=np.ascontiguousarray(rows[:, 4:14]).reshape(-1, 5, 2),
            scores=np.ascontiguousarray(rows[:, 14]),
        )

    def look_again(self, frame: Frame, faces: Faces, check: Callable[[], None] = lambda: None) -> Faces:
        """The same faces with landmarks of a close-up each; those that it does not show keep theirs.

        A close-up shows the face at another size and place of the network's grid, so its landmarks err independently.
        """
        landmarks = faces.landmarks.copy()
        for i, (box, points) in enumerate(zip(faces.boxes, faces.landmarks, strict=True)):
            check()
            seen = self._close_up(frame, box, _upright(points))
            if seen is not None:
                landmarks[i] = seen
        return Faces(faces.boxes, landmarks, faces.scores)

    def _close_up(self, frame: Frame, box: Tensor, turn: Tensor) -> Tensor | None:
        """Landmarks in frame pixels, (5, 2); the face is shown turned by this matrix' inverse."""
        bucket = self._buckets[0]
        side = min(bucket.width, bucket.height)
        middle, size = box[:2] + box[2:] / 2, max(float(box[2:].max()), 1.0)
        scale = _CLOSE_UP * side / size
        chip = np.zeros((1, 3, side, side), dtype=np.float32)
        places = np.asarray(middle + size * _CROSS @ turn.T, dtype=np.float32)
        kernels.align_faces(
            frame.pixels, frame.format, places[np.newaxis], side / 2 + scale * size * _CROSS, chip, self._transform
        )
        with bucket.network.borrow() as request:
            drawn = request.input[0]
            drawn[...] = 0
            if drawn.dtype == np.uint8:
                drawn[:side, :side] = np.rint(chip[0]).transpose(1, 2, 0)
            else:
                drawn[:, :side, :side] = chip[0]
            rows = self._decode(request.infer(), bucket, self._spec.score_threshold, (1.0, 1.0), _CLOSE_UP_FACES)
        if not len(rows):
            return None
        away = np.linalg.norm(rows[:, :2] + rows[:, 2:4] / 2 - side / 2, axis=1)
        nearest = int(away.argmin())
        if away[nearest] > _SAME_FACE * scale * size:
            return None
        found = rows[nearest, 4:14].reshape(5, 2)
        return np.asarray((found - side / 2) / scale @ turn.T + middle, dtype=np.float32)

    def _bucket_for(self, frame: Frame) -> _Bucket:
        """The size that shows the frame largest; of several the smallest."""
        return max(reversed(self._buckets), key=lambda b: (b.scale_for(frame), -b.width * b.height))

    def _detect_at(
        self, bucket: _Bucket, frame: Frame, threshold: float, max_faces: int, max_scale: float = 1.0
    ) -> Tensor:
        with bucket.network.borrow() as request:
            scale = kernels.letterbox(frame.pixels, frame.format, request.input[0], self._transform, max_scale)
            return self._decode(request.infer(), bucket, threshold, scale, max_faces)

    def _decode(
        self, outputs: dict[str, Tensor], bucket: _Bucket, threshold: float, scale: tuple[float, float], max_faces: int
    ) -> Tensor:
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

"""A face embedder: landmarks to aligned chips in the input tensor, their quality, network, unit vectors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import numpy.typing as npt

from facewire import kernels
from facewire_server.domain.contract import EmbeddingContract
from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import EncodedFaces, Faces, FloatArray, Quality
from facewire_server.domain.frame import Frame
from facewire_server.domain.ports import Tensor, TensorInfo
from facewire_server.domain.quality import QualityJudge
from facewire_server.domain.stages import StageClock
from facewire_server.inference.runtime import CompiledShape, Network
from facewire_server.inference.specs import DetectorModel, EmbedderModel

log = logging.getLogger(__name__)

_ALIGNED = 0
_ROUNDS = 3


def contract_of(
    detector: DetectorModel, detector_precision: str, embedder: EmbedderModel, network: Network
) -> EmbeddingContract:
    """What embeddings of these two models on this device depend on. ``network`` is the embedder's."""
    reference = reference_landmarks(embedder)
    return EmbeddingContract(
        detector_sha256=detector.sha256,
        detector_rules=f"{detector.kind} {detector.input} letterbox bilinear {detector_precision}",
        alignment=f"umeyama bilinear black-border {embedder.size} {reference.round(4).tolist()}",
        embedder_sha256=embedder.sha256,
        embedder_rules=f"{embedder.kind} {embedder.input} {embedder.output}",
        precision=network.precision,
        device=network.device.split(".")[0],
        dim=embedder.dim,
    )


def reference_landmarks(spec: EmbedderModel) -> FloatArray:
    """Where the five landmarks lie on the chip, (5, 2): the model's own template, or ArcFace's scaled."""
    if spec.template is not None:
        return np.array(spec.template, dtype=np.float32)
    return np.ascontiguousarray(kernels.ARCFACE_TEMPLATE * np.float32(spec.size / 112))


class NetworkEmbedder:
    """Embeds faces with a network described by the manifest. Thread-safe.

    Args:
        spec: the manifest's entry.
        network: compiled for (b, 3, S, S) of each batch size b.
        contract: what its embeddings depend on.
        judge: of the faces' quality.
    """

    def __init__(self, spec: EmbedderModel, network: Network, contract: EmbeddingContract, judge: QualityJudge) -> None:
        self._spec = spec
        self._network = network
        self._contract = contract
        self._judge = judge
        self._reference = reference_landmarks(spec)
        self._transform = kernels.PixelTransform(
            rgb=spec.input.colour == "rgb", mean=spec.input.mean, scale=spec.input.scale
        )
        network.require_output(spec.output, (spec.dim,))
        self._batches = sorted(network.shapes.values(), key=lambda compiled: compiled.shape[0])
        self._best_batch = 1 if len(self._batches) == 1 else self._measure_batches()

    @property
    def name(self) -> str:
        """The model's name in the manifest."""
        return self._spec.name

    @property
    def network(self) -> Network:
        """Its compiled shapes."""
        return self._network

    @property
    def contract(self) -> EmbeddingContract:
        """What its embeddings depend on."""
        return self._contract

    @property
    def best_batch(self) -> int:
        """The batch size that measured fastest for each face; 1 where batches gain nothing."""
        return self._best_batch

    def _measure_batches(self) -> int:
        """Times each compiled batch size, alternately; the best time counts: the rest is other work's noise.

        One batch of several streams' faces runs while the other threads wait for it. So it competes with all
        threads embedding single faces at once.
        """
        each_ms = {network.shape[0]: float("inf") for network in self._batches}
        alone = self._batches[0]
        with ThreadPoolExecutor(alone.requests) as threads:
            for _ in range(_ROUNDS):
                for network in self._batches:
                    at_once = alone.requests if network is alone else 1
                    start = time.perf_counter()
                    list(threads.map(lambda _, network=network: network.warm_up(1), range(at_once)))
                    took_ms = (time.perf_counter() - start) * 1e3 / (network.shape[0] * at_once)
                    each_ms[network.shape[0]] = min(each_ms[network.shape[0]], took_ms)
        best = min(each_ms, key=lambda batch: each_ms[batch])
        log.info("embedder batches, ms a face: %s", ", ".join(f"{batch}: {ms:.1f}" for batch, ms in each_ms.items()))
        return best

    def measure(self, frame: Frame, faces: Faces, clock: StageClock) -> tuple[Faces, list[Quality]]:
        """Those faces that can be aligned, with their quality."""
        size = self._spec.size
        chips = np.empty((len(faces), 3, size, size), dtype=np.float32)
        with clock.stage("align"):
            aligned = self._align(frame, faces, chips)
            numbers = self._measure(frame, faces, chips)
        kept = faces.select(aligned)
        return kept, self._qualities(numbers[aligned], kept)

    def encode(self, frame: Frame, faces: Faces, clock: StageClock) -> EncodedFaces:
        """Those faces that can be aligned, with quality and embeddings."""
        return self.encode_many([(frame, faces)], clock)[0]

    def encode_many(self, shots: Sequence[tuple[Frame, Faces]], clock: StageClock) -> list[EncodedFaces]:
        """The same for faces of several frames, in common batches."""
        owners = [(shot, row) for shot, (_, faces) in enumerate(shots) for row in range(len(faces))]
        aligned = np.empty(len(owners), dtype=np.bool_)
        numbers = np.empty((len(owners), len(kernels.QUALITY_COLUMNS)), dtype=np.float32)
        vectors = np.empty((len(owners), self._spec.dim), dtype=np.float32)
        for first, network in self._portions(len(owners)):
            part = slice(first, min(first + network.shape[0], len(owners)))
            with network.borrow() as request:
                with clock.stage("align"):
                    for frame, faces, here in _runs(shots, owners[part]):
                        place = slice(part.start + here.start, part.start + here.stop)
                        aligned[place] = self._align(frame, faces, request.input[here])
                        numbers[place] = self._measure(frame, faces, request.input[here])
                with clock.stage("embed"):
                    vectors[part] = request.infer()[self._spec.output][: part.stop - part.start]
        norms = kernels.normalise_rows(vectors)
        keep = aligned & (norms > 0)
        encoded, start = [], 0
        for _, faces in shots:
            rows = np.arange(start, start + len(faces))[keep[start : start + len(faces)]]
            kept = faces.select(rows - start)
            encoded.append(EncodedFaces(kept, self._qualities(numbers[rows], kept, norms[rows]), vectors[rows]))
            start += len(faces)
        return encoded

    def _portions(self, count: int) -> Iterator[tuple[int, CompiledShape]]:
        """Cuts so many faces into batches: the smallest compiled batch that holds the rest, or the largest."""
        first = 0
        while first < count:
            rest = count - first
            fitting = [network for network in self._batches if network.shape[0] >= rest]
            network = fitting[0] if fitting else self._batches[-1]
            yield first, network
            first += network.shape[0]

    def _align(self, frame: Frame, faces: Faces, chips: Tensor) -> npt.NDArray[np.bool_]:
        statuses = kernels.align_faces(
            frame.pixels, frame.format, faces.landmarks, self._reference, chips, self._transform
        )
        aligned: npt.NDArray[np.bool_] = statuses == _ALIGNED
        return aligned

    def _measure(self, frame: Frame, faces: Faces, chips: Tensor) -> FloatArray:
        return kernels.measure_quality(
            chips,
            faces.boxes,
            faces.landmarks,
            frame_width=frame.width,
            frame_height=frame.height,
            transform=self._transform,
        )

    def _qualities(self, numbers: FloatArray, faces: Faces, norms: FloatArray | None = None) -> list[Quality]:
        lengths: list[float | None] = [None] * len(numbers) if norms is None else norms.tolist()
        return [
            self._judge.judge(
                Quality(**dict(zip(kernels.QUALITY_COLUMNS, row, strict=True)), embedding_norm=length), score
            )
            for row, length, score in zip(numbers.tolist(), lengths, faces.scores.tolist(), strict=True)
        ]

    # --- the raw network, for the Open Inference Protocol ---------------------------------------------------

    @property
    def inputs(self) -> Sequence[TensorInfo]:
        """Its input; any batch size."""
        info = self._network.input_info()[0]
        return [TensorInfo(info.name, (-1, *info.shape[1:]))]

    @property
    def outputs(self) -> Sequence[TensorInfo]:
        """Its outputs."""
        return [TensorInfo(o.name, (-1, *o.shape[1:])) for o in self._network.output_info()]

    def run(self, tensor: Tensor) -> dict[str, Tensor]:
        """Outputs for an input (n, 3, S, S), in portions of the compiled batch sizes."""
        wanted = (3, self._spec.size, self._spec.size)
        if tensor.ndim != 4 or tensor.shape[1:] != wanted or not len(tensor):
            raise InvalidArgument(
                "inputs.shape", f"must be [n, {', '.join(map(str, wanted))}], not {list(tensor.shape)}"
            )
        parts: list[dict[str, Tensor]] = []
        for first, network in self._portions(len(tensor)):
            portion = tensor[first : first + network.shape[0]]
            with network.borrow() as request:
                request.input[: len(portion)] = portion
                outputs = request.infer()
                parts.append({name: out[: len(portion)].copy() for name, out in outputs.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _runs(
    shots: Sequence[tuple[Frame, Faces]], owners: Sequence[tuple[int, int]]
) -> Iterator[tuple[Frame, Faces, slice]]:
    """A batch's places, cut where the frame changes: the frame, its faces there, and the places."""
    start = 0
    for shot, group in groupby(owners, key=lambda owner: owner[0]):
        rows = np.array([row for _, row in group], dtype=np.intp)
        frame, faces = shots[shot]
        yield frame, faces.select(rows), slice(start, start + len(rows))
        start += len(rows)

"""Single kernels against the same work in OpenCV, one thread each."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from facewire import kernels
from facewire_server.domain.frame import Frame
from tests.bench.our_pipeline import OurPipeline
from tests.bench.row import Row, alternate, faster
from tests.bench.scenes import scene


def rows(rounds: int) -> Iterator[Row]:
    """Preprocess a 720p frame; align five faces."""
    cv2.setNumThreads(1)
    pixels = scene(5)
    yield _preprocess(pixels, rounds)
    yield _align(pixels, rounds)


def _preprocess(pixels: np.ndarray, rounds: int) -> Row:
    tensor = np.zeros((384, 640, 3), dtype=np.uint8)
    transform = kernels.PixelTransform()
    took = alternate(
        {
            "ours": lambda: kernels.letterbox(pixels, "bgr", tensor, transform),
            "cv2": lambda: cv2.dnn.blobFromImage(cv2.resize(pixels, (640, 360))),
            "cv2, resize alone": lambda: cv2.resize(pixels, (640, 360)),
        },
        rounds,
    )
    alone = float(np.median(took["cv2, resize alone"])) * 1e3
    return faster(
        "preprocess 720p to detector input",
        ("kernels.letterbox into the input tensor (bytes)", took["ours"]),
        ("cv2.resize + blobFromImage", took["cv2"]),
        2.0,
        note=f"cv2.resize alone, without a tensor: {alone:.3f} ms; one thread",
    )


def _align(pixels: np.ndarray, rounds: int) -> Row:
    ours = OurPipeline(10)
    faces = ours.models.detector.detect(Frame(pixels, "bgr"), None, 10)
    reference = kernels.ARCFACE_TEMPLATE
    chips = np.zeros((len(faces), 3, 112, 112), dtype=np.float32)
    transform = kernels.PixelTransform(rgb=True)

    def theirs() -> object:
        crops = [
            cv2.warpAffine(pixels, cv2.estimateAffinePartial2D(landmarks, reference)[0], (112, 112))
            for landmarks in faces.landmarks
        ]
        return cv2.dnn.blobFromImages(crops, swapRB=True)

    took = alternate(
        {
            "ours": lambda: kernels.align_faces(pixels, "bgr", faces.landmarks, reference, chips, transform),
            "cv2": theirs,
        },
        rounds,
    )
    return faster(
        "align 5 faces into a batch tensor",
        ("kernels.align_faces", took["ours"]),
        ("cv2.estimateAffinePartial2D + warpAffine + blobFromImages", took["cv2"]),
        4.0,
        note="one thread",
    )

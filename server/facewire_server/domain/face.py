"""Faces found in a frame, as arrays: one row a face, best detection score first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class NoFaceReason(Enum):
    """Why a picture gave no face."""

    NONE_DETECTED = "none detected"
    TOO_SMALL = "too small"
    NOT_ALIGNABLE = "not alignable"


@dataclass(frozen=True, slots=True)
class Faces:
    """Detections in frame pixels.

    Attributes:
        boxes: float32 (n, 4): x, y of the top left corner, width, height.
        landmarks: float32 (n, 5, 2): image-left eye, image-right eye, nose tip, mouth corners.
        scores: float32 (n,), 0..1.
    """

    boxes: FloatArray
    landmarks: FloatArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, keep: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Faces:
        """The faces at these positions, or where the mask is true."""
        return Faces(self.boxes[keep], self.landmarks[keep], self.scores[keep])

    @property
    def sizes_px(self) -> FloatArray:
        """The shorter side of each box, pixels, (n,)."""
        sizes: FloatArray = self.boxes[:, 2:].min(axis=1)
        return sizes

    @property
    def areas_px(self) -> FloatArray:
        """Width times height of each box, (n,)."""
        return self.boxes[:, 2] * self.boxes[:, 3]


class QualityIssue(Enum):
    """Why a face may be mistaken or missed."""

    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TOO_DARK = "too dark"
    OVEREXPOSED = "overexposed"
    EXTREME_POSE = "extreme pose"
    OCCLUDED = "occluded"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be told of one face before it is compared; see ``facewire.kernels.measure_quality``.

    Attributes:
        score: how likely a good picture of the same person is recognised with it, 0..1; see ``domain.quality``.
        issues: what is wrong with it.
    """

    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    size_px: float
    outside_share: float
    glare_share: float = 0.0
    embedding_norm: float | None = None
    score: float = 0.0
    issues: tuple[QualityIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class EncodedFaces:
    """Faces with their embeddings, row by row.

    Attributes:
        faces: those that could be aligned.
        quality: one each.
        embeddings: float32 (n, dim), unit length.
    """

    faces: Faces
    quality: list[Quality]
    embeddings: FloatArray

    def select(self, keep: npt.NDArray[np.bool_]) -> EncodedFaces:
        """Those where the mask is true."""
        quality = [each for each, kept in zip(self.quality, keep.tolist(), strict=True) if kept]
        return EncodedFaces(self.faces.select(keep), quality, self.embeddings[keep])

"""Faces that lie on their side or upside down: the frame is shown to the detector turned by quarters, too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facewire_server.domain.face import Faces, FloatArray
from facewire_server.domain.frame import Frame
from facewire_server.domain.ports import Detector


class TurningDetector:
    """The domain's Detector: the best of four orientations, by the best face in each. Thread-safe, as its detector is.

    NV12 frames are looked at upright only: their chroma does not turn with a view of the array.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def detect(self, frame: Frame, min_score: float | None, max_faces: int) -> Faces:
        """Faces by falling score, all of one orientation."""
        best = self._detector.detect(frame, min_score, max_faces)
        if frame.format == "nv12":
            return best
        for quarters in (1, 2, 3):
            turned = Frame(np.ascontiguousarray(np.rot90(frame.pixels, quarters)), frame.format)
            found = self._detector.detect(turned, min_score, max_faces)
            if len(found) and (not len(best) or found.scores[0] > best.scores[0]):
                best = _turned_back(found, quarters, frame)
        return best

    def look_again(self, frame: Frame, faces: Faces, check: Callable[[], None] = lambda: None) -> Faces:
        """As the detector: close-ups are shown upright."""
        return self._detector.look_again(frame, faces, check)


def _turned_back(faces: Faces, quarters: int, frame: Frame) -> Faces:
    """From the pixels of the turned frame to the frame's own."""
    corners = np.stack([faces.boxes[:, :2], faces.boxes[:, :2] + faces.boxes[:, 2:]], axis=1)
    ends = _points_back(corners, quarters, frame)
    low, high = ends.min(axis=1), ends.max(axis=1)
    boxes = np.concatenate([low, high - low], axis=1)
    return Faces(boxes, _points_back(faces.landmarks, quarters, frame), faces.scores)


def _points_back(points: FloatArray, quarters: int, frame: Frame) -> FloatArray:
    """Undoes numpy's rot90, which turns against the clock; (..., 2), pixel centres on whole numbers."""
    x, y = points[..., 0], points[..., 1]
    right, bottom = frame.width - 1, frame.height - 1
    back = {1: (right - y, x), 2: (right - x, bottom - y), 3: (y, bottom - x)}[quarters]
    return np.asarray(np.stack(back, axis=-1), dtype=np.float32)

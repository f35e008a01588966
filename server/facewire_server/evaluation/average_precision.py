"""Average precision of a detector, as WIDER FACE counts it (S. Yang et al., CVPR 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Detections of one picture against its truth.

    Attributes:
        scores: of the detections that count, (n,).
        hits: whether each is a true positive, (n,).
        faces: how many true faces count.
    """

    scores: Array
    hits: npt.NDArray[np.bool_]
    faces: int


def overlaps(a: Array, b: Array) -> Array:
    """Intersection over union of boxes x, y, width, height: (n, 4) and (m, 4) to (n, m)."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    end = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.clip(end - corner, 0, None).prod(axis=2)
    return np.asarray(shared / np.maximum(a[:, None, 2:].prod(axis=2) + b[None, :, 2:].prod(axis=2) - shared, 1e-9))


def judge(boxes: Array, scores: Array, truth: Array, counts: npt.NDArray[np.bool_], min_iou: float = 0.5) -> Judged:
    """Matches detections to true faces, by falling score; each face is found once.

    A detection whose best face does not count (of another subset) is neither right nor wrong. Further detections of a
    face that was found are false.

    Args:
        boxes, scores: (n, 4), (n,).
        truth: (m, 4).
        counts: which true faces count, (m,).
    """
    order = np.argsort(-scores, kind="stable")
    overlap = overlaps(boxes[order], truth)
    found = np.zeros(len(truth), dtype=bool)
    kept, hits = [], []
    for row, score in zip(overlap, scores[order], strict=True):
        best = int(row.argmax()) if len(row) else -1
        if best >= 0 and row[best] >= min_iou:
            if not counts[best]:
                continue
            hits.append(not found[best])
            found[best] = True
        else:
            hits.append(False)
        kept.append(score)
    return Judged(np.array(kept, dtype=np.float64), np.array(hits, dtype=bool), int(counts.sum()))


def precision_recall(pictures: list[Judged]) -> tuple[Array, Array] | None:
    """Recall and, made monotone, precision at each rising recall, (n,) both; None where no face counts."""
    faces = sum(picture.faces for picture in pictures)
    if not faces:
        return None
    scores = np.concatenate([picture.scores for picture in pictures])
    hits = np.concatenate([picture.hits for picture in pictures])[np.argsort(-scores, kind="stable")]
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    return right / faces, np.maximum.accumulate(precision[::-1])[::-1]


def average_precision(pictures: list[Judged]) -> float | None:
    """Area under that curve; None where no face counts."""
    curve = precision_recall(pictures)
    if curve is None:
        return None
    recall, precision = curve
    return float((np.diff(np.concatenate([[0.0], recall])) * precision).sum())

"""Reviews a gallery: each template against all others, in portions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from facewire_server.domain.face import FloatArray
from facewire_server.domain.review import Finding, FindingKind, NamedTemplates
from facewire_server.domain.templates import SAME_PERSON

_SCORES_AT_ONCE: Final = 1 << 21
_DUPLICATE: Final = 0.97


def review(
    templates: NamedTemplates, threshold: float, most: int, check: Callable[[], None] = lambda: None
) -> list[Finding]:
    """The worst findings of each kind, at most so many of each.

    Args:
        threshold: the cosine that makes a match in this gallery.
        check: called between portions of the work; what it raises ends it.
    """
    names, owner = np.unique(np.array(templates.subject_ids, dtype=object), return_inverse=True)
    found: dict[FindingKind, dict[tuple[int, ...], Finding]] = {kind: {} for kind in FindingKind}
    for part in _portions(len(owner)):
        check()
        scores = templates.vectors[part] @ templates.vectors.T
        rows = np.arange(part.start, part.stop)
        scores[rows - part.start, rows] = -1.0
        own = owner[part][:, None] == owner[None, :]
        others = np.where(own, -1.0, scores)
        mine = np.where(own, scores, -1.0)
        for place, row in enumerate(rows):
            _note(found, templates, owner, int(row), others[place], mine[place], threshold)
    if len(names) < 2:
        for kind in (FindingKind.SAME_PERSON, FindingKind.LOOK_ALIKES, FindingKind.OUTLIER):
            found[kind].clear()
    return [
        finding for kind in FindingKind
        for finding in sorted(found[kind].values(), key=lambda each: -each.similarity)[:most]
    ]  # fmt: skip


def _note(
    found: dict[FindingKind, dict[tuple[int, ...], Finding]], templates: NamedTemplates,
    owner: npt.NDArray[np.intp], row: int, others: FloatArray, mine: FloatArray, threshold: float,
) -> None:  # fmt: skip
    """What one template shows."""

    def finding(kind: FindingKind, other: int, similarity: float, own: float | None = None) -> Finding:
        ids, faces = templates.subject_ids, templates.face_ids
        return Finding(kind, ids[row], faces[row], ids[other], faces[other], similarity, own)

    other, twin = int(others.argmax()), int(mine.argmax())
    nearest, own = float(others[other]), float(mine[twin])
    if own >= _DUPLICATE:
        found[FindingKind.DUPLICATE].setdefault(
            (min(row, twin), max(row, twin)), finding(FindingKind.DUPLICATE, twin, own)
        )
    if nearest >= threshold and nearest > own > -1.0:
        found[FindingKind.OUTLIER][(row,)] = finding(FindingKind.OUTLIER, other, nearest, own)
    if nearest >= threshold:
        kind = FindingKind.SAME_PERSON if nearest >= max(SAME_PERSON, threshold) else FindingKind.LOOK_ALIKES
        pair = (int(min(owner[row], owner[other])), int(max(owner[row], owner[other])))
        best = max((found[k][pair].similarity for k in _PAIRS if pair in found[k]), default=-1.0)
        if nearest > best:
            for each in _PAIRS:
                found[each].pop(pair, None)
            found[kind][pair] = finding(kind, other, nearest)


_PAIRS: Final = (FindingKind.SAME_PERSON, FindingKind.LOOK_ALIKES)


def _portions(rows: int) -> list[slice]:
    size = max(1, _SCORES_AT_ONCE // max(rows, 1))
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

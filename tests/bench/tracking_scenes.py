"""Seeded scenes of several people, made of the faces found in clips of one person each.

A person of a scene plays the faces of a clip forth and back, mirrored or not and scaled, jitter and false detections
included, while walking to and fro in a picture of 1280 x 720. Wider faces are nearer. A face that nearer ones mostly
cover is not found; who walks out of the picture comes back after 0.25 to 0.95 s; in some scenes faces are lost for
moments without a reason. Scenes are drawn until the occlusions are as many and as short as they should be: a tracker
that remembers for two seconds can bridge every one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

STRAY: Final = -1
"""Whose box it is: nobody's, a false detection."""

_WIDTH, _HEIGHT = 1280, 720
_FPS: Final = 30
_FRAMES: Final = 300
# Share of a face behind nearer ones from which it is not found.
_COVERED: Final = 0.6
# People of each scene, and which scenes have gaps.
_CAST: Final = (2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6)
_WITH_GAPS: Final = frozenset({2, 5, 8, 10})
_SEEDS_APART: Final = 1000
# What is dropped has lots of its own: it shall not depend on how many drafts a scene took.
_DROPPING: Final = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The faces found in one frame.

    Attributes:
        time_s: seconds since the beginning.
        boxes: x, y, width, height in pixels, float32 (n, 4).
        scores: float32 (n,).
        people: whose each box is, int64 (n,): a person's number or STRAY.
    """

    time_s: float
    boxes: FloatArray
    scores: FloatArray
    people: npt.NDArray[np.int64]


Sequences = list[list[Frame]]


def label(frames: Sequence[tuple[float, FloatArray, FloatArray]]) -> list[Frame]:
    """A clip of person 0 from times, boxes and scores: the surest face of the first, the nearest in every later one."""
    labelled, last = [], None
    for time_s, boxes, scores in frames:
        people = np.full(len(boxes), STRAY)
        if len(boxes):
            centres = boxes[:, :2] + boxes[:, 2:] / 2
            best = scores.argmax() if last is None else np.linalg.norm(centres - last, axis=1).argmin()
            people[best], last = 0, centres[best]
        labelled.append(Frame(time_s, boxes, scores, people))
    return labelled


def make_variants(clips: Sequence[list[Frame]], seed: int) -> dict[str, Sequences]:
    """The scenes at 30 and 10 frames a second, all frames and 30 % dropped, and the clips as they are.

    Args:
        clips, seed: at least six labelled clips, each of two frames or more and with a face; what the scenes depend on.
    """
    variants: dict[str, Sequences] = {
        name: [] for name in ("30 fps", "10 fps", "30 fps, 30 % dropped", "10 fps, 30 % dropped")
    }
    for number, people in enumerate(_CAST):
        lots = np.random.default_rng(_SEEDS_APART * seed + number)
        scene = _make_scene(clips, people, number in _WITH_GAPS, lots)
        lots = np.random.default_rng(_SEEDS_APART * seed + _DROPPING + number)
        variants["30 fps"].append(scene)
        variants["10 fps"].append(scene[::3])
        variants["30 fps, 30 % dropped"].append(_drop(scene, lots))
        variants["10 fps, 30 % dropped"].append(_drop(scene[::3], lots))
    return variants | {"plain clips": list(clips)}


def _drop(frames: list[Frame], lots: np.random.Generator) -> list[Frame]:
    kept = lots.random(len(frames)) >= 0.3
    kept[0] = True
    return [frame for frame, keep in zip(frames, kept, strict=True) if keep]


def _make_scene(clips: Sequence[list[Frame]], people: int, with_gaps: bool, lots: np.random.Generator) -> list[Frame]:
    while True:
        acts = _draft(clips, people, lots)
        boxes = _boxes_of(acts)
        centres = boxes[:, :, 0] + boxes[:, :, 2] / 2
        outside = (centres < 0) | (centres > _WIDTH)
        if not _are_short_absences(outside):
            continue
        covered = _find_covered(boxes, outside)
        if _are_short_occlusions(covered, outside):
            break
    unseen = outside | covered
    if with_gaps:
        unseen |= _draw_gaps(people, lots)
    return [_merge([act[i] for act in acts], unseen[:, i], lots) for i in range(_FRAMES)]


def _draft(clips: Sequence[list[Frame]], people: int, lots: np.random.Generator) -> list[list[Frame]]:
    """What each would show alone, the farthest person first."""
    cast = lots.choice(len(clips), people, replace=False)
    widths = np.sort(lots.uniform(70, 170, people))
    rows = lots.uniform(0.3, 0.7, max(1, (people + 1) // 3)) * _HEIGHT
    return [_act(p, clips[cast[p]], widths[p], rows[p % len(rows)], lots) for p in range(people)]


def _act(person: int, clip: list[Frame], width: float, row: float, lots: np.random.Generator) -> list[Frame]:
    faces = np.concatenate([frame.boxes[frame.people == 0] for frame in clip])
    middle = (faces[:, :2] + faces[:, 2:] / 2).mean(axis=0, dtype=float)
    scale = width / float(faces[:, 2].mean(dtype=float))
    mirror = np.array([lots.choice([-1.0, 1.0]), 1.0])
    x = _walk(lots)
    y = row + lots.uniform(-0.08, 0.08) * width + lots.uniform(-6, 6) * np.arange(_FRAMES) / _FPS
    looks = [_place(frame, person, middle, scale, mirror) for frame in clip]
    forth_and_back = [*looks, *looks[-2:0:-1]]
    begin = int(lots.integers(len(clip)))
    act = []
    for i in range(_FRAMES):
        look = forth_and_back[(begin + i) % len(forth_and_back)]
        at = np.array([x[i], y[i], 0, 0], dtype=np.float32)
        act.append(Frame(i / _FPS, look.boxes + at, look.scores, look.people))
    return act


def _place(frame: Frame, person: int, middle: DoubleArray, scale: float, mirror: DoubleArray) -> Frame:
    """A frame of a clip about the place (0, 0)."""
    sizes = frame.boxes[:, 2:] * scale
    corners = (frame.boxes[:, :2] + frame.boxes[:, 2:] / 2 - middle) * scale * mirror - sizes / 2
    boxes = np.hstack([corners, sizes]).astype(np.float32)
    return Frame(frame.time_s, boxes, frame.scores, np.where(frame.people == 0, person, STRAY))


def _walk(lots: np.random.Generator) -> DoubleArray:
    """Where a face's middle lies at each frame, from left to right: to and fro, a little beyond both edges."""
    speed = lots.uniform(60, 330)
    step = speed * lots.choice([-1, 1]) / _FPS
    at = lots.uniform(0.08 * _WIDTH, 0.92 * _WIDTH)
    beyond = speed * lots.uniform(0.4, 0.8) / 2
    path = np.empty(_FRAMES)
    for i in range(_FRAMES):
        path[i] = at
        at += step
        if not -beyond <= at <= _WIDTH + beyond:
            step = -step
            at += 2 * step
    return path


def _boxes_of(acts: list[list[Frame]]) -> DoubleArray:
    """Boxes of the people, (people, frames, 4), NaN where the clip has none."""
    boxes = np.full((len(acts), _FRAMES, 4), np.nan)
    for person, act in enumerate(acts):
        for i, frame in enumerate(act):
            own = frame.boxes[frame.people == person]
            boxes[person, i] = own[0] if len(own) else np.nan
    return boxes


def _find_covered(boxes: DoubleArray, outside: Mask) -> Mask:
    """Who is mostly hidden behind nearer people, (people, frames)."""
    there = np.where(outside[:, :, None], np.nan, boxes)
    return np.stack([_covered_share(own, there[person + 1 :]) > _COVERED for person, own in enumerate(there)])


def _covered_share(own: DoubleArray, nearer: DoubleArray) -> DoubleArray:
    """Share of a person's box under any of the nearer ones', (frames,); nothing covers, or is, a box of NaN."""
    steps = (np.arange(24) + 0.5) / 24
    x, y = own[:, :1] + steps * own[:, 2:3], own[:, 1:2] + steps * own[:, 3:]
    hidden = np.zeros((len(own), 24, 24), dtype=bool)
    for other in nearer:
        left, top, width, height = np.split(other, 4, axis=1)
        in_rows, in_columns = (y >= top) & (y <= top + height), (x >= left) & (x <= left + width)
        hidden |= in_rows[:, :, None] & in_columns[:, None, :]
    return hidden.mean(axis=(1, 2))


def _are_short_absences(outside: Mask) -> bool:
    """Whether people leave the picture at all, and come back soon."""
    spells = [spell for gone in outside for spell in _spells(gone)]
    return bool(spells) and all(a > 0 and b < _FRAMES and 0.25 <= (b - a) / _FPS <= 0.95 for a, b in spells)


def _are_short_occlusions(covered: Mask, outside: Mask) -> bool:
    """Whether there are nearly as many occlusions of 0.2 to 0.5 s as people, and none that lasts."""
    lengths_s = []
    for hidden, gone in zip(covered, outside, strict=True):
        spells = _spells(_without_flicker(hidden))
        if any(a == 0 or b == _FRAMES or gone[a - 1] or gone[b] for a, b in spells):
            return False  # how long it lasts is not to be told
        lengths_s += [(b - a) / _FPS for a, b in spells if b - a >= 3]
    people = len(covered)
    good = sum(0.2 <= length <= 0.5 for length in lengths_s)
    return good >= people - 1 and max(lengths_s) <= (0.55 if people < 5 else 0.75)


def _without_flicker(hidden: Mask) -> Mask:
    """Fills in the moments in which a covered face shows."""
    filled = hidden.copy()
    for a, b in _spells(~hidden):
        if b - a <= 3 and a > 0 and b < len(hidden):
            filled[a:b] = True
    return filled


def _spells(mask: Mask) -> list[tuple[int, int]]:
    """Where it is set: first frames, and those after the last."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _draw_gaps(people: int, lots: np.random.Generator) -> Mask:
    """Two for each person, of 4 to 15 frames: as when somebody puts a hand before the face."""
    gaps = np.zeros((people, _FRAMES), dtype=bool)
    for gap in [row for row in gaps for _ in range(2)]:
        begin = int(lots.integers(15, _FRAMES - 30))
        gap[begin : begin + int(lots.integers(4, 16))] = True
    return gaps


def _merge(frames: list[Frame], unseen: Mask, lots: np.random.Generator) -> Frame:
    """One frame of all: the people who are seen in random order, then the false detections in the picture."""
    seen = [(frames[p], frames[p].people == p) for p in lots.permutation(len(frames)) if not unseen[p]]
    strays = [(f, (f.people == STRAY) & (f.boxes[:, 0] > 0) & (f.boxes[:, 0] < _WIDTH)) for f in frames]
    parts = seen + strays
    return Frame(
        frames[0].time_s,
        np.concatenate([frame.boxes[chosen] for frame, chosen in parts]),
        np.concatenate([frame.scores[chosen] for frame, chosen in parts]),
        np.concatenate([frame.people[chosen] for frame, chosen in parts]),
    )

"""Face trackers compared: how often they mistake one person for another, and what they cost.

python -m tests.bench.trackers --clips DIR [--seed N] [--json FILE]

DIR holds at least six videos of one person each. Their faces are found with the configured detector and made into
scenes of two to six people (:mod:`tests.bench.tracking_scenes`). OC-SORT, told the time of each frame, is measured if
the package ``trackers`` can be imported; its many dependencies are better kept in a venv beside, of the same Python:

python3 -m venv .venv-trackers && .venv-trackers/bin/pip install trackers
PYTHONPATH=$(echo .venv-trackers/lib/python*/site-packages) .venv/bin/python -m tests.bench.trackers --clips DIR

ID switches are counted twice over: a person got another id than before, and an id was passed on to another person. They
are few, and depend on a pixel here and there: compare trackers over several seeds. Times include what it takes to hand
the boxes over.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from facewire.kernels import Tracker
from facewire.video import VideoSource
from facewire_server.config import load_config
from facewire_server.domain.frame import Frame as Picture
from facewire_server.loading import load_models
from tests.bench.tracking_scenes import STRAY, FloatArray, Frame, label, make_variants

_VIDEOS = frozenset({".avi", ".mkv", ".mov", ".mp4", ".webm"})
_TTL_S = 2.0
_NONE = -1


class FaceTracker(Protocol):
    """Gives faces ids; _NONE to those it does not follow."""

    def follow(self, time_s: float, boxes: FloatArray, scores: FloatArray) -> Sequence[int]: ...


class Ours:
    """Facewire's, without looks."""

    def __init__(self) -> None:
        self._tracker = Tracker(ttl_s=_TTL_S)

    def follow(self, time_s: float, boxes: FloatArray, scores: FloatArray) -> Sequence[int]:
        ids: list[int] = self._tracker.update(time_s, boxes).tolist()
        self._tracker.expire(time_s)
        return ids


class GreedyIou:
    """The least that is called a tracker: the last box that overlaps most, no motion."""

    def __init__(self) -> None:
        self._tracks: dict[int, tuple[float, list[float]]] = {}
        self._begun = 0

    def follow(self, time_s: float, boxes: FloatArray, scores: FloatArray) -> Sequence[int]:
        self._tracks = {track: seen for track, seen in self._tracks.items() if time_s - seen[0] <= _TTL_S}
        found = boxes.tolist()
        pairs = [(_iou(seen, face), t, i) for t, (_, seen) in self._tracks.items() for i, face in enumerate(found)]
        ids: dict[int, int] = {}
        for overlap, track, face in sorted(pairs, reverse=True):
            if overlap > 0.2 and face not in ids and track not in ids.values():
                ids[face] = track
        for face in range(len(found)):
            if face not in ids:
                ids[face] = self._begun
                self._begun += 1
            self._tracks[ids[face]] = (time_s, found[face])
        return [ids[face] for face in range(len(found))]


def _iou(a: list[float], b: list[float]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


class OcSort:
    """OC-SORT of the package ``trackers``; the settings are among the best of a dozen on the scenes of seed 1."""

    def __init__(self) -> None:
        self._detections = importlib.import_module("supervision").Detections
        # The buffer counts frames of a thirtieth of a second: two seconds, as the others.
        self._tracker = importlib.import_module("trackers").OCSORTTracker(
            lost_track_buffer=60, frame_rate=30.0, minimum_consecutive_frames=1, minimum_iou_threshold=0.1
        )

    def follow(self, time_s: float, boxes: FloatArray, scores: FloatArray) -> Sequence[int]:
        corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
        # Answers come in an order of their own.
        places = {"place": np.arange(len(boxes))}
        faces = self._detections(corners, confidence=scores, class_id=np.zeros(len(boxes), dtype=int), data=places)
        answer = self._tracker.update(faces, timestamp=time_s)
        ids = np.full(len(boxes), _NONE)
        if len(answer):
            ids[answer.data["place"]] = answer.tracker_id
        return [int(track) for track in ids]


@dataclass
class Figures:
    """What was counted over the sequences of a variant."""

    other_ids: int = 0  # a person got another id than before
    passed_ids: int = 0  # an id was given to another person than before
    people: int = 0
    tracks: int = 0  # each person's ids
    faces: int = 0
    missed: int = 0  # of faces
    took_ms: list[float] = field(default_factory=list)  # each frame

    def summary(self) -> dict[str, float]:
        """What is shown and written."""
        return {
            "other_ids": self.other_ids,
            "passed_ids": self.passed_ids,
            "tracks_per_person": round(self.tracks / self.people, 3),
            "missed_percent": round(100 * self.missed / self.faces, 3),
            "median_ms": round(float(np.median(self.took_ms)), 4),
            "p99_ms": round(float(np.percentile(self.took_ms, 99)), 4),
        }


def measure(tracker: FaceTracker, frames: list[Frame], figures: Figures) -> None:
    """Adds a sequence to the figures."""
    last_id: dict[int, int] = {}
    last_person: dict[int, int] = {}
    tracks = set()
    for frame in frames:
        begun = time.perf_counter()
        ids = tracker.follow(frame.time_s, frame.boxes, frame.scores)
        figures.took_ms.append((time.perf_counter() - begun) * 1e3)
        given = [track for track in ids if track != _NONE]
        assert len(set(given)) == len(given), "an id was given twice"
        for person, track in zip(frame.people.tolist(), ids, strict=True):
            if person == STRAY:
                continue
            figures.faces += 1
            if track == _NONE:
                figures.missed += 1
                continue
            figures.other_ids += last_id.get(person, track) != track
            figures.passed_ids += last_person.get(track, person) != person
            last_id[person], last_person[track] = track, person
            tracks.add((person, track))
    figures.people += len(last_id)
    figures.tracks += len(tracks)


def find_faces(folder: Path) -> Iterator[list[Frame]]:
    """The labelled clips of a folder, in alphabetical order."""
    detector = load_models(load_config(None)).detector
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in _VIDEOS):
        found = []
        for frame in VideoSource(str(path)).frames(0.0):
            faces = detector.detect(Picture(frame.rgb(), "rgb"), None, 100)
            found.append((frame.time_s, faces.boxes, faces.scores))
        if len(found) < 2 or not any(len(boxes) for _, boxes, _ in found):
            raise SystemExit(f"{path}: shows no face, or has a single frame")
        yield label(found)


def compare(clips: list[list[Frame]], seed: int) -> list[dict[str, str | float]]:
    """A row for each tracker and variant."""
    trackers: dict[str, Callable[[], FaceTracker]] = {"facewire": Ours, "greedy IoU": GreedyIou}
    if importlib.util.find_spec("trackers") is not None:
        trackers["OC-SORT"] = OcSort
    variants = make_variants(clips, seed)
    rows: list[dict[str, str | float]] = []
    for name, make_tracker in trackers.items():
        for variant, sequences in variants.items():
            figures = Figures()
            for frames in sequences:
                measure(make_tracker(), frames, figures)
            rows.append({"tracker": name, "variant": variant, **figures.summary()})
    return rows


def show(rows: list[dict[str, str | float]]) -> None:
    """Prints them as a Markdown table."""
    table = Table("tracker", "variant", box=box.MARKDOWN)
    for title in ("switches: other id / passed on", "tracks a person", "missed, %", "ms, median / p99"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            str(row["tracker"]),
            str(row["variant"]),
            f"{row['other_ids']} / {row['passed_ids']}",
            f"{row['tracks_per_person']:.2f}",
            f"{row['missed_percent']:.2f}",
            f"{row['median_ms']:.3f} / {row['p99_ms']:.3f}",
        )
    Console(width=120).print(table)


def main() -> None:
    """Measures and shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of videos of one person each")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    clips = list(find_faces(arguments.clips))
    if len(clips) < 6:
        raise SystemExit(f"{arguments.clips}: at least six videos are needed, found {len(clips)}")
    rows = compare(clips, arguments.seed)
    show(rows)
    if arguments.json is not None:
        result = {"clips": len(clips), "seed": arguments.seed, "rows": rows}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

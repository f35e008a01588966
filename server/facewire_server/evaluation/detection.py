"""Detection against boxes drawn by people: WIDER FACE's list, or JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

import facewire
from facewire_server.evaluation.average_precision import Array, Judged, average_precision, judge, precision_recall
from facewire_server.evaluation.corruption import Corruption
from facewire_server.evaluation.errors import InputError

SUBSETS: Final = ("easy", "medium", "hard", "all")
_LOWEST_SCORE: Final = 0.02
_MOST_FACES: Final = 1000
_STRETCHED: Final = 0.02  # more than so much difference of the sides' ratio is no rounding
# Of the picture's height.
_TINY, _HUGE = 0.03, 0.4


@dataclass(frozen=True, slots=True, eq=False)
class TruePicture:
    """A picture and its faces.

    Attributes:
        size: in pixels of the boxes, (width, height); None: the picture's own.
        boxes: (m, 4), x, y, width, height.
        subsets: for each of SUBSETS that is known which faces count, (m,).
    """

    path: Path
    size: tuple[int, int] | None
    boxes: Array
    subsets: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """Average precision at an overlap of one half.

    Attributes:
        ap: by subset; only those that the truth tells of.
        ap_by_size: of faces lower than 3 % of the picture ("tiny"), higher than 40 % ("huge"), and between ("middle").
        faces: that count in "all".
        curves: recall and precision, by subset.
    """

    pictures: int
    faces: int
    ap: Mapping[str, float]
    ap_by_size: Mapping[str, float]
    curves: Mapping[str, tuple[Array, Array]]


def read_truth(images: Path, file: Path) -> list[TruePicture]:
    """From JSON, or WIDER FACE's wider_face_*_bbx_gt.txt.

    JSON: {picture: {"boxes_xywh_orig": [[x, y, w, h], ...], "orig_wh": [w, h], "easy_idx": [...], ...}}; all but the
    boxes may be absent.

    Raises:
        InputError: the file is neither, or names a picture that is not there.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    pictures = list(_from_json(images, file, text) if file.suffix == ".json" else _from_list(images, file, text))
    if not any(len(picture.boxes) for picture in pictures):
        raise InputError(f"{file} holds no faces")
    return pictures


def _from_json(images: Path, file: Path, text: str) -> Iterator[TruePicture]:
    try:
        entries: dict[str, Any] = json.loads(text)
        for name, entry in entries.items():
            boxes = np.array(entry["boxes_xywh_orig"], dtype=np.float64).reshape(-1, 4)
            subsets = {"all": np.ones(len(boxes), dtype=bool)}
            for subset in SUBSETS[:-1]:
                indices = entry.get(subset, entry.get(f"{subset}_idx"))
                if indices is not None:
                    subsets[subset] = np.isin(np.arange(len(boxes)), indices)
            size = tuple(entry["orig_wh"]) if "orig_wh" in entry else None
            yield TruePicture(_there(images / name, file), size, boxes, subsets)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f'{file}: expected {{"NAME": {{"boxes_xywh_orig": [[x, y, width, height]]}}}}, see docs/evaluation.md'
        ) from error


def _from_list(images: Path, file: Path, text: str) -> Iterator[TruePicture]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = 0
    while at < len(lines):
        name = lines[at]
        try:
            count = int(lines[at + 1])
            # Where there is no face, the list has one line of zeros.
            rows = [[float(part) for part in line.split()] for line in lines[at + 2 : at + 2 + max(count, 1)]]
            if len(rows) != max(count, 1):
                raise ValueError(name)
            table = np.array(rows, dtype=np.float64)[:count]
            boxes = table[:, :4].reshape(-1, 4)
            counts = (table[:, 7] == 0 if table.shape[1] > 7 else np.ones(count, dtype=bool)) & (boxes[:, 2:] > 0).all(
                1
            )
        except (ValueError, IndexError) as error:
            raise InputError(f"{file}: expected a picture, a number, and so many boxes, at '{name}'") from error
        yield TruePicture(_there(images / name, file), None, boxes, {"all": counts})
        at += 2 + max(count, 1)


def _there(path: Path, file: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{file} names {path}, which is not there")
    return path


def evaluate_detection(
    client: facewire.Client,
    pictures: Sequence[TruePicture],
    corruption: Corruption | None,
    seed: int,
    on_picture: Callable[[], object],
) -> DetectionResult:
    """Detects in each picture, whatever the server's own threshold and smallest face."""
    judged: dict[str, list[Judged]] = {}
    by_size: dict[str, list[Judged]] = {}
    for picture in pictures:
        boxes, scores, height = _detect(client, picture, corruption, seed)
        for subset, counts in picture.subsets.items():
            judged.setdefault(subset, []).append(judge(boxes, scores, picture.boxes, counts))
        share = picture.boxes[:, 3] / height
        sizes = {"tiny": share < _TINY, "middle": (share >= _TINY) & (share <= _HUGE), "huge": share > _HUGE}
        for name, counts in sizes.items():
            here = judge(boxes, scores, picture.boxes, counts & picture.subsets["all"])
            by_size.setdefault(name, []).append(here)
        on_picture()
    return DetectionResult(
        pictures=len(pictures),
        faces=sum(each.faces for each in judged["all"]),
        ap={name: ap for name in SUBSETS if (ap := average_precision(judged.get(name, []))) is not None},
        ap_by_size={name: ap for name, each in by_size.items() if (ap := average_precision(each)) is not None},
        curves={name: curve for name, each in judged.items() if (curve := precision_recall(each)) is not None},
    )


def _detect(
    client: facewire.Client, picture: TruePicture, corruption: Corruption | None, seed: int
) -> tuple[Array, Array, float]:
    """Boxes in the truth's pixels, their scores, and the picture's height in those pixels."""
    data = picture.path.read_bytes()
    try:
        shown: Image.Image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{picture.path} is no picture that can be read") from error
    width, height = picture.size or shown.size
    stretched = abs(shown.height / shown.width / (height / width) - 1) > _STRETCHED
    if stretched or corruption is not None:
        shown = shown.convert("RGB")
        if stretched:
            shown = shown.resize((shown.width, round(shown.width * height / width)), Image.Resampling.BILINEAR)
        if corruption is not None:
            shown = corruption.apply(shown, None, f"{seed} {picture.path.name}")
        out = io.BytesIO()
        shown.save(out, "PNG", compress_level=1)
        data = out.getvalue()
    try:
        found = client.detect(data, min_score=_LOWEST_SCORE, min_face_px=0.0, max_faces=_MOST_FACES)
    except facewire.InvalidArgumentError as error:
        raise InputError(f"{picture.path}: {error}") from error
    boxes = np.array([face.box for face in found.faces], dtype=np.float64).reshape(-1, 4)
    boxes *= np.array([width / found.image_size.width, height / found.image_size.height] * 2)
    return boxes, np.array([face.detection_score for face in found.faces], dtype=np.float64), float(height)

"""How the detector's two looks at a small frame become one list."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from facewire_server.domain.frame import Frame
from facewire_server.inference.detector import _overlaps, _small_ones_from
from facewire_server.loading import LoadedModels
from tests.pictures import read_bgr


def rows(*faces: tuple[float, float, float, float]) -> np.ndarray:
    """Square boxes: x, y, side, score."""
    table = np.zeros((len(faces), 15), dtype=np.float32)
    for row, (x, y, side, score) in zip(table, faces, strict=True):
        row[:4], row[14] = (x, y, side, side), score
    return table


def test_of_a_face_that_both_show_the_large_one_of_the_plain_look_is_kept() -> None:
    plain = rows((0, 0, 100, 0.8), (200, 0, 20, 0.9))
    larger = rows((5, 0, 100, 0.95), (201, 0, 20, 0.7), (300, 0, 12, 0.6))
    found = _small_ones_from(larger, plain, 0.3)
    assert found[:, [0, 14]].tolist() == [[0, np.float32(0.8)], [201, np.float32(0.7)], [300, np.float32(0.6)]]


def test_a_face_that_one_look_shows_is_kept() -> None:
    some = rows((0, 0, 10, 0.8), (50, 0, 90, 0.9))
    assert _small_ones_from(some, rows(), 0.3)[:, 14].tolist() == some[:, 14].tolist()
    assert _small_ones_from(rows(), some, 0.3)[:, 14].tolist() == some[:, 14].tolist()
    apart = _small_ones_from(rows((200, 0, 10, 0.85)), some, 0.3)
    assert np.diff(apart[:, 14]).max() < 0, "by falling score"
    assert len(apart) == 3


def test_overlaps_are_shares_of_the_union() -> None:
    assert _overlaps(rows((0, 0, 10, 1)), rows((0, 0, 10, 1), (5, 0, 10, 1), (20, 0, 10, 1)))[0].tolist() == [
        1.0, np.float32(1 / 3), 0.0,
    ]  # fmt: skip


def test_a_small_face_in_a_small_frame_is_found(loaded: LoadedModels, samples: Path) -> None:
    """Two photographs in one frame of 400 x 300: a face that the plain look misses at 11 pixels."""
    near = cv2.resize(read_bgr(samples / "person_a_2.jpg"), (160, 200), interpolation=cv2.INTER_AREA)
    far = cv2.resize(read_bgr(samples / "person_b_2.jpg"), (24, 31), interpolation=cv2.INTER_AREA)
    picture = np.full((300, 400, 3), 128, np.uint8)
    picture[50:250, 20:180] = near
    picture[100:131, 300:324] = far
    faces = loaded.detector.detect(Frame(picture, "bgr"), 0.5, 10)
    small = faces.select(faces.sizes_px < 20)
    assert len(small) == 1
    assert abs(float(small.boxes[0, 0] + small.boxes[0, 2] / 2) - 312) < 6
    alone = np.full((300, 400, 3), 128, np.uint8)
    alone[50:250, 20:180] = near
    (face,) = loaded.detector.detect(Frame(alone, "bgr"), 0.5, 10).boxes
    assert face[2] > 60

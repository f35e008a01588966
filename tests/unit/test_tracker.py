"""The native tracker as Python sees it: arguments, and what holds whatever comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facewire.kernels import Tracker

BOX = np.array([[10, 20, 30, 40]], dtype=np.float32)


@pytest.mark.parametrize(
    ("boxes", "error", "message"),
    [
        (BOX.astype(np.float64), TypeError, "float32"),
        (BOX[0], ValueError, "shape"),
        (np.zeros((1, 4), dtype=np.float32), ValueError, "positive width"),
        (np.array([[1, 1, -5, 5]], dtype=np.float32), ValueError, "positive width"),
        (np.array([[1, np.nan, 5, 5]], dtype=np.float32), ValueError, "NaN"),
        ([[1, 2, 3, 4]], TypeError, "numpy array"),
    ],
)
def test_wrong_boxes_are_refused_and_change_nothing(boxes: object, error: type[Exception], message: str) -> None:
    tracker = Tracker()
    with pytest.raises(error, match=message):
        tracker.update(0.0, boxes)  # type: ignore[arg-type]
    assert len(tracker) == 0


def test_time_must_not_fall_and_affinity_must_fit() -> None:
    tracker = Tracker()
    tracker.update(1.0, BOX)
    with pytest.raises(ValueError, match="must not fall"):
        tracker.update(0.5, BOX)
    with pytest.raises(ValueError, match="finite"):
        tracker.update(float("nan"), BOX)
    with pytest.raises(ValueError, match="affinity"):
        tracker.update(1.1, BOX, np.zeros((2, 1), dtype=np.float32))
    assert tracker.update(1.1, BOX, np.full((1, 1), np.nan, dtype=np.float32)).tolist() == [1]


@pytest.mark.parametrize(
    "wrong", [{"ttl_s": 0}, {"ttl_s": float("nan")}, {"confirm_hits": 0}, {"tentative_s": -1}, {"max_tracks": 0}]
)
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Tracker(**wrong)  # type: ignore[arg-type]


def test_no_boxes_are_fine() -> None:
    tracker = Tracker()
    nothing = np.empty((0, 4), dtype=np.float32)
    assert tracker.update(0.0, nothing).tolist() == []
    assert tracker.ambiguous(0.0, nothing).tolist() == []
    assert [len(part) for part in tracker.view(0.0)] == [0] * 5


boxes = st.tuples(
    st.floats(-500, 5000, width=32), st.floats(-500, 5000, width=32), st.floats(1, 800, width=32),
    st.floats(1, 800, width=32),
)  # fmt: skip
steps = st.lists(st.tuples(st.floats(0, 10), st.lists(boxes, max_size=6)), max_size=12)


@given(steps)
@settings(deadline=None)
def test_every_box_gets_an_id_of_its_own_and_numbers_are_never_used_again(
    scene: list[tuple[float, list[tuple[float, float, float, float]]]],
) -> None:
    tracker = Tracker(ttl_s=2.0)
    time_s, largest, over = 0.0, 0, set[int]()
    for dt, found in scene:
        time_s += dt
        array = np.array(found, dtype=np.float32).reshape(-1, 4)
        ids = tracker.update(time_s, array).tolist()
        assert len(ids) == len(set(ids)) == len(found)
        assert not over.intersection(ids)
        new = [track for track in ids if track > largest]
        assert sorted(new) == list(range(largest + 1, largest + 1 + len(new)))
        largest = max([largest, *ids])
        over.update(tracker.expire(time_s))
        known, where, first_s, seen_s, _ = tracker.view(time_s + 1.0)
        assert set(ids) <= set(known.tolist())
        assert np.isfinite(where).all()
        assert (where[:, 2:] > 0).all()
        assert (first_s <= seen_s).all()
        assert (time_s - seen_s <= 2.0).all()

"""The small parts of a stream: its clock, its pace, lines and zones, counting people once."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.domain.attributes import Attributes, JudgedPerson
from facewire_server.domain.boundary import Crossing, Line, Position, Zone, watch
from facewire_server.domain.crowd import CrowdCounter, PeopleMemory
from facewire_server.domain.face import FloatArray
from facewire_server.streaming.clock import StreamClock
from facewire_server.streaming.overload import Overload
from facewire_server.streaming.pace import Pace

# --- clock ----------------------------------------------------------------------------------------------


def test_stream_time_follows_the_camera() -> None:
    clock = StreamClock()
    assert [clock.advance(ms) for ms in (5000, 5100, 6000)] == [0.0, 0.1, 1.0]


def test_a_camera_clock_that_stands_still_does_not_stop_time() -> None:
    clock = StreamClock()
    seen = [clock.advance(7000) for _ in range(31)]
    assert seen[-1] == pytest.approx(1.0)
    coarse = StreamClock()
    ticks = [coarse.advance(1000 * (i // 25)) for i in range(250)]  # a clock of whole seconds, 25 frames a second
    assert ticks[-1] == pytest.approx(9.8, abs=0.3)


def test_a_camera_clock_set_back_does_not_stop_time() -> None:
    clock = StreamClock()
    clock.advance(1_000_000)
    clock.advance(1_002_000)
    back = clock.advance(500)
    assert 2.0 < back < 2.1
    assert clock.advance(1500) == pytest.approx(back + 1.0, abs=1e-3)


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=50))
def test_stream_time_always_rises(times_ms: list[int]) -> None:
    clock = StreamClock()
    seen = [clock.advance(ms) for ms in times_ms]
    assert all(b > a for a, b in pairwise(seen))
    assert np.isfinite(seen).all()


# --- pace -----------------------------------------------------------------------------------------------


def drive(pace: Pace, seconds: int, fps: int, capacity: float, start: float = 1.0) -> list[int]:
    """A camera against a box that detects so many frames a second; predicted frames cost nothing."""
    received = dropped = looked = 0
    ks = []
    for second in range(seconds):
        left = capacity
        for _ in range(fps):
            received += 1
            if not pace.is_due(received):
                continue
            if left < 1:
                dropped += 1
                continue
            left -= 1
            looked += 1
            pace.looked(received)
        pace.observe(received, dropped, start + second)
        ks.append(pace.every)
    return ks


def test_k_grows_until_nothing_is_dropped_and_stays_there() -> None:
    pace = Pace(1, Overload())
    ks = drive(pace, 60, fps=30, capacity=11)
    assert ks[-1] in (2, 3)
    assert pace.overloaded
    assert sum(a != b for a, b in pairwise(ks[20:])) <= 6, "k must not swing to and fro"


def test_faces_are_looked_for_a_few_times_a_second_whatever_the_load() -> None:
    pace = Pace(1, Overload())
    assert max(drive(pace, 60, fps=30, capacity=0.5)) <= ceil(30 / 4)


def test_k_comes_back_when_the_load_is_gone() -> None:
    pace = Pace(2, Overload())
    drive(pace, 20, fps=30, capacity=6)
    assert pace.overloaded
    ks = drive(pace, 200, fps=30, capacity=1000, start=30.0)
    assert ks[-1] == 2
    assert not pace.overloaded


def test_without_load_k_is_what_was_asked_for() -> None:
    pace = Pace(3, Overload())
    assert set(drive(pace, 30, fps=30, capacity=100)) == {3}
    pace.want(5)
    assert pace.every == 5
    pace.want(1)
    assert (pace.every, pace.overloaded) == (1, False)


def drive_together(paces: list[Pace], looks_per_s: int, costs: list[int], seconds: int) -> np.ndarray:
    """Cameras of 40 frames a second on a box whose turns are fair; looks of each in the second half, (streams,)."""
    rng = np.random.default_rng(0)
    n = len(paces)
    received, dropped, waiting, had = (np.zeros(n, int) for _ in range(4))
    looks = np.zeros((2, n), int)
    left = 0
    for tick in range(seconds * 40):
        left = min(left, looks_per_s // 40) + rng.poisson(looks_per_s / 40)
        for i in sorted(range(n), key=lambda each: (had[each], rng.random())):
            received[i] += 1
            dropped[i] += bool(waiting[i])
            waiting[i] = received[i]
            due = paces[i].is_due(waiting[i])
            if due and left < costs[i]:
                continue
            if due:
                left -= costs[i]
                had[i] += costs[i]
                looks[2 * tick // (seconds * 40), i] += 1
                paces[i].looked(waiting[i])
            waiting[i] = 0
            paces[i].observe(int(received[i]), int(dropped[i]), 1.0 + tick / 40)
        had = np.maximum(had, had.max() - 20)  # no credit for what was not asked for
    return looks[1]


def test_streams_that_are_entitled_to_the_same_end_at_the_same_pace() -> None:
    overload = Overload()
    looks = drive_together([Pace(1, overload) for _ in range(16)], 320, [1] * 16, 60)
    assert np.abs(looks / looks.mean() - 1).max() < 0.05
    assert looks.sum() > 0.6 * 320 * 30, "the box is used"


def test_a_stream_that_asks_for_more_than_its_share_slows_down_alone() -> None:
    overload = Overload()
    paces = [Pace(1, overload) for _ in range(4)]
    drive_together(paces, 240, [1, 1, 1, 6], 60)
    assert paces[3].overloaded
    assert [pace.every for pace in paces[:3]] == [1, 1, 1]


def test_overload_is_forgotten_with_the_streams_that_made_it() -> None:
    overload = Overload()
    for second in range(10):
        overload.report("a", 0.5, 1.0 + second)
    assert overload.factor > 2
    overload.report("b", 0.0, 20.0)
    assert overload.factor == 1


def test_faces_are_looked_for_in_every_kth_frame_counted_as_they_came() -> None:
    pace = Pace(3, Overload())
    looked = []
    for frame in (1, 2, 3, 4, 6, 8, 10, 11, 13):  # some were dropped
        if pace.is_due(frame):
            pace.looked(frame)
            looked.append(frame)
    assert looked == [3, 6, 10, 13]


def test_a_burst_of_frames_is_no_overload() -> None:
    pace = Pace(1, Overload())
    pace.observe(0, 0, 1.0)
    pace.observe(60, 40, 2.1)  # what a camera had buffered when it was opened
    pace.observe(90, 40, 3.2)
    assert not pace.overloaded


# --- lines and zones ------------------------------------------------------------------------------------


def crossings(boundary: Line | Zone, way: list[Position]) -> list[Crossing]:
    watching = watch(boundary)
    return [crossing for at in way if (crossing := watching.move(at)) is not None]


DOOR = Line("door", (0.5, 1.0), (0.5, 0.0))  # upwards: the right side is in


def test_a_line_tells_directions() -> None:
    right = [(x / 10, 0.5) for x in range(11)]
    assert crossings(DOOR, right) == [Crossing.IN]
    assert crossings(DOOR, right[::-1]) == [Crossing.OUT]
    assert crossings(DOOR, right + right[::-1]) == [Crossing.IN, Crossing.OUT]


def test_a_box_that_trembles_on_the_line_does_not_cross_it() -> None:
    assert crossings(DOOR, [(0.3, 0.5)] + [(0.5 + d, 0.5) for d in (0.004, -0.004) * 20]) == []


def test_past_the_ends_of_a_line_is_not_over_it() -> None:
    short = Line("gate", (0.5, 0.4), (0.5, 0.2))
    assert crossings(short, [(0.3, 0.8), (0.7, 0.8)]) == []
    assert crossings(short, [(0.3, 0.3), (0.7, 0.3)]) == [Crossing.IN]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=40))
def test_directions_over_a_full_line_alternate(way: list[Position]) -> None:
    full = Line("wall", (0.5, -10.0), (0.5, 10.0))
    seen = crossings(full, way)
    assert all(a is not b for a, b in pairwise(seen))


def test_zones_are_entered_and_left_once() -> None:
    zone = Zone("counter", ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)))
    way = [(0.1, 0.5), (0.5, 0.5), (0.5, 0.5), (0.5, 0.55), (0.9, 0.5), (0.9, 0.5)]
    assert crossings(zone, way) == [Crossing.IN, Crossing.OUT]
    assert crossings(zone, [(0.1, 0.5), (0.5, 0.5), (0.1, 0.5), (0.1, 0.5)]) == [], "once is a tremble"
    watching = watch(zone)
    watching.move((0.5, 0.5))
    watching.move((0.5, 0.5))
    assert watching.end() is Crossing.OUT
    assert watching.end() is None


def test_a_zone_need_not_be_convex() -> None:
    horseshoe = Zone("u", ((0, 0), (1, 0), (1, 1), (0.7, 1), (0.7, 0.3), (0.3, 0.3), (0.3, 1), (0, 1)))
    assert horseshoe.contains((0.1, 0.9))
    assert not horseshoe.contains((0.5, 0.9))


# --- people ---------------------------------------------------------------------------------------------


def looks(seed: int) -> FloatArray:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def test_people_who_come_back_are_the_same() -> None:
    memory = PeopleMemory(60.0, 0.5)
    ada = memory.person_of(looks(1), 0.0)
    memory.seen(ada, looks(1), 0.0)
    assert memory.person_of(looks(1), 30.0) == ada
    assert memory.person_of(looks(2), 30.0) != ada
    assert memory.person_of(looks(1), 61.0) != ada, "forgotten"


def test_a_name_makes_two_tracks_one_person() -> None:
    memory = PeopleMemory(60.0, 0.5)
    first, second = memory.new(), memory.new()
    assert memory.named(first, "ada") == first
    assert memory.named(second, "ada") == first


def test_memory_is_bounded() -> None:
    memory = PeopleMemory(1e9, 0.99)
    for i in range(1500):
        memory.seen(memory.new(), looks(i), float(i))
        memory.named(i, f"subject-{i}")
    assert len(memory._people) <= 1000
    assert len(memory._subjects) <= 1001


def test_one_number_is_never_two_subjects() -> None:
    memory = PeopleMemory(60.0, 0.5)
    number = memory.new()
    ada = memory.named(number, "ada")
    ben = memory.named(number, "ben")
    assert ada != ben
    assert memory.named(memory.new(), "ada") == ada
    memory.forget_subjects(lambda subject: subject != "ada")
    assert memory.named(memory.new(), "ada") != ada
    assert memory.named(memory.new(), "ben") == ben


def test_figures_count_people_once() -> None:
    counter = CrowdCounter(2, 0.5)
    counter.begin(0.0, 1000)
    counter.present(1, "ada")
    counter.present(2, None)
    counter.present(3, None)
    counter.same(1, 3)
    counter.entered()
    counter.ended(2.0)
    counter.ended(4.0)
    figures = counter.figures(people_now=2)
    assert (figures.unique_people, figures.unique_subjects, figures.entries, figures.exits) == (2, 1, 1, 0)
    assert figures.mean_dwell_s == 3.0
    assert figures.interval_start_ms == 1000
    counter.begin(60.0, 61_000)
    assert counter.figures(0).unique_people == 0


def judged(age: float, female: float, axis: int) -> JudgedPerson:
    """Somebody who looks like nobody else with another axis."""
    return JudgedPerson(Attributes(age, female), np.eye(8, dtype=np.float32)[axis])


def test_attributes_are_told_of_enough_people_alone() -> None:
    counter = CrowdCounter(3, 0.5)
    counter.begin(0.0, 0)
    counter.present(1, None, judged(20.0, 0.9, 0))
    counter.present(2, None, judged(40.0, 0.2, 1))
    counter.present(9, None, judged(40.0, 0.2, 2))
    counter.same(2, 9)  # one and the same
    assert counter.figures(3).attributes is None
    counter.present(4, None, judged(21.0, 0.9, 0))  # person 1 under another number
    assert counter.figures(4).attributes is None
    counter.present(3, None, judged(90.0, 0.1, 3))
    figures = counter.figures(3).attributes
    assert figures is not None
    assert (figures.people, figures.age_groups) == (3, (0, 0, 1, 1, 0, 1))
    assert (figures.mean_age, figures.female_share) == pytest.approx((50.0, 1 / 3))
    counter.begin(1.0, 1000)
    assert counter.figures(0).attributes is None

"""The event ring on real files: order, numbers, bounds, erasure, a full or slow disk, restarts."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from facewire_server.domain.crowd import CrowdFigures
from facewire_server.domain.errors import StorageFailure
from facewire_server.domain.event import Event, EventFilter, EventKind
from facewire_server.domain.revision import next_revision
from facewire_server.events import ring as ring_module
from facewire_server.events.ring import SqliteEventRing


def event(number: int = 0, subject: str = "ada", kind: EventKind = EventKind.IDENTIFIED) -> Event:
    return Event(
        kind,
        1000 + number,
        "cam",
        "s1",
        "door",
        number + 1,
        subject,
        subject.title(),
        ("staff",) if subject else (),
        0.7,
    )


@contextmanager
def opened(path: Path, max_events: int = 1000, flush_s: float = 0.0) -> Iterator[SqliteEventRing]:
    ring = SqliteEventRing(path, max_events, flush_s)
    try:
        yield ring
    finally:
        ring.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_events_come_back_as_they_were_in_order(tmp_path: Path) -> None:
    crowd = CrowdFigures(2, 3, 1, 4, 5, 1.5, 99)
    count = Event(EventKind.COUNT, 5, "cam", "s1", "", crowd=crowd)
    left = Event(EventKind.LEFT, 6, "cam", "s1", "", 7, dwell_s=2.5, boundary="door")
    with opened(tmp_path / "e.db") as ring:
        ring.report([event(0), count])
        ring.report([left])
        until(lambda: ring.read(0, 10).newest_id == 3)
        kept = ring.read(0, 10)
        assert [e for _, e in kept.events] == [event(0), count, left]
        assert [number for number, _ in kept.events] == [1, 2, 3]
        assert ring.read(2, 10).events == [(3, left)]
        assert len(ring.read(0, 2).events) == 2


def test_numbers_go_on_after_a_restart_also_when_all_events_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    with opened(path) as ring:
        ring.report([event(i) for i in range(5)])
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM event")
    with opened(path) as ring:
        assert ring.read(0, 10).newest_id == 5
        ring.report([event(9)])
        until(lambda: bool(ring.read(0, 10).events))
        assert ring.read(0, 10).events[0][0] == 6


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    with opened(path, flush_s=5.0) as ring:
        ring.report([event(1)])
    with opened(path) as ring:
        assert len(ring.read(0, 10).events) == 1


def test_events_that_come_one_by_one_are_written_in_groups(tmp_path: Path) -> None:
    commits: list[int] = []
    with opened(tmp_path / "e.db", flush_s=0.3) as ring:
        ring.watch(lambda: commits.append(1))
        for number in range(20):
            ring.report([event(number)])
            time.sleep(0.005)
        until(lambda: ring.read(0, 1).newest_id == 20)
    assert len(commits) <= 2, "each commit waits for the disk"


def test_the_ring_is_bounded(tmp_path: Path) -> None:
    with opened(tmp_path / "e.db", max_events=100) as ring:
        for i in range(50):
            ring.report([event(i * 10 + j) for j in range(10)])
        until(lambda: ring.read(0, 1).newest_id == 500)
        kept = ring.read(0, 1000)
        assert len(kept.events) == 100
        assert kept.oldest_id == 401


def test_watchers_are_told(tmp_path: Path) -> None:
    with opened(tmp_path / "e.db") as ring:
        told = threading.Event()
        end = ring.watch(told.set)
        ring.report([event()])
        assert told.wait(5)
        end()
        told.clear()
        ring.report([event()])
        until(lambda: ring.read(0, 1).newest_id == 2)
        assert not told.is_set()


def test_an_erased_subject_leaves_no_name_behind(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    with opened(path, flush_s=0.5) as ring:
        ring.report([event(0, "ada"), event(1, "ben")])
        ring.forget("door", "ada")  # while they still wait to be written
        ring.report([event(2, "ada")])  # from a frame that was under way
        until(lambda: ring.read(0, 10).newest_id == 3)
        subjects = [e.subject_id for _, e in ring.read(0, 10).events]
        assert subjects == ["", "ben", ""]
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert b"Ben" in files
        assert b"Ada" not in files
        assert b"ada" not in files


def test_an_erased_gallery_leaves_no_names_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "e.db") as ring:
        ring.report([event(0, "ada"), event(1, "ben"), event(2, "")])
        until(lambda: ring.read(0, 10).newest_id == 3)
        ring.forget("another", "")
        assert ring.read(0, 10).events[0][1].subject_id == "ada"
        ring.forget("door", "")
        kept = [e for _, e in ring.read(0, 10).events]
        assert [(e.subject_id, e.display_name, e.labels, e.similarity) for e in kept[:2]] == [("", "", (), None)] * 2


def test_events_lost_to_a_slow_disk_leave_a_gap_in_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ring_module, "_MOST_WAITING", 10)
    with opened(tmp_path / "e.db", flush_s=0.3) as ring:
        ring.report([event(i) for i in range(25)])
        until(lambda: ring.read(0, 100).newest_id == 25)
        assert len(ring.read(0, 100).events) == 10
    assert "15 events were lost" in caplog.text


def test_a_file_that_is_no_ring_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    path.write_bytes(b"not a database at all, certainly not" * 100)
    with pytest.raises(StorageFailure, match="move it away"):
        SqliteEventRing(path, 1000, 0.0)
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageFailure, match="schema 99"):
        SqliteEventRing(newer, 1000, 0.0)


def test_filters() -> None:
    everything = event(1, "ada")
    assert EventFilter().wants(everything)
    assert EventFilter("door", "cam", "staff", frozenset({EventKind.IDENTIFIED})).wants(everything)
    assert not EventFilter(gallery_id="other").wants(everything)
    assert not EventFilter(stream_id="other").wants(everything)
    assert not EventFilter(subject_label="watchlist").wants(everything)
    assert not EventFilter(kinds=frozenset({EventKind.LEFT})).wants(everything)


def test_whoever_is_not_enrolled_any_more_is_erased_at_the_start(tmp_path: Path) -> None:
    with opened(tmp_path / "e.db") as ring:
        ring.report([event(0, "ada"), event(1, "ben")])
        until(lambda: ring.read(0, 10).newest_id == 2)
        ring.forget_missing(lambda gallery, subject: (gallery, subject) == ("door", "ben"))
        assert [e.subject_id for _, e in ring.read(0, 10).events] == ["", "ben"]


def test_events_judged_after_an_erasure_keep_their_names(tmp_path: Path) -> None:
    with opened(tmp_path / "e.db") as ring:
        ring.forget("door", "ada")
        ring.report([replace(event(0, "ada"), judged_at=next_revision()), event(1, "ada")])
        until(lambda: ring.read(0, 10).newest_id == 2)
        assert [e.subject_id for _, e in ring.read(0, 10).events] == ["ada", ""]


def test_an_event_that_cannot_be_kept_does_not_stop_the_ring(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path / "e.db") as ring:
        ring.report([replace(event(0), at_ms=2**70)])
        until(lambda: "not kept" in caplog.text)
        ring.report([event(1)])
        until(lambda: ring.read(0, 10).newest_id == 2)
        ring.forget("door", "ada")
        assert [(number, e.subject_id) for number, e in ring.read(0, 10).events] == [(2, "")]

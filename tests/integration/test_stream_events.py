"""What streams leave behind: best shots, lists, events, cursors."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facewire
from facewire import EventKind, Line, StreamOptions, Zone
from tests.conftest import StartServer
from tests.pictures import Pixels
from tests.streaming import FPS, Feeding, replay, stream_all, timed, unique


def test_best_shots_are_kept_sent_and_gone_with_the_track(
    client: facewire.Client, door: str, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    feed = Feeding(client, StreamOptions(door, name, best_shots="send", context_shots=True, track_ttl_s=0.3))
    with feed.stream:
        answers = [feed(frame) for frame in walk[:10]]
        sent = [a.tracks[0].best_shot for a in answers if a.tracks and a.tracks[0].best_shot]
        assert sent
        shot = client.best_shot(name, 1)
        assert shot == sent[-1]
        aligned, context = (Image.open(io.BytesIO(data)) for data in (shot.aligned_jpeg, shot.context_jpeg))
        assert aligned.size == (112, 112)
        assert aligned.format == context.format == "JPEG"
        assert min(context.size) > 112
        assert client.detect(shot.context_jpeg).faces
        empty = np.full((480, 640, 3), 125, dtype=np.uint8)
        for _ in range(10):
            feed(empty)
        with pytest.raises(facewire.NotFoundError):
            client.best_shot(name, 1)
    with pytest.raises(facewire.NotFoundError):
        client.best_shot("no-such-stream", 1)


def test_streams_are_listed(
    client: facewire.Client, door: str, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    feed = Feeding(client, StreamOptions(door, name))
    with feed.stream:
        for frame in walk[:12]:
            feed(frame)
        info = next(s for s in client.list_streams() if s.stream_id == name)
        assert info.connected
        assert info.lossless
        assert info.gallery_id == door
        assert info.counters.processed == 12
        assert (info.crowd.people_now, info.crowd.unique_people, info.crowd.unique_subjects) == (1, 1, 1)
        feed.stream.finish()
        list(feed._answers)
    assert name not in [s.stream_id for s in client.list_streams()]


def test_events_tell_the_story(
    client: facewire.Client, door: str, samples: Path, walk: list[Pixels], stranger: list[Pixels],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    name = unique(request)
    client.update_subject(door, "person-a", labels=["watchlist"])
    after = client.last_event_id()
    options = StreamOptions(
        door, name, unknown_linger_s=1.0, count_interval_s=1.0, track_ttl_s=0.5,
        lines=[Line("door", (0.5, 1.0), (0.5, 0.0))], zones=[Zone("left", ((0, 0), (0.4, 0), (0.4, 1), (0, 1)))],
    )  # fmt: skip
    empty = [np.full((480, 640, 3), 125, dtype=np.uint8)] * 15
    stream_all(client, options, [*walk, *empty, *stranger])
    events = [e for e in events_until_two_left(client, name, after) if e.kind is not EventKind.COUNT]
    of_first = [(e.kind, e.boundary) for e in events if e.track_id == 1]
    assert of_first[0] == (EventKind.APPEARED, "")
    assert (EventKind.IDENTIFIED, "") in of_first
    assert (EventKind.WATCHLIST, "") in of_first
    assert (EventKind.CROSSED_IN, "left") in of_first
    assert (EventKind.CROSSED_IN, "door") in of_first
    assert of_first.index((EventKind.CROSSED_OUT, "left")) > of_first.index((EventKind.CROSSED_IN, "left"))
    assert of_first[-1] == (EventKind.LEFT, "")
    of_second = [e.kind for e in events if e.track_id not in (0, 1)]
    assert EventKind.UNKNOWN_LINGERING in of_second
    assert EventKind.IDENTIFIED not in of_second
    left = next(e for e in events if e.kind is EventKind.LEFT)
    assert left.dwell_s == pytest.approx(29 / FPS, abs=0.2)
    assert left.subject_id == "person-a"
    assert left.labels == ("watchlist",)
    ids = [e.event_id for e in events]
    assert ids == sorted(set(ids))
    counts = [
        e for e in replay(client, after) if e.kind is EventKind.COUNT and e.stream_id == name and e.crowd is not None
    ]
    assert counts
    assert counts[0].crowd is not None
    assert counts[0].crowd.unique_people == 1


def events_until_two_left(client: facewire.Client, name: str, after: int) -> list[facewire.Event]:
    events: list[facewire.Event] = []
    for event in client.watch_events(stream_id=name, after_event_id=after):
        assert isinstance(event, facewire.Event)
        events.append(event)
        if sum(e.kind is EventKind.LEFT for e in events) == 2:
            break
    return events


def test_watching_from_a_cursor_repeats_nothing_and_misses_nothing(
    client: facewire.Client, door: str, walk: list[Pixels]
) -> None:
    after = client.last_event_id()
    stream_all(client, StreamOptions(door), walk)
    time.sleep(0.3)
    everything = [e.event_id for e in replay(client, after)]
    assert everything == list(range(everything[0], everything[0] + len(everything)))
    for cursor in everything[:-1]:
        assert [e.event_id for e in replay(client, cursor)] == [n for n in everything if n > cursor]


def test_watchers_see_only_what_they_ask_for(client: facewire.Client, door: str, walk: list[Pixels]) -> None:
    after = client.last_event_id()
    client.update_subject(door, "person-a", labels=["staff"])
    stream_all(client, StreamOptions(door), walk)
    events = client.watch_events(gallery_id=door, subject_label="staff", kinds=[EventKind.LEFT], after_event_id=after)
    first = next(events)
    assert isinstance(first, facewire.Event)
    assert (first.kind, first.labels) == (EventKind.LEFT, ("staff",))


def test_a_watcher_who_was_away_too_long_is_told_what_it_lost(
    start_server: StartServer, samples: Path, walk: list[Pixels]
) -> None:
    server = start_server("--set", "events.max_events=100", "--set", "events.flush_s=0")
    with facewire.Client(server.target) as client:
        options = StreamOptions(count_interval_s=0.04, lossless=True)
        with client.stream(options) as stream:
            list(stream.recognize(timed(walk * 5)))
        time.sleep(0.5)
        newest = client.last_event_id()
        assert newest > 140
        events = client.watch_events(after_event_id=3)
        lost = next(events)
        assert lost == facewire.EventsLost(4, newest - 100)
        following = next(events)
        assert isinstance(following, facewire.Event)
        assert following.event_id == newest - 99
        future = client.watch_events(after_event_id=newest + 1000, kinds=[EventKind.COUNT])
        told = next(future)
        assert isinstance(told, facewire.EventsLost | facewire.Event), "a cursor of another file begins anew"

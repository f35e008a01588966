"""Settings and galleries that change while a stream runs; streams that break and resume."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import facewire
from facewire import EventKind, FrameAnswer, StreamOptions, TrackState
from tests.conftest import RunningServer
from tests.pictures import Pixels, jpeg
from tests.streaming import FPS, START_S, Feeding, events_of, unique, wait_for


def test_settings_change_in_the_middle(client: facewire.Client, door: str, walk: list[Pixels]) -> None:
    with client.stream(StreamOptions(lossless=True)) as stream:
        seen: list[FrameAnswer] = []
        reader = threading.Thread(target=lambda: seen.extend(stream))
        reader.start()
        for number, frame in enumerate(walk):
            if number == 15:
                stream.change(StreamOptions(door, detect_every=1, landmarks=True))
            stream.send(jpeg(frame), START_S + number / FPS)
        stream.finish()
        reader.join(30)
    assert len(seen) == 30
    assert seen[14].tracks[0].landmarks is None
    assert seen[15].tracks[0].landmarks is not None
    assert seen[14].tracks[0].subject is None
    last = seen[-1].tracks[0]
    assert last.subject is not None
    assert last.track_id == seen[0].tracks[0].track_id, "the track goes on under other settings"


def test_enrolling_and_erasing_change_the_names_of_those_in_sight(
    client: facewire.Client, gallery_id: str, samples: Path, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    after = client.last_event_id()
    feed = Feeding(client, StreamOptions(gallery_id, name))
    with feed.stream:
        for frame in walk[:15]:
            answer = feed(frame)
        assert answer.tracks[0].state is TrackState.UNKNOWN
        client.enrol(gallery_id, "person-a", [samples / "person_a_1.jpg"], display_name="Person A")
        time.sleep(0.25)
        answers = [feed(frame) for frame in walk[15:20]]
        assert answers[-1].tracks[0].name == "Person A"
        client.update_subject(gallery_id, "person-a", display_name="Renamed")
        time.sleep(0.25)  # large galleries are not searched anew at each of many changes
        assert feed(walk[20]).tracks[0].name == "Renamed"
        client.delete_subject(gallery_id, "person-a")
        assert feed(walk[21]).tracks[0].subject is None
        client.delete_gallery(gallery_id)
        answer = feed(walk[22])
        assert answer.error is not None
        assert answer.error.code == "NOT_FOUND"
        assert answer.tracks[0].subject is None
        feed.stream.finish()
        assert list(feed._answers) == []
    kept = events_of(client, name, after, EventKind.LEFT)
    assert [e.kind for e in kept] == [EventKind.APPEARED, EventKind.IDENTIFIED, EventKind.REVISED, EventKind.LEFT]
    assert not [e for e in kept if e.subject_id or e.display_name or e.labels], "erased from the events too"


def test_a_broken_stream_resumes_with_tracks_and_names(
    server: RunningServer, client: facewire.Client, door: str, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    feed = Feeding(client, StreamOptions(door, name, track_ttl_s=20))
    for frame in walk[:12]:
        before = feed(frame)
    session = feed.stream.session_id
    feed.stream.close()  # not finished: as if the connection had broken
    info = wait_for(lambda: [s for s in client.list_streams() if s.stream_id == name and not s.connected])
    assert info[0].session_id == session
    with facewire.Client(server.target) as another:
        again = Feeding(another, StreamOptions(door, name, track_ttl_s=20))
        again._number = 12  # time goes on; the numbers of a new client begin anew
        with again.stream:
            answer = again(walk[12])
            assert again.stream.session_id == session
            assert answer.tracks[0].track_id == before.tracks[0].track_id
            assert answer.tracks[0].subject == pytest.approx(before.tracks[0].subject) or answer.tracks[0].subject
            assert answer.tracks[0].age_s > before.tracks[0].age_s
            assert answer.counters.received == 13


def test_a_broken_stream_is_forgotten_after_its_time(
    client: facewire.Client, door: str, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    after = client.last_event_id()
    feed = Feeding(client, StreamOptions(door, name, track_ttl_s=0.3))
    for frame in walk[:12]:
        feed(frame)
    feed.stream.close()
    wait_for(lambda: not [s for s in client.list_streams() if s.stream_id == name])
    assert events_of(client, name, after, EventKind.LEFT)[-1].subject_id == "person-a"


def test_a_second_connection_takes_a_stream_over(
    server: RunningServer, client: facewire.Client, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    name = unique(request)
    first = Feeding(client, StreamOptions(stream_id=name))
    first(walk[0])
    with (
        facewire.Client(server.target) as another,
        another.stream(StreamOptions(stream_id=name, lossless=True)) as second,
    ):
        answers = iter(second)
        second.send(jpeg(walk[1]))
        assert next(answers).sequence == 1
        with pytest.raises(facewire.AbortedError, match="continued by another connection"):
            next(first._answers)
    first.stream.close()

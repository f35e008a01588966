"""Templates that say who somebody is not, and people who are known and not told of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import facewire
from facewire import Decision, EnrolRefusal, Event, EventKind, StreamOptions, SubjectReference, TrackState
from facewire_server.gallery.database import Database
from facewire_server.gallery.loading import load_live_index
from facewire_server.gallery.negatives import Negatives
from tests.conftest import RunningServer, StartServer
from tests.integration.test_cli import run
from tests.pictures import jpeg, read_bgr, walking
from tests.streaming import stream_all, unique


@pytest.fixture
def mistaken(client: facewire.Client, gallery_id: str, samples: Path) -> str:
    """A gallery in which impostor 1 is taken for "a": person A is enrolled with a picture of the impostor, too."""
    client.enrol(gallery_id, "a", [samples / "person_a_1.jpg", read_bgr(samples / "impostor_1.jpg")[:-2]])
    return gallery_id


def test_not_this_person(client: facewire.Client, mistaken: str, samples: Path) -> None:
    impostor, person = samples / "impostor_1.jpg", samples / "person_a_2.jpg"
    before = client.identify(mistaken, impostor).faces[0]
    assert before.match is not None
    assert before.match.subject_id == "a"
    subject = client.get_subject(mistaken, "a")
    (outcome,) = client.reject(mistaken, "a", [impostor]).outcomes
    assert outcome.enrolled is not None
    assert outcome.enrolled.negative
    after = client.identify(mistaken, impostor).faces[0]
    assert (after.decision, after.match, after.candidates) == (Decision.UNKNOWN, None, ())
    assert client.identify(mistaken, person).faces[0].match is not None, "the person is named as before"
    reference = SubjectReference(mistaken, "a")
    assert client.verify(impostor, reference).decision is Decision.NON_MATCH
    assert client.verify(reference, impostor).decision is Decision.NON_MATCH
    assert client.verify(person, reference).decision is Decision.MATCH
    assert client.get_subject(mistaken, "a").face_count == subject.face_count, "it is no template of hers"
    listed = [face for face in client.list_faces(mistaken) if face.negative]
    assert [face.source_digest for face in listed] == [outcome.enrolled.source_digest]
    client.delete_face(mistaken, listed[0].face_id)
    again = client.identify(mistaken, impostor).faces[0]
    assert again.match is not None
    assert [face.negative for face in client.list_faces(mistaken)] == [False, False]


def test_the_same_picture_may_show_one_and_be_told_not_to_show_others(
    client: facewire.Client, door: str, samples: Path
) -> None:
    picture = samples / "person_a_1.jpg"  # enrolled as person-a's
    assert client.reject(door, "person-b", [picture]).outcomes[0].enrolled is not None
    (twice,) = client.reject(door, "person-b", [picture]).outcomes
    assert twice.refusal is EnrolRefusal.DUPLICATE
    (own,) = client.reject(door, "person-a", [picture]).outcomes
    assert own.refusal is EnrolRefusal.DUPLICATE
    assert "remove that one first" in own.detail
    (other,) = client.enrol(door, "person-a", [samples / "impostor_1.jpg"]).outcomes
    assert other.enrolled is not None
    client.delete_face(door, other.enrolled.face_id)
    client.reject(door, "person-a", [samples / "impostor_1.jpg"])
    (opposite,) = client.enrol(door, "person-a", [samples / "impostor_1.jpg"]).outcomes
    assert opposite.refusal is EnrolRefusal.DUPLICATE
    with pytest.raises(facewire.NotFoundError):
        client.reject(door, "nobody", [picture])
    (empty,) = client.reject(door, "person-b", [jpeg(np.full((200, 200, 3), 90, np.uint8))]).outcomes
    assert empty.refusal is EnrolRefusal.NO_FACE


def test_a_stream_takes_the_name_back(client: facewire.Client, mistaken: str, samples: Path) -> None:
    walk = walking(samples / "impostor_1.jpg", 30)
    assert stream_all(client, StreamOptions(mistaken), walk)[-1].tracks[0].state is TrackState.KNOWN
    client.reject(mistaken, "a", [samples / "impostor_1.jpg"])
    assert stream_all(client, StreamOptions(mistaken), walk)[-1].tracks[0].state is not TrackState.KNOWN


def test_negatives_survive_a_restart_and_a_file_and_are_erased(
    start_server: StartServer, samples: Path, tmp_path: Path
) -> None:
    file, path = tmp_path / "door.facewire", tmp_path / "kept.db"
    first = start_server(gallery_db=path)
    with facewire.Client(first.target) as client:
        client.create_gallery("door")
        client.enrol("door", "a", [samples / "person_a_1.jpg"])
        client.export_gallery("door", file)
        assert file.read_bytes().startswith(b"facewire-gallery-1\n"), "who has none writes what everybody reads"
        client.reject("door", "a", [samples / "impostor_1.jpg"])
        client.export_gallery("door", file)
        assert file.read_bytes().startswith(b"facewire-gallery-2\n")
    first.stop()
    second = start_server(gallery_db=path)
    with facewire.Client(second.target) as client:
        assert [face.negative for face in client.list_faces("door")] == [False, True]
        client.import_gallery(file, gallery_id="copy")
        assert [face.negative for face in client.list_faces("copy")] == [False, True]
        assert client.get_gallery("copy").face_count == 1
        for gallery_id in ("door", "copy"):
            client.delete_subject(gallery_id, "a")
            assert list(client.list_faces(gallery_id)) == []
    second.stop()
    database = Database(path)
    assert database.query("SELECT count(*) FROM template").fetchone() == (0,)
    assert len(load_live_index(database).gallery("door").index) == 0
    database.close()


def test_what_is_removed_is_overwritten() -> None:
    negatives = Negatives(4)
    rows = np.eye(4, dtype=np.float32)
    negatives.add(7, "one", rows[0])
    negatives.add(7, "two", rows[1])
    assert negatives.refute(7, rows[1], 0.9)
    assert negatives.refute(7, rows[1], 1.0), "as near"
    assert not negatives.refute(7, rows[1], 1.03)
    assert not negatives.refute(8, rows[1], 0.0)
    kept = negatives._of[7][1]
    assert negatives.remove(7, "two")
    assert not negatives.remove(7, "two")
    assert not kept.any()
    assert not negatives.refute(7, rows[1], 0.5)
    kept = negatives._of[7][1]
    negatives.clear()
    assert not kept.any()
    assert negatives.of(7).shape == (0, 4)


def test_the_verb(client: facewire.Client, server: RunningServer, mistaken: str, samples: Path) -> None:
    picture = samples / "impostor_1.jpg"
    done = run("gallery", "reject", mistaken, "a", picture, "--server", server.target)
    assert done.returncode == 0, done.stderr
    assert "noted, not 'a'" in done.stdout
    listed = run("gallery", "faces", mistaken, "--server", server.target)
    assert listed.stdout.count("not this person") == 1
    again = run("gallery", "reject", mistaken, "a", picture, "--json", "--server", server.target)
    assert again.returncode == 1
    assert json.loads(again.stdout)["outcomes"][0]["refusal"] == "DUPLICATE"


# --- known and not told of ------------------------------------------------------------------------------


def told(client: facewire.Client, stream_id: str, after: int) -> list[Event]:
    events = []
    for event in client.watch_events(stream_id=stream_id, after_event_id=after):
        assert isinstance(event, Event)
        events.append(event)
        if event.kind is EventKind.COUNT:
            return events
    raise AssertionError("watching ended")


def test_whoever_is_to_be_ignored_is_in_no_events_and_no_figures(
    client: facewire.Client, door: str, samples: Path, request: pytest.FixtureRequest
) -> None:
    client.update_subject(door, "person-a", labels=["ignore"])
    name, after = unique(request), client.last_event_id()
    walk = walking(samples / "person_a_2.jpg", 40)
    options = StreamOptions(door, name, count_interval_s=1.5, unknown_linger_s=0.5)
    answers = stream_all(client, options, walk)
    last = answers[-1].tracks[0]
    assert (last.state, last.ignored) == (TrackState.KNOWN, True)
    events = told(client, name, after)
    assert not [event for event in events if event.subject_id or event.kind is EventKind.IDENTIFIED]
    kinds = [event.kind for event in events]
    assert kinds.count(EventKind.APPEARED) == kinds.count(EventKind.LEFT)
    crowd = events[-1].crowd
    assert crowd is not None
    assert (crowd.people_now, crowd.unique_people, crowd.unique_subjects, crowd.entries) == (0, 0, 0, 0)
    other, after = f"{name}-other", client.last_event_id()
    stream_all(client, StreamOptions(door, other, count_interval_s=1.5, ignore_labels=["nobody"]), walk)
    assert EventKind.IDENTIFIED in [event.kind for event in told(client, other, after)]


def test_whoever_is_ignored_later_and_told_of_again_leaves_and_appears(
    client: facewire.Client, door: str, samples: Path, request: pytest.FixtureRequest
) -> None:
    """The label comes and goes while the person is in sight: each APPEARED has its LEFT, and figures stay whole."""
    name, after = unique(request), client.last_event_id()
    walk = [jpeg(frame) for frame in walking(samples / "person_a_2.jpg", 90, speed=4)]
    with client.stream(StreamOptions(door, name, count_interval_s=4.4, lossless=True)) as stream:
        for number, _ in enumerate(stream.recognize(paced(walk, client, door))):
            assert number < 90
    events = told(client, name, after)
    kinds = [event.kind for event in events if event.kind in (EventKind.APPEARED, EventKind.LEFT)]
    assert kinds[:3] == [EventKind.APPEARED, EventKind.LEFT, EventKind.APPEARED]
    anonymous = next(event for event in events if event.kind is EventKind.LEFT)
    assert not anonymous.subject_id
    crowd = events[-1].crowd
    assert crowd is not None
    assert (crowd.people_now, crowd.unique_people, crowd.entries, crowd.exits) == (1, 1, 1, 0)


def paced(frames: list[bytes], client: facewire.Client, gallery_id: str) -> Iterator[tuple[bytes, float]]:
    for number, frame in enumerate(frames):
        if number in (30, 60):
            client.update_subject(gallery_id, "person-a", labels=["ignore"] if number == 30 else [])
            time.sleep(0.5)  # names are looked up anew a few times a second
        yield frame, 1_700_000_000.0 + number / 20

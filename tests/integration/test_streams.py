"""Streams on a real server: tracks, names, dropping, errors, settings, resuming, events, limits."""

from __future__ import annotations

import asyncio
import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import grpc
import numpy as np
import pytest
from PIL import Image

import facewire
from facewire import EventKind, FrameAnswer, Line, StreamOptions, TrackState, Zone, aio
from facewire.images import ImageLike, RawFrame
from facewire.v1 import image_pb2, stream_pb2, stream_pb2_grpc
from tests.conftest import RunningServer, StartServer
from tests.pictures import Pixels, encoded, jpeg, to_nv12, walking

T = TypeVar("T")
START_S = 1_700_000_000.0
FPS = 20


@pytest.fixture(scope="module")
def walk(samples: Path) -> list[Pixels]:
    """Person A walks."""
    return walking(samples / "person_a_2.jpg", 30)


@pytest.fixture(scope="module")
def stranger(samples: Path) -> list[Pixels]:
    """Somebody else walks."""
    return walking(samples / "impostor_1.jpg", 30)


def timed(frames: list[Pixels], start_s: float = START_S) -> Iterator[tuple[bytes, float]]:
    for number, frame in enumerate(frames):
        yield jpeg(frame), start_s + number / FPS


def stream_all(client: facewire.Client, options: StreamOptions, frames: list[Pixels]) -> list[FrameAnswer]:
    with client.stream(replace(options, lossless=True)) as stream:
        return list(stream.recognize(timed(frames)))


def overlap(a: facewire.Box, b: facewire.Box) -> float:
    width = max(0.0, min(a.x + a.width, b.x + b.width) - max(a.x, b.x))
    height = max(0.0, min(a.y + a.height, b.y + b.height) - max(a.y, b.y))
    return width * height / (a.width * a.height + b.width * b.height - width * height)


def unique(request: pytest.FixtureRequest) -> str:
    return f"s-{abs(hash(request.node.nodeid)):x}"[:60]


def events_of(client: facewire.Client, stream_id: str, after: int, until: EventKind) -> list[facewire.Event]:
    events = []
    for event in client.watch_events(stream_id=stream_id, after_event_id=after):
        assert isinstance(event, facewire.Event)
        events.append(event)
        if event.kind is until:
            return events
    raise AssertionError("watching ended")


# --- tracks and names -----------------------------------------------------------------------------------


def test_a_person_is_followed_and_named_and_a_stranger_is_not(
    client: facewire.Client, door: str, walk: list[Pixels], stranger: list[Pixels]
) -> None:
    answers = stream_all(client, StreamOptions(door, landmarks=True, quality=True), walk)
    assert [a.sequence for a in answers] == list(range(1, 31))
    assert all(a.error is None and a.detected and a.image_size == (640, 480) for a in answers)
    states = [a.tracks[0].state for a in answers]
    assert states[0] is TrackState.TENTATIVE
    assert states[-1] is TrackState.KNOWN
    named = next(a for a in answers if a.tracks[0].subject is not None)
    assert named.capture_time.timestamp() - START_S <= 0.5
    assert {t.subject.subject_id for a in answers for t in a.tracks if t.subject} == {"person-a"}
    last = answers[-1]
    track = last.tracks[0]
    assert {t.track_id for a in answers for t in a.tracks} == {1}
    assert track.revision == 1
    assert track.similarity is not None
    assert track.similarity > 0.5
    assert track.landmarks is not None
    assert track.box.x < track.landmarks.nose_tip.x < track.box.x + track.box.width
    assert track.quality is not None
    assert track.age_s == pytest.approx(29 / FPS, abs=0.01)
    assert last.counters.received == last.counters.processed == last.counters.detected == 30
    assert last.counters.faces_found >= 5 * last.counters.faces_embedded
    unknown = stream_all(client, StreamOptions(door), stranger)
    assert unknown[-1].tracks[0].state is TrackState.UNKNOWN
    assert not [t for a in unknown for t in a.tracks if t.subject is not None]


def test_without_a_gallery_nobody_is_embedded(client: facewire.Client, walk: list[Pixels]) -> None:
    answers = stream_all(client, StreamOptions(), walk)
    assert answers[-1].tracks[0].state is TrackState.IDENTIFYING
    assert answers[-1].tracks[0].similarity is None
    assert answers[-1].counters.faces_embedded == 0


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "bgr", "rgb", "gray", "nv12"])
def test_every_frame_format_gives_the_same_tracks(
    client: facewire.Client, door: str, walk: list[Pixels], form: str
) -> None:
    def image(frame: Pixels) -> ImageLike:
        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        gray = np.asarray(Image.fromarray(rgb).convert("L"))
        forms: dict[str, Callable[[], ImageLike]] = {
            "jpeg": lambda: jpeg(frame, 95),
            "png": lambda: encoded(Image.fromarray(rgb), "PNG"),
            "webp": lambda: encoded(Image.fromarray(rgb), "WEBP", lossless=True),
            "bgr": lambda: frame,
            "rgb": lambda: RawFrame(rgb, "rgb"),
            "gray": lambda: gray,
            "nv12": lambda: RawFrame(to_nv12(frame), "nv12"),
        }
        return forms[form]()

    reference = stream_all(client, StreamOptions(door), walk[:8])
    with client.stream(StreamOptions(door, lossless=True)) as stream:
        answers = list(stream.recognize((image(f), START_S + i / FPS) for i, f in enumerate(walk[:8])))
    for ours, wanted in zip(answers, reference, strict=True):
        assert ours.error is None
        assert len(ours.tracks) == len(wanted.tracks)
        for a, b in zip(ours.tracks, wanted.tracks, strict=True):
            assert overlap(a.box, b.box) > (0.8 if form == "gray" else 0.9)
    subject = answers[-1].tracks[0].subject
    if form != "gray":  # without colour the similarity is another
        assert subject is not None
        assert subject.subject_id == "person-a"


def test_in_between_frames_are_predicted(client: facewire.Client, door: str, walk: list[Pixels]) -> None:
    answers = stream_all(client, StreamOptions(door, detect_every=3), walk)
    assert [a.detected for a in answers[:7]] == [False, False, True, False, False, True, False]
    assert answers[-1].counters.detected == 10
    full = stream_all(client, StreamOptions(door), walk)
    guessed = [(a.tracks[0], f.tracks[0]) for a, f in zip(answers, full, strict=True) if a.tracks and not a.detected]
    settled = [(a, f) for a, f in guessed if f.age_s > 0.6]
    assert settled
    for ours, seen in settled[:8]:
        assert ours.predicted
        assert abs(ours.box.x - seen.box.x) < 0.5 * seen.box.width
    assert answers[-1].tracks[0].subject is not None


def test_people_who_cross_keep_their_tracks_and_names(client: facewire.Client, door: str, samples: Path) -> None:
    ahead = walking(samples / "person_a_2.jpg", 40, face_px=200, speed=11)
    behind = walking(samples / "person_b_2.jpg", 40, face_px=200, speed=11)
    frames = []
    for front, back in zip(ahead, behind, strict=True):
        frame = np.full((560, 640, 3), 125, dtype=np.uint8)
        other = back[120:330, ::-1][:, :, :]  # mirrored: it walks the other way
        frame[200:410] = other
        mask = (front[120:330] != np.array([130, 125, 120], dtype=np.uint8)).any(axis=2)
        frame[150:360][mask] = front[120:330][mask]
        frames.append(frame)
    answers = stream_all(client, StreamOptions(door), frames)
    names: dict[str, set[int]] = {}
    for answer in answers:
        shown = [t.subject.subject_id for t in answer.tracks if t.subject]
        assert len(shown) == len(set(shown)), "one subject at most once in a frame"
        for track in answer.tracks:
            if track.subject is not None:
                names.setdefault(track.subject.subject_id, set()).add(track.track_id)
    assert set(names) == {"person-a", "person-b"}
    assert all(len(ids) == 1 for ids in names.values()), names


def test_somebody_who_goes_and_comes_back_is_the_same_track(
    client: facewire.Client, door: str, walk: list[Pixels]
) -> None:
    empty = [np.full((480, 640, 3), 125, dtype=np.uint8)] * 20
    answers = stream_all(client, StreamOptions(door), [*walk[:12], *empty, *walk[20:30]])
    assert not answers[28].tracks, "out of sight: not shown"
    confirmed = {t.track_id for a in answers for t in a.tracks if t.state is not TrackState.TENTATIVE}
    assert confirmed == {1}
    assert answers[-1].tracks[0].subject is not None


# --- dropping and flow ----------------------------------------------------------------------------------


def test_a_live_stream_drops_what_is_too_much_and_counts_it(
    client: facewire.Client, door: str, walk: list[Pixels]
) -> None:
    frames = [jpeg(frame) for frame in walk]
    with client.stream(StreamOptions(door)) as stream:
        answers: list[FrameAnswer] = []
        reader = threading.Thread(target=lambda: answers.extend(stream))
        reader.start()
        sent = 0
        for frame in itertools.islice(itertools.cycle(frames), 400):
            sent = stream.send(frame)
            time.sleep(0.001)
        stream.finish()
        reader.join(timeout=30)
        assert not reader.is_alive()
    last = answers[-1]
    assert last.sequence == sent, "the newest frame is always answered"
    counters = last.counters
    assert counters.received == counters.processed + counters.dropped
    assert counters.received + stream.dropped == sent
    assert counters.dropped + stream.dropped > 100
    assert [a.sequence for a in answers] == sorted({a.sequence for a in answers})


def test_a_lossless_stream_answers_every_frame_however_fast_they_come(
    client: facewire.Client, walk: list[Pixels]
) -> None:
    answers = stream_all(client, StreamOptions(), walk * 5)
    assert [a.sequence for a in answers] == list(range(1, 151))
    assert answers[-1].counters.dropped == 0


def test_a_lossless_stream_slows_its_sender_instead_of_buffering(
    server: RunningServer, client: facewire.Client, walk: list[Pixels], request: pytest.FixtureRequest
) -> None:
    """A client that writes as fast as it may is never more than a few frames ahead of the answers."""
    name = unique(request)
    with grpc.insecure_channel(server.target) as channel:
        stub = stream_pb2_grpc.StreamServiceStub(channel)
        sent: list[int] = []
        stop = threading.Event()

        def requests() -> Iterator[stream_pb2.RecognizeStreamRequest]:
            encoding = stream_pb2.FrameEncoding(
                raw=stream_pb2.RawFrames(format=image_pb2.PIXEL_FORMAT_BGR, width=640, height=480)
            )
            yield stream_pb2.RecognizeStreamRequest(
                settings=stream_pb2.StreamSettings(stream_id=name, lossless=True, encoding=encoding)
            )
            for number in range(1, 10_000):
                if stop.is_set():
                    return
                sent.append(number)
                frame = stream_pb2.StreamFrame(sequence=number, data=walk[number % 30].tobytes())
                yield stream_pb2.RecognizeStreamRequest(frame=frame)

        call = stub.RecognizeStream(requests())
        for _ in range(8):
            time.sleep(0.25)
            ahead = len(sent) - next(s.counters.processed for s in client.list_streams() if s.stream_id == name)
            assert ahead < 20, f"{ahead} frames of 0.9 MB lie somewhere"
        assert len(sent) > 20
        stop.set()
        call.cancel()


# --- errors ---------------------------------------------------------------------------------------------


def test_a_bad_frame_is_an_error_on_that_frame_alone(client: facewire.Client, door: str, walk: list[Pixels]) -> None:
    good = [jpeg(frame) for frame in walk]
    bad = [b"", b"no picture", good[0][:300], b"GIF89a" + bytes(50)]
    frames = [*good[:10], *bad, *good[10:20]]
    with client.stream(StreamOptions(door, lossless=True)) as stream:
        answers = list(stream.recognize((f, START_S + i / FPS) for i, f in enumerate(frames)))
    assert len(answers) == len(frames)
    errors = [(a.sequence, a.error) for a in answers if a.error is not None]
    assert [sequence for sequence, _ in errors] == [11, 12, 13, 14]
    assert all(e is not None and e.code == "INVALID_ARGUMENT" and "frame.data" in e.message for _, e in errors)
    assert "GIF" in str(errors[3][1])
    assert answers[10].tracks[0].predicted
    assert answers[10].tracks[0].subject is not None, "the name stays over a bad frame"
    assert answers[-1].counters.decode_errors == 4
    assert answers[-1].tracks[0].track_id == 1


def test_bad_frames_that_are_not_looked_at_are_noticed_by_their_headers(client: facewire.Client) -> None:
    with client.stream(StreamOptions(lossless=True, detect_every=1000)) as stream:
        answers = list(stream.recognize([b"no picture", b""]))
    assert [a.error is not None for a in answers] == [True, True]


def test_raw_frames_of_the_wrong_size_are_errors_on_those_frames(server: RunningServer) -> None:
    raw = stream_pb2.RawFrames(format=image_pb2.PIXEL_FORMAT_BGR, width=64, height=48)
    settings = stream_pb2.StreamSettings(encoding=stream_pb2.FrameEncoding(raw=raw), lossless=True)
    messages = [
        stream_pb2.RecognizeStreamRequest(settings=settings),
        *(
            stream_pb2.RecognizeStreamRequest(frame=stream_pb2.StreamFrame(sequence=i + 1, data=bytes(size)))
            for i, size in enumerate((64 * 48 * 3, 10, 64 * 48 * 3))
        ),
    ]
    with grpc.insecure_channel(server.target) as channel:
        stub = stream_pb2_grpc.StreamServiceStub(channel)
        answers = [r.answer for r in stub.RecognizeStream(iter(messages)) if r.HasField("answer")]
    assert [a.error.code for a in answers] == ["", "INVALID_ARGUMENT", ""]
    assert "27648" in answers[1].error.message or "9216" in answers[1].error.message


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"gallery_id": "No Such"}, "settings.gallery_id"),
        ({"stream_id": "Bad Id"}, "settings.stream_id"),
        ({"detect_every": 100_000}, "settings.detect_every"),
        ({"min_similarity": 2.0}, "settings.min_similarity"),
        ({"min_score": 3.0}, "settings.detection.min_score"),
        ({"track_ttl_s": 0.0}, "settings.track_ttl"),
        ({"track_ttl_s": 1e6}, "settings.track_ttl"),
        ({"unknown_linger_s": -1.0}, "settings.unknown_linger"),
        ({"lines": [Line("", (0, 0), (1, 1))]}, "settings.lines[0].name"),
        ({"lines": [Line("a", (0, 0), (1.5, 1))]}, "settings.lines[0].end"),
        ({"lines": [Line("a", (0, 0), (float("nan"), 1))]}, "settings.lines[0].end"),
        ({"lines": [Line("a", (0.5, 0.5), (0.5, 0.5))]}, "settings.lines[0]"),
        ({"zones": [Zone("a", ((0, 0), (1, 1)))]}, "settings.zones[0].corners"),
        ({"lines": [Line("a", (0, 0), (1, 1))], "zones": [Zone("a", ((0, 0), (1, 1), (0, 1)))]}, "settings.lines"),
        ({"watchlist_labels": [""]}, "settings.watchlist_labels"),
    ],
)
def test_wrong_settings_name_the_field(client: facewire.Client, settings: dict[str, object], field: str) -> None:
    with client.stream(StreamOptions(**settings)) as stream:  # type: ignore[arg-type]
        with pytest.raises(facewire.InvalidArgumentError) as caught:
            next(iter(stream))
        assert caught.value.field == field


def test_a_gallery_must_exist_when_a_stream_opens(client: facewire.Client) -> None:
    with client.stream(StreamOptions("nowhere")) as stream, pytest.raises(facewire.NotFoundError):
        next(iter(stream))


def test_the_first_message_must_be_settings(server: RunningServer) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = stream_pb2_grpc.StreamServiceStub(channel)
        for messages in (
            [],
            [stream_pb2.RecognizeStreamRequest()],
            [stream_pb2.RecognizeStreamRequest(frame=stream_pb2.StreamFrame(sequence=1, data=b"x"))],
        ):
            with pytest.raises(grpc.RpcError) as caught:
                list(stub.RecognizeStream(iter(messages)))
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_stale_and_repeated_numbers_are_ignored_and_counted(server: RunningServer, walk: list[Pixels]) -> None:
    data = jpeg(walk[0])
    messages = [
        stream_pb2.RecognizeStreamRequest(settings=stream_pb2.StreamSettings(lossless=True)),
        *(
            stream_pb2.RecognizeStreamRequest(frame=stream_pb2.StreamFrame(sequence=n, data=data))
            for n in (1, 5, 5, 3, 6)
        ),
    ]
    with grpc.insecure_channel(server.target) as channel:
        stub = stream_pb2_grpc.StreamServiceStub(channel)
        answers = [r.answer for r in stub.RecognizeStream(iter(messages)) if r.HasField("answer")]
    assert [a.sequence for a in answers] == [1, 5, 6]
    assert (answers[-1].counters.stale, answers[-1].counters.received) == (2, 5)


# --- settings on the way, galleries that change ----------------------------------------------------------


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


class Feeding:
    """A stream that is fed one frame at a time, each answered before the next."""

    def __init__(self, client: facewire.Client, options: StreamOptions) -> None:
        self.stream = client.stream(replace(options, lossless=True))
        self._answers = iter(self.stream)
        self._number = 0

    def __call__(self, frame: Pixels) -> FrameAnswer:
        self._number += 1
        self.stream.send(jpeg(frame), START_S + self._number / FPS)
        return next(self._answers)


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


# --- resuming -------------------------------------------------------------------------------------------


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


def wait_for(condition: Callable[[], T], timeout_s: float = 10.0) -> T:
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


# --- best shots, lists, events --------------------------------------------------------------------------


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


def replay(client: facewire.Client, after: int) -> list[facewire.Event]:
    """Everything after a cursor that has already happened."""
    newest = client.last_event_id()
    events = []
    for event in client.watch_events(after_event_id=after):
        assert isinstance(event, facewire.Event)
        events.append(event)
        if event.event_id >= newest:
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


# --- limits ---------------------------------------------------------------------------------------------


def test_streams_are_limited_and_places_come_back(start_server: StartServer, walk: list[Pixels]) -> None:
    server = start_server("--set", "streams.max_streams=3", "--set", "streams.max_streams_per_client=2")
    with facewire.Client(server.target) as client:
        streams = [Feeding(client, StreamOptions()) for _ in range(2)]
        for feed in streams:
            feed(walk[0])
        with client.stream() as third, pytest.raises(facewire.OverloadedError, match="this client has 2"):
            next(iter(third))
        streams[0].stream.close()
        wait_for(lambda: sum(s.connected for s in client.list_streams()) == 1)
        again = Feeding(client, StreamOptions())
        assert again(walk[0]).sequence == 1
        for feed in (streams[1], again):
            feed.stream.close()


def test_idle_streams_and_those_without_settings_end(start_server: StartServer, walk: list[Pixels]) -> None:
    server = start_server("--set", "streams.idle_s=0.5", "--set", "streams.first_message_s=0.5")
    with facewire.Client(server.target) as client:
        feed = Feeding(client, StreamOptions())
        feed(walk[0])
        with pytest.raises(facewire.DeadlineError, match="no frame came for"):
            next(feed._answers)
    gate = threading.Event()

    def nothing() -> Iterator[stream_pb2.RecognizeStreamRequest]:
        gate.wait(10)
        yield from ()

    with grpc.insecure_channel(server.target) as channel:
        call = stream_pb2_grpc.StreamServiceStub(channel).RecognizeStream(nothing())
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        gate.set()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_stopping_the_server_ends_streams_at_once(start_server: StartServer, walk: list[Pixels]) -> None:
    server = start_server()
    with facewire.Client(server.target) as client:
        feed = Feeding(client, StreamOptions())
        feed(walk[0])
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 5, "not the whole grace"
        feed.stream.close()


# --- asyncio --------------------------------------------------------------------------------------------


def test_the_asyncio_client_streams_alike(
    server: RunningServer, client: facewire.Client, door: str, walk: list[Pixels]
) -> None:
    async def run() -> list[FrameAnswer]:
        async with aio.Client(server.target) as async_client:
            async with async_client.stream(StreamOptions(door, lossless=True)) as stream:
                answers = [answer async for answer in stream.recognize(timed(walk))]
            cursor = await async_client.last_event_id()
            async for event in async_client.watch_events(from_oldest=True):
                assert isinstance(event, facewire.Event | facewire.EventsLost)
                if isinstance(event, facewire.Event) and event.event_id >= cursor - 1:
                    break
            assert stream.stream_id not in [s.stream_id for s in await async_client.list_streams()]
            return answers

    ours, theirs = asyncio.run(run()), stream_all(client, StreamOptions(door), walk)
    assert [[(t.track_id, t.state, t.box, t.name) for t in a.tracks] for a in ours] == [
        [(t.track_id, t.state, t.box, t.name) for t in a.tracks] for a in theirs
    ]

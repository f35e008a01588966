"""Streams on a real server: tracks and names, frame formats, dropping, asyncio."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

import facewire
from facewire import FrameAnswer, StreamOptions, TrackState, aio
from facewire.images import ImageLike, RawFrame
from facewire.v1 import image_pb2, stream_pb2, stream_pb2_grpc
from tests.conftest import RunningServer
from tests.pictures import Pixels, encoded, jpeg, to_nv12, walking
from tests.streaming import FPS, START_S, overlap, stream_all, timed, unique


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

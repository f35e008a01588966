"""Streams that go wrong: bad frames, wrong settings, limits, the server's stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import grpc
import pytest

import facewire
from facewire import Line, StreamOptions, Zone
from facewire.v1 import image_pb2, stream_pb2, stream_pb2_grpc
from tests.conftest import RunningServer, StartServer
from tests.pictures import Pixels, jpeg
from tests.streaming import FPS, START_S, Feeding, wait_for


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

"""What a stream's client still has to send: numbers, dropping, resending, changing encodings, back-off."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest

from facewire import StreamOptions
from facewire._outbox import WINDOW, Backoff, Outbox
from facewire.errors import AbortedError, OverloadedError, ServerError, UnavailableError
from facewire.v1 import image_pb2, stream_pb2

JPEG = b"not looked at here"


def opened(box: Outbox, last: int = 0) -> None:
    box.begin()
    box.opened(stream_pb2.StreamOpened(stream_id="cam", session_id="s", last_sequence=last))


def drain(box: Outbox) -> list[str | int]:
    sent: list[str | int] = []
    while box.has_next:
        request = box.next()
        sent.append(request.frame.sequence if request.HasField("frame") else "settings")
    return sent


def test_nothing_goes_out_before_the_stream_is_open() -> None:
    box = Outbox(StreamOptions(), 1.0)
    box.put(JPEG, 1.5)
    box.begin()
    assert not box.has_next
    opened(box)
    assert drain(box) == [1]
    assert box.options.stream_id == "cam"


def test_a_live_stream_keeps_its_newest_frame() -> None:
    box = Outbox(StreamOptions(), 1.0)
    opened(box)
    for _ in range(5):
        assert box.has_room
        box.put(JPEG, None)
    assert drain(box) == [5]
    assert box.dropped == 4


def test_a_lossless_stream_has_a_window_and_sends_again_what_was_not_seen() -> None:
    box = Outbox(StreamOptions(lossless=True), 1.0)
    opened(box)
    for _ in range(WINDOW):
        box.put(JPEG, None)
    assert not box.has_room
    assert drain(box) == list(range(1, WINDOW + 1))
    box.answered(1)
    assert box.has_room
    opened(box, last=2)  # frame 2 was seen, its answer lost
    assert [s for s in drain(box) if s != "settings"] == list(range(3, WINDOW + 1))
    assert (box.reconnects, box.lost_answers) == (1, 1)
    opened(box, last=0)  # a server that remembers nothing
    assert [s for s in drain(box) if s != "settings"] == list(range(3, WINDOW + 1))


def test_settings_go_first_when_frames_look_different() -> None:
    box = Outbox(StreamOptions(lossless=True), 1.0)
    opened(box)
    box.put(JPEG, None)
    box.put(np.zeros((4, 6, 3), dtype=np.uint8), None)
    box.put(np.zeros((4, 6, 3), dtype=np.uint8), None)
    box.put(np.zeros((8, 6), dtype=np.uint8), None)
    requests = []
    while box.has_next:
        requests.append(box.next())
    kinds = [r.WhichOneof("message") for r in requests]
    assert kinds == ["frame", "settings", "frame", "frame", "settings", "frame"]
    raw = requests[1].settings.encoding.raw
    assert (raw.format, raw.width, raw.height, raw.stride_bytes) == (image_pb2.PIXEL_FORMAT_BGR, 6, 4, 18)
    assert requests[4].settings.encoding.raw.format == image_pb2.PIXEL_FORMAT_GRAY


def test_a_live_stream_that_changes_its_encoding_keeps_one_frame_and_the_last_settings() -> None:
    box = Outbox(StreamOptions(), 1.0)
    opened(box)
    for rows in range(2, 20):
        box.put(np.zeros((rows, 6, 3), dtype=np.uint8), None)
    assert drain(box) == ["settings", 18]


def test_changing_options_keeps_the_name_and_losslessness() -> None:
    box = Outbox(StreamOptions(lossless=True), 1.0)
    opened(box)
    box.change(StreamOptions(gallery_id="door", detect_every=3))
    settings = box.next().settings
    assert (settings.stream_id, settings.lossless, settings.detect_every, settings.gallery_id) == (
        "cam",
        True,
        3,
        "door",
    )


@pytest.mark.parametrize("moment", [1_700_000_000.25, datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=timezone.utc)])
def test_capture_times(moment: float | datetime) -> None:
    box = Outbox(StreamOptions(), 1.0)
    opened(box)
    box.put(JPEG, moment)
    stamp = box.next().frame.capture_time
    assert (stamp.seconds, stamp.nanos) == (1_700_000_000, 250_000_000)


def test_finished_means_all_sent() -> None:
    box = Outbox(StreamOptions(lossless=True), 1.0)
    box.put(JPEG, None)
    box.finished = True
    assert not box.all_sent
    opened(box)
    assert not box.all_sent
    drain(box)
    assert box.all_sent


def error(kind: type[ServerError], **fields: float) -> ServerError:
    return kind("no", code="X", **fields)  # type: ignore[arg-type]


def test_backoff_grows_and_ends() -> None:
    backoff = Backoff(60.0)
    waits = [backoff.wait_s(error(UnavailableError)) for _ in range(8)]
    assert waits[:3] == [0.2, 0.4, 0.8]
    assert waits[-1] == 5.0
    backoff.succeeded()
    assert backoff.wait_s(error(UnavailableError)) == 0.2
    assert Backoff(0.1).wait_s(error(UnavailableError)) is None


def test_errors_that_will_not_pass_are_not_waited_for() -> None:
    backoff = Backoff(60.0)
    assert backoff.wait_s(error(AbortedError)) is None
    assert backoff.wait_s(error(OverloadedError)) is None
    assert backoff.wait_s(error(OverloadedError, retry_after_s=1.0)) is not None
    assert Outbox(StreamOptions(), 60.0).wait_before_retry_s(error(OverloadedError, retry_after_s=1.0)) is None, (
        "a full server refuses a new stream at once"
    )


def test_the_numbers_of_a_stream_taken_over_are_not_ours() -> None:
    box = Outbox(StreamOptions(stream_id="cam", lossless=True), 1.0)
    box.put(JPEG, None)
    opened(box, last=500)
    assert [s for s in drain(box) if s != "settings"] == [1]
    assert box.lost_answers == 0

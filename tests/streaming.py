"""What tests of streams share: timed frames, whole streams, events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import pytest

import facewire
from facewire import EventKind, FrameAnswer, StreamOptions
from tests.pictures import Pixels, jpeg

T = TypeVar("T")
START_S = 1_700_000_000.0
FPS = 20


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


def wait_for(condition: Callable[[], T], timeout_s: float = 10.0) -> T:
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


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

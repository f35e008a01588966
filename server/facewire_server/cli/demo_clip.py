"""The demo's second act: a clip made on the spot from the sample photographs, streamed, its events shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import facewire
from facewire import Event, EventKind, StreamOptions
from facewire.annotate import draw_tracks
from facewire.images import RawFrame
from facewire.video_writer import VideoWriter

_WIDTH, _HEIGHT, _FPS, _SECONDS = 960, 540, 20, 9.0
_PORTRAIT_PX: Final = 300
_STREAM_ID: Final = "demo-clip"
_DOOR: Final = facewire.Line("door", (0.5, 1.0), (0.5, 0.0))  # to the right is in
_SHOWN: Final = {
    EventKind.APPEARED: "appeared",
    EventKind.IDENTIFIED: "identified",
    EventKind.REVISED: "revised",
    EventKind.LEFT: "left",
    EventKind.CROSSED_IN: "came in by the",
    EventKind.CROSSED_OUT: "went out by the",
    EventKind.UNKNOWN_LINGERING: "lingers, unknown",
    EventKind.COUNT: "count",
}
_START_S: Final = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class _Walker:
    """Somebody who walks through, or comes to the middle and goes back."""

    picture: str
    start_s: float
    seconds: float
    y: float
    to_the_right: bool
    turns_back: bool = False

    def place(self, t: float) -> tuple[float, float] | None:
        """The middle of the portrait at this time, pixels; None out of sight."""
        share = (t - self.start_s) / self.seconds
        if not 0 <= share <= 1:
            return None
        way = 1 - abs(1 - 2 * share) if self.turns_back else share
        reach = 0.45 if self.turns_back else 1.0
        across = -_PORTRAIT_PX / 2 + way * reach * (_WIDTH + _PORTRAIT_PX)
        x = across if self.to_the_right else _WIDTH - across
        return x, self.y * _HEIGHT + 8 * math.sin(6 * t)


_WALKERS: Final = (
    _Walker("person_a_2.jpg", 0.2, 6.0, 0.45, to_the_right=True),
    _Walker("person_b_2.jpg", 1.0, 6.0, 0.58, to_the_right=False),
    _Walker("impostor_1.jpg", 4.0, 4.8, 0.52, to_the_right=True, turns_back=True),
)


def show_clip(client: facewire.Client, gallery_id: str, samples: Path, output: Path, out: Console) -> list[str]:
    """Streams the clip, prints its events, writes the annotated video.

    Returns:
        What went wrong: names that were missing, or strangers that got one.
    """
    before = client.last_event_id()
    video = output / "demo.mp4"
    output.mkdir(parents=True, exist_ok=True)
    frames = list(_frames(client, samples))
    options = StreamOptions(gallery_id, _STREAM_ID, lossless=True, unknown_linger_s=3.0, lines=[_DOOR])
    with client.stream(options) as stream, VideoWriter(video) as writer:
        sent = ((RawFrame(frame, "rgb"), _START_S + number / _FPS) for number, frame in enumerate(frames))
        for answer in stream.recognize(sent):
            picture = Image.fromarray(frames[answer.sequence - 1])
            _draw_door(picture)
            draw_tracks(picture, answer.tracks)
            writer.write(np.asarray(picture), answer.sequence / _FPS)
    events = _events_after(client, before)
    out.print(_table(events))
    out.print(f"annotated video: {video}")
    return _wrong(events)


def _frames(client: facewire.Client, samples: Path) -> Iterator[npt.NDArray[np.uint8]]:
    portraits = {walker.picture: _portrait(client, samples / walker.picture) for walker in _WALKERS}
    room = _room()
    for number in range(int(_SECONDS * _FPS)):
        frame = room.copy()
        for walker in _WALKERS:
            place = walker.place(number / _FPS)
            if place is not None:
                portrait = portraits[walker.picture]
                corner = (round(place[0] - portrait.width / 2), round(place[1] - portrait.height / 2))
                frame.paste(portrait, corner, portrait)
        yield np.asarray(frame)


def _portrait(client: facewire.Client, path: Path) -> Image.Image:
    """Head and shoulders in a soft oval."""
    box = client.detect(path).faces[0].box
    photo = Image.open(path).convert("RGB")
    side = round(min(2.0 * max(box.width, box.height), *photo.size))
    left = round(min(max(box.x + box.width / 2 - side / 2, 0), photo.width - side))
    top = round(min(max(box.y + box.height / 2 - side / 2, 0), photo.height - side))
    cut = photo.crop((left, top, left + side, top + side)).resize(
        (_PORTRAIT_PX, _PORTRAIT_PX), Image.Resampling.LANCZOS
    )
    mask = Image.new("L", cut.size)
    margin = _PORTRAIT_PX // 14
    ImageDraw.Draw(mask).ellipse((2 * margin, margin, cut.width - 2 * margin, cut.height - margin), fill=255)
    cut.putalpha(mask.filter(ImageFilter.GaussianBlur(margin / 3)))
    return cut


def _room() -> Image.Image:
    """A wall, a floor, some light."""
    y = np.linspace(0, 1, _HEIGHT)[:, np.newaxis]
    x = np.linspace(-1, 1, _WIDTH)[np.newaxis]
    light = 150 + 50 * np.exp(-3 * (x**2 + (y - 0.3) ** 2))
    light = np.where(y > 0.82, 0.6 * light, light)
    return Image.fromarray(np.stack([0.92 * light, 0.96 * light, light], axis=2).clip(0, 255).astype(np.uint8))


def _draw_door(picture: Image.Image) -> None:
    x = picture.width * _DOOR.start[0]
    draw = ImageDraw.Draw(picture)
    for y in range(0, picture.height, 24):
        draw.line((x, y, x, y + 12), fill=(90, 100, 120), width=2)


def _events_after(client: facewire.Client, before: int) -> list[Event]:
    """All that the clip caused; the last is that everybody left."""
    events: list[Event] = []
    still_there: set[int] = set()
    for event in client.watch_events(stream_id=_STREAM_ID, after_event_id=before):
        if isinstance(event, facewire.EventsLost):
            continue
        events.append(event)
        if event.kind is EventKind.APPEARED:
            still_there.add(event.track_id)
        if event.kind is EventKind.LEFT:
            still_there.discard(event.track_id)
            if not still_there and event.at.timestamp() > _START_S + _SECONDS - 1.5:
                return events
    return events


def _table(events: list[Event]) -> Table:
    table = Table("clip time", "track", "event", "who", box=None, header_style="bold")
    for event in events:
        what = _SHOWN.get(event.kind, event.kind.value)
        who = escape(event.display_name) or "-"
        style = "green" if event.display_name else "yellow"
        table.add_row(
            f"{event.at.timestamp() - _START_S:.2f} s", str(event.track_id), f"{what} {event.boundary}".strip(),
            f"[{style}]{who}[/]",
        )  # fmt: skip
    return table


def _wrong(events: list[Event]) -> list[str]:
    named = {event.display_name for event in events if event.kind is EventKind.IDENTIFIED}
    problems = [f"{name} was not recognised in the clip" for name in ("Person A", "Person B") if name not in named]
    people = {event.track_id for event in events if event.kind is EventKind.APPEARED}
    if len(people) != len(_WALKERS):
        problems.append(f"{len(people)} tracks instead of {len(_WALKERS)}")
    if len(named) != len(_WALKERS) - 1:
        problems.append(f"{len(named)} names instead of {len(_WALKERS) - 1}")
    return problems

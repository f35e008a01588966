"""``facewire watch``: a camera or a video file streamed to a server, and what it says shown live."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import numpy as np
from PIL import Image

from facewire import FrameAnswer, StreamOptions
from facewire.annotate import draw_tracks
from facewire.cli.event_log import EventLog
from facewire.cli.options import connect, console, talks_to_server, write_json
from facewire.cli.watch_view import ChangeLines, LiveTable, View
from facewire.images import ImageLike
from facewire.stream import Stream
from facewire.video import VideoFrame, VideoSource
from facewire.video_writer import VideoWriter

_MOST_KEPT = 64  # frames whose answers are under way, kept to be drawn in


@click.command(
    epilog="""\b
SOURCE is a webcam ("0", "/dev/video0"), a video file, a URL (rtsp://, http://) or a folder of pictures.
\b
Examples:
  facewire watch 0 --gallery door
  facewire watch rtsp://camera.local/stream -g door --name entrance --headless --events events.jsonl
  facewire watch clip.mp4 -g door --save annotated.mp4
  facewire watch clip.mp4 --json | jq .tracks
\b
Exit codes: 0 done, 3 no server, 4 refused, 5 the source cannot be read."""
)
@click.argument("source")
@click.option("--gallery", "-g", "gallery_id", default="", help="Whom to compare with; without, nobody is named.")
@click.option("--name", "stream_id", default="", help="The stream's name, to be resumed and watched under.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write an MP4 with boxes and names.")
@click.option("--events", type=click.Path(dir_okay=False, path_type=Path), help="Write events, one JSON a line.")
@click.option("--headless", is_flag=True, help="No live table: one line for each change.")
@click.option("--detect-every", default=1, show_default=True, type=click.IntRange(1, 1000), help="Frames.")
@click.option("--fps", type=click.FloatRange(0.1, 240), help="At most so many frames a second.")
@click.option("--seconds", type=click.FloatRange(0.1), help="Stop after so long.")
@click.option("--drop/--lossless", "drop", default=None, help="Default: cameras drop frames, files do not.")
@click.option("--realtime", is_flag=True, help="Play files at their own speed.")
@click.option("--jpeg", is_flag=True, help="Send JPEG instead of raw pixels: for slow networks.")
@click.option("--min-similarity", type=click.FloatRange(-1, 1), help="Cosine that makes a name.")
@talks_to_server
def watch(
    source: str, gallery_id: str, stream_id: str, save: Path | None, events: Path | None, headless: bool,
    detect_every: int, fps: float | None, seconds: float | None, drop: bool | None, realtime: bool, jpeg: bool,
    min_similarity: float | None, target: str, timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Watch a camera or a video: who is there, frame by frame."""
    view = _view(headless, as_json)
    video = VideoSource(source, fps=fps, on_trouble=view.trouble)
    lossless = not (video.live or realtime) if drop is None else not drop
    options = StreamOptions(
        gallery_id=gallery_id,
        stream_id=stream_id or f"watch-{uuid.uuid4().hex[:8]}",
        detect_every=detect_every,
        min_similarity=min_similarity,
        lossless=lossless,
    )
    with ExitStack() as stack:
        client = stack.enter_context(connect(target, timeout_s))
        if events is not None:
            stack.enter_context(EventLog(client, options.stream_id, events))
        writer = None if save is None else stack.enter_context(VideoWriter(save))
        stream = stack.enter_context(client.stream(options))
        stack.enter_context(view)
        frames = _Frames(video, seconds=seconds, realtime=realtime and not video.live, jpeg=jpeg, keep=save is not None)
        try:
            for answer in stream.recognize(iter(frames)):
                view.show(answer, stream)
                if writer is not None:
                    _draw(writer, frames.take(answer.sequence), answer)
        except KeyboardInterrupt:
            view.trouble("stopped")
    view.summary(options.stream_id)
    return 0


def _view(headless: bool, as_json: bool) -> View:
    out = console()
    if as_json:
        return _JsonLines(out)
    return ChangeLines(out) if headless or not out.is_terminal else LiveTable(out)


class _JsonLines(View):
    """One answer a line."""

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Writes the answer."""
        self.count(answer, stream)
        write_json(answer)

    def summary(self, stream_id: str) -> None:
        """Nothing: the lines say it all."""


class _Frames:
    """Frames as they are sent, and for a while as they were, to be drawn in. Numbers are those of the stream."""

    def __init__(self, source: VideoSource, *, seconds: float | None, realtime: bool, jpeg: bool, keep: bool) -> None:
        self._source = source
        self._seconds = seconds
        self._realtime = realtime
        self._jpeg = jpeg
        self._keep = keep
        self._sent = 0
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()

    def __iter__(self) -> Iterator[tuple[ImageLike, float]]:
        begun = time.monotonic()
        first_s: float | None = None
        for frame in self._source.frames():
            first_s = frame.time_s if first_s is None else first_s
            if self._realtime:
                time.sleep(max(0.0, begun + frame.time_s - first_s - time.monotonic()))
            if self._seconds is not None and frame.time_s - first_s >= self._seconds:
                return
            self._sent += 1
            if self._keep:
                self._kept[self._sent] = frame
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
            yield (frame.jpeg() if self._jpeg else frame.image), frame.time_s

    def take(self, sequence: int) -> VideoFrame | None:
        """The frame of this number, if it is still kept; older ones are no longer needed."""
        frame = self._kept.pop(sequence, None)
        for number in [number for number in list(self._kept) if number < sequence]:
            self._kept.pop(number, None)
        return frame


def _draw(writer: VideoWriter, frame: VideoFrame | None, answer: FrameAnswer) -> None:
    if frame is None:
        return
    picture = Image.fromarray(frame.rgb())
    draw_tracks(picture, answer.tracks)
    writer.write(np.asarray(picture), frame.time_s)

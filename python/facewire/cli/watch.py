"""``facewire watch``: a camera or a video file streamed to a server, and what it says shown live."""

from __future__ import annotations

import math
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import numpy as np
from PIL import Image

from facewire import Line, StreamOptions
from facewire.annotate import draw_tracks
from facewire.cli.event_log import EventLog
from facewire.cli.options import connect, console, liveness_option, talks_to_server
from facewire.cli.watch_frames import WatchedFrames
from facewire.cli.watch_view import ChangeLines, JsonLines, LiveTable, View
from facewire.liveness import LivenessCheck
from facewire.stream import Stream
from facewire.stream_results import FrameAnswer
from facewire.video import VideoFrame, VideoSource
from facewire.video_writer import VideoWriter

_FILE_PATIENCE_S = 60.0


class _LineType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions alone
    """NAME=x1,y1,x2,y2."""

    name = "NAME=x1,y1,x2,y2"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Line:
        """A line of the stream's options."""
        name, _, numbers = value.partition("=")
        try:
            x1, y1, x2, y2 = (float(number) for number in numbers.split(","))
        except ValueError:
            self.fail(f"'{value}' is not NAME=x1,y1,x2,y2 with numbers from 0 to 1", param, ctx)
        return Line(name, (x1, y1), (x2, y2))


@click.command(
    epilog="""\b
SOURCE is a webcam ("0", "/dev/video0"), a video file, a URL (rtsp://, http://) or a folder of pictures.
A camera that is lost is looked for again and again; so is a server, for a file at most a minute.
\b
Examples:
  facewire watch 0 --gallery door
  facewire watch rtsp://camera.local/stream -g door --name entrance --headless --events events.jsonl
  facewire watch clip.mp4 -g door --save annotated.mp4
  facewire watch 0 -g door --line door=0.5,1,0.5,0      to the right in the picture is in
  facewire watch clip.mp4 --json | jq .tracks
\b
Ctrl-C and SIGTERM end it in order. Exit codes: 0 done, 1 no frame could be read, 3 no server, 4 refused,
5 the source cannot be read or a file not be written."""
)
@click.argument("source")
@click.option("--gallery", "-g", "gallery_id", default="", help="Whom to compare with; without, nobody is named.")
@click.option("--name", "stream_id", default="", help="The stream's name, to be resumed and watched under.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write an MP4 with boxes and names.")
@click.option("--events", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
              help="Append events to this file, one JSON a line; - is standard output.")  # fmt: skip
@click.option("--line", "lines", multiple=True, type=_LineType(), help="Report who crosses it; shares of the picture.")
@click.option("--headless", is_flag=True, help="No live table: one line for each change.")
@click.option("--detect-every", default=1, show_default=True, type=click.IntRange(1, 1000), help="Frames.")
@click.option("--fps", type=click.FloatRange(0.1, 240), help="At most so many frames a second.")
@click.option("--seconds", type=click.FloatRange(0.1), help="Stop after so long.")
@click.option("--drop/--lossless", "drop", default=None,
              help="Default: cameras and --realtime drop frames that are too many, files do not.")  # fmt: skip
@click.option("--realtime", is_flag=True, help="Play files at their own speed.")
@click.option("--jpeg", is_flag=True, help="Send JPEG instead of raw pixels: for slow networks.")
@click.option("--min-similarity", type=click.FloatRange(-1, 1), help="Cosine that makes a name.")
@liveness_option
@click.option("--ignore-label", "ignore_labels", multiple=True,
              help="Subjects with this label are in no events and no figures; default: ignore.")  # fmt: skip
@click.option("--count-every", "count_interval_s", type=click.FloatRange(0), metavar="SECONDS",
              help="Between COUNT events, stream time; 0: none; default: the server's setting.")  # fmt: skip
@click.option("--count-attributes", is_flag=True, help="Age and gender in the figures of COUNT events.")
@talks_to_server
def watch(
    source: str, gallery_id: str, stream_id: str, save: Path | None, events: Path | None, lines: tuple[Line, ...],
    headless: bool, detect_every: int, fps: float | None, seconds: float | None, drop: bool | None, realtime: bool,
    jpeg: bool, min_similarity: float | None, liveness: LivenessCheck | None, ignore_labels: tuple[str, ...],
    count_interval_s: float | None, count_attributes: bool, target: str,
    timeout_s: float, as_json: bool,
) -> int:  # fmt: skip
    """Watch a camera or a video: who is there, frame by frame."""
    _check_output(source, save)
    view = _view(headless, as_json)
    video = VideoSource(source, fps=fps, on_trouble=view.trouble)
    options = StreamOptions(
        gallery_id=gallery_id,
        stream_id=stream_id or f"watch-{uuid.uuid4().hex[:8]}",
        detect_every=detect_every,
        min_similarity=min_similarity,
        lossless=not (video.live or realtime) if drop is None else not drop,
        lines=lines,
        liveness=liveness,
        count_attributes=count_attributes,
        count_interval_s=count_interval_s,
        ignore_labels=ignore_labels,
    )
    frames = WatchedFrames(video, seconds, realtime=realtime and not video.live, jpeg=jpeg, keep=save is not None)
    patience_s = math.inf if video.live else _FILE_PATIENCE_S
    with ExitStack() as stack:
        client = stack.enter_context(connect(target, timeout_s))
        if events is not None:
            stack.enter_context(EventLog(client, options.stream_id, events))
        writer = None if save is None else stack.enter_context(VideoWriter(save))
        stream = stack.enter_context(client.stream(options, reconnect_s=patience_s, on_trouble=view.trouble))
        stack.enter_context(view)
        stack.enter_context(_ending(stream, seconds if video.live else None))
        for answer in stream.recognize(iter(frames)):
            view.show(answer, stream)
            if writer is not None:
                _draw(writer, frames.take(answer.sequence), answer)
    view.summary(options.stream_id, frames.sent)
    return 0 if view.readable else 1


def _check_output(source: str, save: Path | None) -> None:
    if save is None:
        return
    if save.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        raise click.BadParameter(f"{save} must end in .mp4", param_hint="--save")
    if save.exists() and Path(source).exists() and save.samefile(source):
        raise click.BadParameter(f"{save} is the source: it would be overwritten", param_hint="--save")


@contextmanager
def _ending(stream: Stream, seconds: float | None) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of the time close the stream, whatever the camera is waiting for."""
    timer = threading.Timer(seconds, stream.close) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    # Not in the handler itself: closing waits for a lock that the interrupted thread may hold.
    former = {
        number: signal.signal(number, lambda *_: threading.Thread(target=stream.close, daemon=True).start())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        if timer is not None:
            timer.cancel()


def _view(headless: bool, as_json: bool) -> View:
    out = console()
    if as_json:
        return JsonLines(out)
    return ChangeLines(out) if headless or not out.is_terminal else LiveTable(out)


def _draw(writer: VideoWriter, frame: VideoFrame | None, answer: FrameAnswer) -> None:
    if frame is None:
        return
    picture = Image.fromarray(frame.rgb())
    draw_tracks(picture, answer.tracks)
    writer.write(np.asarray(picture), frame.time_s)

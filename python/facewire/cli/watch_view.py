"""How a stream looks in the terminal: a live table, or a line for each change."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

import click
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typing_extensions import Self

from facewire.stream import Stream
from facewire.stream_results import FrameAnswer, StreamCounters, Track, TrackState

_STYLES = {
    TrackState.TENTATIVE: "dim",
    TrackState.IDENTIFYING: "blue",
    TrackState.KNOWN: "bold green",
    TrackState.UNKNOWN: "yellow",
    TrackState.AMBIGUOUS: "magenta",
}


class View:
    """What all views share: counting, trouble, the summary. A context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()
        self._counters: StreamCounters | None = None
        self._session = ""
        self._names: Counter[str] = Counter()
        self._tracks: set[tuple[str, int]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Shows an answer."""
        raise NotImplementedError

    def count(self, answer: FrameAnswer, stream: Stream) -> None:
        """Remembers what the summary tells."""
        self._counters = answer.counters
        for track in answer.tracks:
            if track.state is not TrackState.TENTATIVE:
                self._tracks.add((stream.session_id, track.track_id))
            if track.subject is not None:
                self._names[track.subject.display_name] += 1

    def trouble(self, text: str) -> None:
        """Says on standard error what is wrong with the source."""
        click.secho(f"facewire: {text}", fg="yellow", err=True)

    def summary(self, stream_id: str) -> None:
        """What was seen in all."""
        if self._counters is None:
            self.console.print("no frame was answered")
            return
        seconds = max(time.monotonic() - self._begun, 1e-9)
        counters = self._counters
        names = ", ".join(f"{escape(name)} ({frames} frames)" for name, frames in self._names.most_common())
        self.console.print(
            f"stream {stream_id}: {counters.processed} frames answered in {seconds:.1f} s "
            f"({counters.processed / seconds:.1f} a second), {counters.dropped} dropped, "
            f"{counters.decode_errors} unreadable; {len(self._tracks)} tracks; known: {names or 'nobody'}"
        )


class ChangeLines(View):
    """A line whenever somebody comes, is named, or goes."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._last: dict[int, str] = {}

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Prints what changed."""
        self.count(answer, stream)
        clock = answer.capture_time.astimezone().strftime("%H:%M:%S.%f")[:-4]
        if answer.error is not None:
            self.console.print(f"{clock} frame {answer.sequence}: {escape(answer.error.message)}", style="red")
        if not answer.detected:
            return
        now = {track.track_id: track for track in answer.tracks if track.state is not TrackState.TENTATIVE}
        for track_id, track in now.items():
            said = track.name
            if self._last.get(track_id) != said:
                self._last[track_id] = said
                self.console.print(Text.assemble(f"{clock} track {track_id} ", _state_text(track)))
        for track_id in [known for known in self._last if known not in now]:
            self.console.print(f"{clock} track {track_id} out of sight")
            del self._last[track_id]


class LiveTable(View):
    """A table that changes in place."""

    def __enter__(self) -> Self:
        self._live = Live(console=self.console, refresh_per_second=8, transient=True)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Draws the table anew."""
        self.count(answer, stream)
        table = Table("track", "who", "similarity", "in sight", "face, px", box=None, header_style="bold")
        for track in sorted(answer.tracks, key=lambda each: each.track_id):
            table.add_row(
                str(track.track_id),
                _state_text(track),
                "" if track.similarity is None else f"{track.similarity:.3f}",
                f"{track.age_s:.1f} s",
                f"{min(track.box.width, track.box.height):.0f}",
            )
        self._live.update(Group(table, _footer(answer, stream, time.monotonic() - self._begun)))


def _state_text(track: Track) -> Text:
    """The name in the state's colour; never read as markup."""
    if track.subject is None:
        return Text(track.state.value, style=_STYLES[track.state])
    return Text(f"{track.subject.display_name} {track.subject.similarity:.2f}", style=_STYLES[track.state])


def _footer(answer: FrameAnswer, stream: Stream, seconds: float) -> Text:
    counters = answer.counters
    text = (
        f"{stream.stream_id}  frame {answer.sequence}  {counters.processed / max(seconds, 1e-9):.1f} frames/s  "
        f"dropped {counters.dropped + stream.dropped}  queue {counters.queue_age_ms:.0f} ms  "
        f"work {answer.times.total_ms - answer.times.queue_ms:.0f} ms"
    )
    if counters.overloaded:
        text += f"  OVERLOADED: faces looked for in every {counters.detect_every}. frame"
    if answer.error is not None:
        text += f"  {answer.error.message}"
    return Text(text, style="red" if answer.error or counters.overloaded else "dim")

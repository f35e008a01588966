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

from facewire.cli.options import write_json
from facewire.liveness import LivenessDecision
from facewire.stream import Stream
from facewire.stream_results import FrameAnswer, Track, TrackState

_STYLES = {
    TrackState.TENTATIVE: "dim",
    TrackState.IDENTIFYING: "blue",
    TrackState.KNOWN: "bold green",
    TrackState.UNKNOWN: "yellow",
    TrackState.AMBIGUOUS: "magenta",
}

_LIVING_STYLES = {
    LivenessDecision.LIVE: "green",
    LivenessDecision.SPOOF: "bold red",
    LivenessDecision.UNSURE: "dim",
}


class View:
    """What all views share: counting, trouble, the summary. A context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()
        self._answered = 0
        self._unreadable = 0
        self._reconnects = 0
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

    @property
    def readable(self) -> int:
        """Frames answered so far that could be read."""
        return self._answered - self._unreadable

    def count(self, answer: FrameAnswer, stream: Stream) -> None:
        """Remembers what the summary tells."""
        if not self._answered:
            self._begun = time.monotonic()
        self._answered += 1
        self._unreadable += answer.error is not None and answer.error.code == "INVALID_ARGUMENT"
        self._reconnects = stream.reconnects
        for track in answer.tracks:
            if track.state is not TrackState.TENTATIVE:
                self._tracks.add((stream.session_id, track.track_id))
            if track.subject is not None:
                self._names[track.subject.display_name] += 1

    def trouble(self, text: str) -> None:
        """Says on standard error what is wrong with the camera or the server."""
        click.secho(f"facewire: {time.strftime('%H:%M:%S')} {text}", fg="yellow", err=True)

    def summary(self, stream_id: str, sent: int) -> None:
        """What was seen in all.

        Args:
            sent: frames that the source gave.
        """
        if not self._answered:
            self.console.print("no frame was answered")
            return
        seconds = max(time.monotonic() - self._begun, 1e-9)
        names = ", ".join(f"{escape(name)} ({frames} frames)" for name, frames in self._names.most_common())
        again = f"; {self._reconnects} reconnects" if self._reconnects else ""
        self.console.print(
            f"stream {stream_id}: {self._answered} frames answered in {seconds:.1f} s "
            f"({self._answered / seconds:.1f} a second), {sent - self._answered} dropped, "
            f"{self._unreadable} unreadable{again}; {len(self._tracks)} tracks; known: {names or 'nobody'}"
        )


class JsonLines(View):
    """One answer a line."""

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Writes the answer."""
        self.count(answer, stream)
        write_json(answer)

    def summary(self, stream_id: str, sent: int) -> None:
        """Nothing: the lines say it all."""


class ChangeLines(View):
    """A line whenever somebody comes, is named, or goes."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._last: dict[int, str] = {}
        self._problem = ""

    def show(self, answer: FrameAnswer, stream: Stream) -> None:
        """Prints what changed."""
        self.count(answer, stream)
        clock = answer.capture_time.astimezone().strftime("%H:%M:%S.%f")[:-4]
        problem = "" if answer.error is None else answer.error.message
        if problem != self._problem:
            self._problem = problem
            text = f"frame {answer.sequence}: {escape(problem)}" if problem else "frames are fine again"
            self.console.print(f"{clock} {text}", style="red" if problem else "green")
        if not answer.detected:
            return
        now = {track.track_id: track for track in answer.tracks if track.state is not TrackState.TENTATIVE}
        for track_id, track in now.items():
            said = f"{track.name} {_living(track)}"
            if self._last.get(track_id) != said:
                self._last[track_id] = said
                self.console.print(Text.assemble(f"{clock} track {track_id} ", _state_text(track), _living_text(track)))
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
                Text.assemble(_state_text(track), _living_text(track)),
                "" if track.similarity is None else f"{track.similarity:.3f}",
                f"{track.age_s:.1f} s",
                f"{min(track.box.width, track.box.height):.0f}",
            )
        self._live.update(Group(table, _footer(answer, stream, time.monotonic() - self._begun)))


def _state_text(track: Track) -> Text:
    """The name in the state's colour; never read as markup."""
    if track.subject is None:
        return Text(track.state.value, style=_STYLES[track.state])
    ignored = "  (ignored)" if track.ignored else ""
    return Text(f"{track.subject.display_name} {track.subject.similarity:.2f}{ignored}", style=_STYLES[track.state])


def _living(track: Track) -> str:
    return "" if track.liveness is None else track.liveness.decision.value


def _living_text(track: Track) -> Text:
    """Whether it is a living person, where that is checked."""
    if track.liveness is None:
        return Text("")
    return Text(f"  {_living(track)}", style=_LIVING_STYLES[track.liveness.decision])


def _footer(answer: FrameAnswer, stream: Stream, seconds: float) -> Text:
    counters = answer.counters
    text = (
        f"{stream.stream_id}  frame {answer.sequence}  {counters.processed / max(seconds, 1e-9):.1f} frames/s  "
        f"dropped {counters.dropped + stream.dropped}  queue {counters.queue_age_ms:.0f} ms  "
        f"work {answer.times.total_ms - answer.times.queue_ms:.0f} ms"
    )
    if counters.overloaded:
        text += f"  OVERLOADED, k={counters.detect_every}"
    if answer.error is not None:
        text += f"  {answer.error.message}"
    style = "red" if answer.error or counters.overloaded else "dim"
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")

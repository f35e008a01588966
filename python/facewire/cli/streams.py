"""``facewire streams`` and ``facewire events``: what runs, and what happens."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.table import Table

from facewire import Event, EventKind, EventsLost
from facewire.cli.options import connect, console, talks_to_server, write_json

_KINDS = [kind.value for kind in EventKind]


@click.command(epilog="Example:\n\n  facewire streams --json | jq -r .stream_id")
@talks_to_server
def streams(target: str, timeout_s: float, as_json: bool) -> None:
    """List the streams that run, and those that may be resumed."""
    with connect(target, timeout_s) as client:
        found = client.list_streams()
    if as_json:
        for info in found:
            write_json(info)
        return
    table = Table("stream", "gallery", "from", "frames/s", "answered", "dropped", "k", "people now", "since")
    for info in found:
        counters = info.counters
        k = f"[red]{counters.detect_every}[/]" if counters.overloaded else str(counters.detect_every)
        table.add_row(
            info.stream_id if info.connected else f"{info.stream_id} (connection lost)",
            info.gallery_id or "-",
            info.peer,
            f"{info.frames_per_s:.1f}",
            str(counters.processed),
            str(counters.dropped),
            k,
            str(info.crowd.people_now),
            f"{info.opened_at.astimezone():%H:%M:%S}",
        )
    console().print(table)


@click.command(
    epilog="""\b
Examples:
  facewire events --gallery door --kind IDENTIFIED --kind WATCHLIST
  facewire events --from-oldest --json > events.jsonl
  facewire events --after 1234 --json            go on after the event seen last"""
)
@click.option("--gallery", "-g", "gallery_id", default="", help="Only of this gallery.")
@click.option("--stream", "stream_id", default="", help="Only of this stream.")
@click.option("--label", default="", help="Only of subjects with this label.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS, case_sensitive=False),
              help="Only of this kind.")  # fmt: skip
@click.option("--after", type=click.IntRange(min=0), help="Begin after this event; default: what happens from now on.")
@click.option("--from-oldest", is_flag=True, help="Begin with the oldest event that is still kept.")
@talks_to_server
def events(
    gallery_id: str, stream_id: str, label: str, kinds: tuple[str, ...], after: int | None, from_oldest: bool,
    target: str, timeout_s: float, as_json: bool,
) -> None:  # fmt: skip
    """Show events as they happen, until Ctrl-C."""
    if after is not None and from_oldest:
        raise click.UsageError("--after and --from-oldest exclude each other")
    out = console()
    with connect(target, timeout_s) as client:
        for event in client.watch_events(
            gallery_id=gallery_id,
            stream_id=stream_id,
            subject_label=label,
            kinds=[EventKind(kind) for kind in kinds],
            after_event_id=after,
            from_oldest=from_oldest,
            on_trouble=lambda text: click.secho(f"facewire: {text}", fg="yellow", err=True),
        ):
            if as_json:
                write_json(event)
            else:
                out.print(_line(event))


def _line(event: Event | EventsLost) -> str:
    if isinstance(event, EventsLost):
        return f"[red]events {event.first_event_id} to {event.last_event_id} are no longer kept[/]"
    who = escape(event.display_name or event.subject_id) or "-"
    style = "green" if event.subject_id else "yellow"
    extra = f" {escape(event.boundary)}" if event.boundary else ""
    if event.dwell_s is not None:
        extra += f" after {event.dwell_s:.1f} s"
    if event.crowd is not None:
        crowd = event.crowd
        extra += f" now {crowd.people_now}, people {crowd.unique_people}, in {crowd.entries}, out {crowd.exits}"
    track = f" track {event.track_id}" if event.track_id else ""
    when = f"{event.at.astimezone():%H:%M:%S}"
    return f"{event.event_id} {when} {event.stream_id}{track} {event.kind.value}{extra} [{style}]{who}[/]"

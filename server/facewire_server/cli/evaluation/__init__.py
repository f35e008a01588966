"""``facewire eval``: measures through a real server."""

from __future__ import annotations

import click

from facewire_server.cli.evaluation.clips import clips
from facewire_server.cli.evaluation.detect import detect
from facewire_server.cli.evaluation.identities import identities
from facewire_server.cli.evaluation.liveness import liveness
from facewire_server.cli.evaluation.pairs import pairs


@click.group(name="eval")
def evaluate() -> None:
    """Measure recognition on your own data."""


for verb in (pairs, identities, detect, clips, liveness):
    evaluate.add_command(verb)

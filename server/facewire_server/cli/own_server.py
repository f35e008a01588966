"""A server of a command's own: a real process on a free port, with a temporary gallery."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

_STOP_TIMEOUT_S = 60.0


def server_arguments(config_file: Path | None, settings: tuple[str, ...]) -> list[str]:
    """The command's own configuration, for its server."""
    given = [] if config_file is None else ["--config", str(config_file)]
    for setting in settings:
        given += ["--set", setting]
    return given


@contextmanager
def running_server(arguments: list[str], folder: Path) -> Iterator[tuple[str, float]]:
    """Runs it; its address and the seconds until it served.

    Raises:
        click.ClickException: it did not start; the message holds its log.
    """
    command = [sys.executable, "-m", "facewire_server", *arguments, "--port", "0"]
    command += ["--gallery-db", str(folder / "gallery.db"), "--set", "logging.level=warning"]
    start = time.monotonic()
    log = folder / "server.log"
    with log.open("wb") as log_file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log_file)  # noqa: S603 - ourselves
    try:
        line = process.stdout.readline().decode().strip() if process.stdout else ""  # ends early if the server does
        if not line.startswith("serving at "):
            raise click.ClickException(f"the server did not start:\n{log.read_text()}")
        yield line.removeprefix("serving at "), time.monotonic() - start
    finally:
        process.terminate()
        process.wait(timeout=_STOP_TIMEOUT_S)

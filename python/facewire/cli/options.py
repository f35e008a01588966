"""Options that many verbs share, and how results are written."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import numpy as np
from rich.console import Console

from facewire import results
from facewire._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S
from facewire.client import Client
from facewire.errors import ImageError, InvalidArgumentError
from facewire.liveness import Liveness, LivenessCheck, LivenessDecision

F = TypeVar("F", bound=Callable[..., Any])

server_option = click.option(
    "--server",
    "-s",
    "target",
    default=DEFAULT_TARGET,
    envvar="FACEWIRE_SERVER",
    show_default=True,
    show_envvar=True,
    help="host:port of the server.",
)
timeout_option = click.option(
    "--timeout",
    "timeout_s",
    default=DEFAULT_TIMEOUT_S,
    show_default=True,
    type=click.FloatRange(min=0.001),
    help="Seconds to wait for each answer.",
)
_COLOURS = {
    results.Decision.MATCH: "green",
    results.Decision.UNKNOWN: "yellow",
    results.Decision.AMBIGUOUS: "magenta",
    results.Decision.NON_MATCH: "red",
}
_LIVING_COLOURS = {
    LivenessDecision.LIVE: "green",
    LivenessDecision.SPOOF: "red",
    LivenessDecision.UNSURE: "yellow",
}
liveness_option = click.option(
    "--liveness",
    type=click.Choice(get_args(LivenessCheck)),
    help="Report whether it is a living person, or require it. Needs a liveness model on the server.",
)
synthetic_option = click.option(
    "--allow-synthetic", is_flag=True, help="Also pictures that say of themselves that a model made them."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, one object a line.")


def talks_to_server(function: F) -> F:
    """Adds --server, --timeout and --json."""
    return server_option(timeout_option(json_option(function)))


def connect(target: str, timeout_s: float) -> Client:
    """A client for a verb; use it as a context manager."""
    return Client(target, timeout_s=timeout_s)


def console() -> Console:
    """Standard output: colours and the terminal's width on a terminal, plain and wide in a pipe."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=200)


def write_json(value: Any) -> None:
    """One object on one line."""
    click.echo(json.dumps(plain(value), ensure_ascii=False))


@contextmanager
def naming(file: str) -> Iterator[None]:
    """A picture or gallery file that cannot be read is told of with its name."""
    try:
        yield
    except InvalidArgumentError as error:
        if error.reason not in {"INVALID_IMAGE", "DAMAGED_FILE"}:
            raise
        raise ImageError(f"{file}: {error}") from error


def plain(value: Any) -> Any:
    """A result as JSON can hold it: fields by name, times in ISO 8601."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: plain(entry) for key, entry in value._asdict().items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if abs(value) > 1e-3 else float(f"{value:.3g}")
    return value


def decision_text(decision: results.Decision) -> str:
    """The decision in its colour, for rich."""
    return f"[{_COLOURS[decision]}]{decision.value}[/]"


def liveness_text(liveness: Liveness | None) -> str:
    """Liveness in its colour, for rich; empty where it was not checked."""
    if liveness is None:
        return ""
    return f"[{_LIVING_COLOURS[liveness.decision]}]{liveness.decision.value}[/] {liveness.score:.2f}"


def reference_of(text: str) -> str | results.SubjectReference:
    """A picture's path, or GALLERY/SUBJECT."""
    gallery_id, slash, subject_id = text.partition("/")
    if Path(text).is_file() or not slash or "/" in subject_id or Path(text).suffix:
        return text
    return results.SubjectReference(gallery_id, subject_id)

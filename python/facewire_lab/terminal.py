"""What people see while they wait, and when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from facewire.synthetic import says_synthetic
from facewire_lab.errors import LabError
from facewire_server.inference.conversion import ConversionError
from facewire_server.inference.manifest import ManifestError
from facewire_server.inference.model_cache import ModelMissing


@contextmanager
def telling() -> Iterator[None]:
    """What a person can mend is told in a line."""
    try:
        yield
    except (LabError, ManifestError, ModelMissing, ConversionError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        raise click.ClickException(f"{where}{error.strerror or error}") from error


def sheet_file(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A callback: the name of a new PNG file, or of one that a model made; no photograph is overwritten."""
    if value is not None and value.suffix.lower() != ".png":
        raise click.BadParameter(f"'{value}' is not named .png")
    if value is not None and value.is_file() and not says_synthetic(value.read_bytes()):
        raise click.BadParameter(f"'{value}' is there already, and no sheet")
    return value


def require_torch() -> None:
    """Raises LabError where PyTorch is missing."""
    if find_spec("torch") is None:
        raise LabError("this needs PyTorch: pip install 'facewire[lab]'")


@contextmanager
def progress(what: str, total: int) -> Iterator[tuple[Progress, TaskID]]:
    """A bar on standard error where a person looks."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as bar:
        yield bar, bar.add_task(what, total=total)

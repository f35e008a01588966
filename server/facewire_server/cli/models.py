"""``facewire models``: fetch, verify, list."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.config import Config
from facewire_server.inference.download import FetchError
from facewire_server.inference.download import Progress as OnBytes
from facewire_server.inference.fetching import fetch_model
from facewire_server.inference.manifest import Manifest, ManifestError, load_manifest
from facewire_server.inference.model_cache import ModelCache, ModelMissing
from facewire_server.inference.specs import ModelSpec
from facewire_server.loading import configured_models

_EXIT_NO = 1
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, one object a line.")
_names = click.argument("names", nargs=-1)


@click.group(
    epilog="""\b
Examples:
  facewire models fetch                  the models of the configuration
  facewire models fetch my-embedder --config facewire.toml
  facewire models verify && facewire serve"""
)
def models() -> None:
    """Fetch, verify and list models."""


@models.command()
@_names
@settings_options
@_json
def fetch(names: tuple[str, ...], config_file: Path | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Fetch and convert NAMES, or the configured models. What is here already is only checked."""
    try:
        ensure_models(effective_config(config_file, settings), names, as_json)
    except FetchError as error:
        raise click.ClickException(str(error)) from error


@models.command()
@_names
@settings_options
@_json
def verify(names: tuple[str, ...], config_file: Path | None, settings: tuple[str, ...], as_json: bool) -> int:
    """Compare files of NAMES, or of the configured models, with their SHA-256. Exit code 1 if one differs."""
    config = effective_config(config_file, settings)
    cache = _cache(config)
    bad = 0
    for spec in _chosen(config, names):
        problem = ""
        try:
            cache.verify(spec)
        except ModelMissing as error:
            problem, bad = str(error), bad + 1
        if as_json:
            click.echo(json.dumps({"name": spec.name, "ok": not problem, "problem": problem}))
        else:
            click.secho(problem or f"{spec.name}: ok", fg="red" if problem else "green")
    return _EXIT_NO if bad else 0


@models.command("list")
@settings_options
@_json
def list_models(config_file: Path | None, settings: tuple[str, ...], as_json: bool) -> None:
    """List the models that the manifest knows."""
    config = effective_config(config_file, settings)
    cache = _cache(config)
    in_use = {spec.name for spec in _chosen(config, ())}
    table = Table("model", "task", "kind", "licence", "fetched", "in use", "source")
    for spec in _manifest(config).models.values():
        row = {
            "name": spec.name,
            "task": spec.task,
            "kind": spec.kind,
            "licence": spec.licence,
            "fetched": cache.has(spec),
            "in_use": spec.name in in_use,
            "source": str(spec.source),
        }
        if as_json:
            click.echo(json.dumps(row))
        table.add_row(*("yes" if v is True else "no" if v is False else str(v) for v in row.values()))
    if not as_json:
        wide = None if sys.stdout.isatty() else 200
        Console(width=wide, highlight=False).print(table)


def ensure_models(config: Config, names: tuple[str, ...] = (), as_json: bool = False) -> None:
    """Fetches what is missing of the named or configured models and says what it did.

    Raises:
        FetchError: a model cannot be had.
    """
    cache = _cache(config)
    for spec in _chosen(config, names):
        had = cache.has(spec)
        with byte_progress(spec.name) as on_bytes:
            cached = fetch_model(cache, spec, config.index_url, on_bytes)
        if as_json:
            click.echo(json.dumps({"name": spec.name, "path": str(cached.xml), "fetched": not had}))
        else:
            click.echo(f"{spec.name}: {'here already' if had else 'fetched'}, {spec.licence}")


@contextmanager
def byte_progress(what: str) -> Iterator[OnBytes]:
    """A bar on standard error where a person looks."""
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _cache(config: Config) -> ModelCache:
    return ModelCache(config.models.cache_dir)


def _manifest(config: Config) -> Manifest:
    try:
        return load_manifest(config.models.manifest)
    except ManifestError as error:
        raise click.ClickException(str(error)) from error


def _chosen(config: Config, names: tuple[str, ...]) -> list[ModelSpec]:
    manifest = _manifest(config)
    try:
        if not names:
            return configured_models(config, manifest)
        return [manifest.get(name) for name in names]
    except ManifestError as error:
        raise click.ClickException(str(error)) from error

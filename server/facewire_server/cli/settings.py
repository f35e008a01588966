"""Options that set the configuration, for verbs of the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from facewire_server.config import Config, ConfigError, load_config, parse_text

F = TypeVar("F", bound=Callable[..., Any])


def settings_options(function: F) -> F:
    """Adds --config and --set."""
    config = click.option(
        "--config",
        "-c",
        "config_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="FACEWIRE_CONFIG",
        show_envvar=True,
        help="TOML file; see docs/configuration.md.",
    )
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Any setting, for instance pipeline.workers=2; may be repeated.",
    )
    return config(setting(function))


def effective_config(
    config_file: Path | None, settings: tuple[str, ...], named: dict[str, Any] | None = None
) -> Config:
    """Defaults, file, environment, then --set and the verb's own options ("section.key": value or None).

    Raises:
        ClickException: the configuration is wrong.
    """
    overrides: dict[str, dict[str, Any]] = {}
    for text in settings:
        path, equals, value = text.partition("=")
        section, dot, key = path.partition(".")
        if not equals or not dot:
            raise click.UsageError(f"--set takes SECTION.KEY=VALUE, not '{text}'")
        overrides.setdefault(section, {})[key] = parse_text(section, key, value)
    for path, given in (named or {}).items():
        if given is not None:
            section, _, key = path.partition(".")
            overrides.setdefault(section, {})[key] = given
    try:
        return load_config(config_file, overrides)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error

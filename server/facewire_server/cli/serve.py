"""``facewire serve``."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import click

from facewire_server.app import Server, serve_until_signal
from facewire_server.cli.settings import effective_config, settings_options
from facewire_server.domain.errors import StorageFailure
from facewire_server.inference.manifest import ManifestError
from facewire_server.inference.model_cache import ModelMissing
from facewire_server.inference.precision import PrecisionUnknown
from facewire_server.inference.runtime import RuntimeProblem
from facewire_server.rpc.server import PortTaken
from facewire_server.telemetry.logs import configure_logs

log = logging.getLogger("facewire_server")
_LOOPBACK = ("127.", "localhost", "::1")


@click.command(
    epilog="""\b
Examples:
  facewire models fetch && facewire serve
  facewire serve --port 50070 --gallery-db ./people.db
  facewire serve --set models.embedder_device=GPU --set pipeline.workers=2
  FACEWIRE_SERVER__PORT=50070 facewire serve"""
)
@settings_options
@click.option("--host", help="Address to listen on; default 127.0.0.1: this machine only.")
@click.option("--port", type=int, help="Port; default 50061, 0 takes a free one.")
@click.option("--gallery-db", type=click.Path(path_type=Path), help="SQLite file of the galleries.")
@click.option("--device", help="OpenVINO device for all models: CPU, GPU, NPU or AUTO.")
def serve(
    config_file: Path | None,
    settings: tuple[str, ...],
    host: str | None,
    port: int | None,
    gallery_db: Path | None,
    device: str | None,
) -> None:
    """Run a server until SIGTERM or Ctrl-C.

    Prints 'serving at HOST:PORT' on standard output once it answers; logs go to standard error.
    """
    config = effective_config(
        config_file,
        settings,
        {
            "server.host": host,
            "server.port": port,
            "gallery.path": gallery_db,
            "models.detector_device": device,
            "models.embedder_device": device,
        },
    )
    configure_logs(config.logging.level, config.logging.format)
    log.info("configuration: %s", config.model_dump_json())
    if not config.server.host.startswith(_LOOPBACK):
        log.warning(
            "listening on %s WITHOUT ENCRYPTION OR AUTHENTICATION: anyone who reaches this address can read and "
            "change the galleries; put it behind a proxy that checks who calls",
            config.server.host,
        )

    def on_stage(what: str, seconds: float) -> None:
        log.info("%s: %.2f s", what, seconds)

    def on_ready(server: Server) -> None:
        click.echo(f"serving at {config.server.host}:{server.port}")

    try:
        asyncio.run(serve_until_signal(config, on_stage, on_ready))
    except (PortTaken, StorageFailure, ManifestError, ModelMissing, PrecisionUnknown, RuntimeProblem) as error:
        raise click.ClickException(str(error)) from error

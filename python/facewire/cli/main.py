"""The ``facewire`` command and how its verbs are found.

Exit codes: 0 done, or yes; 1 no (no face, no match, not serving); 2 wrong usage; 3 no server, or no answer in time;
4 the server refused; 5 a local file cannot be used.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import entry_points, version
from typing import Any, Final

import click

from facewire.errors import DeadlineError, ImageError, ServerError, UnavailableError

EXIT_NO: Final = 1
EXIT_UNREACHABLE: Final = 3
EXIT_REFUSED: Final = 4
EXIT_LOCAL: Final = 5

# Loaded when called: ``facewire --help`` must not wait for numpy.
_VERBS: Final = {
    "detect": "facewire.cli.pictures:detect",
    "embed": "facewire.cli.pictures:embed",
    "verify": "facewire.cli.pictures:verify",
    "identify": "facewire.cli.pictures:identify",
    "verify-live": "facewire.cli.verify_live:verify_live",
    "analyze": "facewire.cli.analyze:analyze",
    "generate": "facewire.cli.generate:generate",
    "restore": "facewire.cli.restore:restore",
    "anonymise": "facewire.cli.anonymise:anonymise",
    "reconstruct": "facewire.cli.latents:reconstruct",
    "encode": "facewire.cli.latents:encode",
    "interpolate": "facewire.cli.latents:interpolate",
    "watch": "facewire.cli.watch:watch",
    "events": "facewire.cli.streams:events",
    "streams": "facewire.cli.streams:streams",
    "enrol": "facewire.cli.enrol:enrol",
    "gallery": "facewire.cli.gallery:gallery",
    "calibrate": "facewire.cli.calibrate:calibrate",
    "bench": "facewire.cli.bench:bench",
    "info": "facewire.cli.status:info",
    "health": "facewire.cli.status:health",
}
_SUMMARIES: Final = {
    "serve": "Run a server.",
    "models": "Fetch, verify and list models.",
    "demo": "Enrol and identify sample photographs on a server of its own.",
    "lab": "Train models on your own pictures.",
    "eval": "Measure recognition on your own data.",
    "detect": "Find faces in pictures.",
    "embed": "Write the embeddings of faces.",
    "verify": "Compare two people (1:1).",
    "identify": "Say who is in a picture (1:N).",
    "verify-live": "Ask for head turns: is a living person there, and who (log-in).",
    "analyze": "Tell what faces look like: age, gender, pose, liveness.",
    "generate": "Make faces of nobody.",
    "restore": "Make small, noisy, dark faces readable.",
    "anonymise": "Replace faces in pictures by nobody's.",
    "reconstruct": "Reconstruct faces from their latents; how face-like are they?",
    "encode": "Encode faces as latent vectors.",
    "interpolate": "Make faces on the way from one to another.",
    "watch": "Stream a camera or a video: who is there, live.",
    "events": "Show what happens on all streams.",
    "streams": "List the streams that run.",
    "enrol": "Enrol a folder of people.",
    "gallery": "Manage galleries, subjects and faces.",
    "calibrate": "Choose a gallery's error rate; measure what it costs.",
    "bench": "Measure how fast a server answers.",
    "info": "Show what a server runs.",
    "health": "Ask whether a server is serving.",
}


class _LazyGroup(click.Group):
    """Imports a verb's module when the verb is called; summaries are kept here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _VERBS:
            module, _, name = _VERBS[cmd_name].partition(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        for point in entry_points(group="facewire.commands", name=cmd_name):
            try:
                loaded: click.Command = point.load()
            except ModuleNotFoundError as error:
                if error.name == "av":
                    raise click.ClickException(str(error)) from error
                raise click.ClickException(
                    f"'facewire {cmd_name}' needs the server's parts ({error.name} is missing): "
                    "pip install 'facewire[server]', or in a checkout pip install '.[server]'"
                ) from error
            return loaded
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  facewire serve                                    run a server on 127.0.0.1:50061
  facewire enrol people/ --gallery door             one folder per person
  facewire identify visitor.jpg --gallery door
  facewire verify id-card.jpg selfie.jpg
  facewire watch 0 --gallery door                   a webcam, live
\b
Exit codes: 0 done or yes, 1 no, 2 usage, 3 no server, 4 refused, 5 local file.
'facewire VERB --help' has more examples.""",
)
@click.version_option(version("facewire"), prog_name="facewire")
def cli() -> None:
    """Face recognition for the edge: who is there, answered by one small box."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point: runs a verb and turns errors into a message and an exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs a verb; returns the exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="facewire", standalone_mode=False)
    except click.exceptions.Abort as error:
        interrupted = isinstance(error.__cause__, KeyboardInterrupt)
        return _fail("stopped" if interrupted else "stopped: a question cannot be answered here, --yes skips it", 130)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (UnavailableError, DeadlineError) as error:
        return _fail(str(error), EXIT_UNREACHABLE)
    except ServerError as error:
        return _fail(f"{error} [{error.reason or error.code}]", EXIT_REFUSED)
    except BrokenPipeError:
        return _quietly_closed()
    except (ImageError, ImportError, OSError) as error:
        return _fail(str(error), EXIT_LOCAL)
    return result if isinstance(result, int) else 0


def _quietly_closed() -> int:
    """The reader of a pipe left, as ``head`` does; Python must not complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _fail(message: str, code: int) -> int:
    click.secho(f"facewire: {message}", fg="red", err=True)
    return code

"""The command line: ``facewire``. Verbs of the client are here; ``serve``, ``models`` and ``demo`` come with the server."""

from facewire.cli.main import main

__all__ = ["main"]

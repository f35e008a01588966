"""The command line, ``facewire``; ``serve``, ``models`` and ``demo`` come with the server's parts."""

from facewire.cli.main import main

__all__ = ["main"]

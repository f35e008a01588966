"""``python -m facewire_server`` is ``facewire serve``."""

from facewire_server.cli.serve import serve

serve()

"""What a stream tells of itself, to threads and to asyncio alike."""

from __future__ import annotations

from collections.abc import Callable

from facewire._outbox import Outbox
from facewire.errors import ServerError
from facewire.stream_options import StreamOptions


class StreamFacts:
    """Facts of a stream, and telling of a server that is lost and comes back."""

    def __init__(self, outbox: Outbox, target: str, on_trouble: Callable[[str], None] | None) -> None:
        self._outbox = outbox
        self._target = target
        self._on_trouble = on_trouble or (lambda text: None)
        self._lost = False

    def _say_lost(self, error: ServerError) -> None:
        """Once an outage; a server that never answered is not lost."""
        if not self._lost and self._outbox.session_id:
            self._lost = True
            self._on_trouble(f"the server at {self._target} is lost ({error}); trying again")

    def _say_back(self) -> None:
        if self._lost:
            self._lost = False
            self._on_trouble(f"the server at {self._target} is back")

    @property
    def stream_id(self) -> str:
        """The stream's name: as given, or what the server chose when it opened the stream."""
        return self._outbox.options.stream_id

    @property
    def session_id(self) -> str:
        """Names this run of the stream; track ids mean something within it."""
        return self._outbox.session_id

    @property
    def dropped(self) -> int:
        """Frames that were replaced on this side, because the connection was slower than the camera."""
        return self._outbox.dropped

    @property
    def reconnects(self) -> int:
        """How often the connection was made anew."""
        return self._outbox.reconnects

    @property
    def lost_answers(self) -> int:
        """Answers of a lossless stream that were lost with a connection; their frames were not."""
        return self._outbox.lost_answers

    @property
    def options(self) -> StreamOptions:
        """The options in force."""
        return self._outbox.options

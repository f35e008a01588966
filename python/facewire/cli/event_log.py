"""Events of one stream into a file, one JSON object a line, from a thread of its own."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from typing_extensions import Self

from facewire.cli.options import plain
from facewire.client import Client
from facewire.errors import FacewireError, ImageError
from facewire.stream_results import EventsLost

# The server writes events in groups, and the last ones when the stream has ended.
_SETTLE_S: Final = 0.5
_PATIENCE_S: Final = 5.0


class EventLog:
    """Appends while the stream runs. A context manager; leaving it waits for the last events."""

    def __init__(self, client: Client, stream_id: str, path: Path) -> None:
        self._client = client
        self._stream_id = stream_id
        self._seen = client.last_event_id()
        self._path = path
        self._problem: OSError | None = None
        try:
            self._file = sys.stdout if str(path) == "-" else path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._cannot_write(error) from error
        self._thread = threading.Thread(target=self._write, name="facewire-events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait_for_the_last()
        if self._problem is not None and kind is None:
            raise self._cannot_write(self._problem)

    def _cannot_write(self, error: OSError) -> ImageError:
        return ImageError(f"events cannot be written to {self._path}: {error.strerror or error}")

    def _write(self) -> None:
        try:
            for event in self._client.watch_events(after_event_id=self._seen):
                if isinstance(event, EventsLost):
                    line = {"lost": [event.first_event_id, event.last_event_id]}
                    self._seen = event.last_event_id
                else:
                    line = plain(event)
                    self._seen = event.event_id
                if isinstance(event, EventsLost) or event.stream_id == self._stream_id:
                    self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
                    self._file.flush()
        except OSError as error:
            self._problem = error
        except FacewireError:
            return  # the server is gone: the stream says so itself

    def _wait_for_the_last(self) -> None:
        time.sleep(_SETTLE_S)
        deadline = time.monotonic() + _PATIENCE_S
        try:
            newest = self._client.last_event_id()
        except FacewireError:
            return
        while self._seen < newest and time.monotonic() < deadline and self._thread.is_alive():
            time.sleep(0.05)

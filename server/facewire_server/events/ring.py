"""The latest events in a SQLite file of their own: bounded, numbered for good, written in groups.

Streams leave events in memory and never wait; one thread writes what came since the last time in one transaction. Only
what is on disk is shown to watchers, so that a number once seen is never given again.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from facewire_server.domain.attributes import AttributeFigures
from facewire_server.domain.crowd import CrowdFigures
from facewire_server.domain.errors import StorageFailure
from facewire_server.domain.event import Event, EventKind, KeptEvents
from facewire_server.domain.revision import next_revision

log = logging.getLogger(__name__)

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    stream_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    gallery_id TEXT NOT NULL,
    track_id INTEGER NOT NULL,
    subject_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    similarity REAL,
    boundary TEXT NOT NULL,
    dwell_s REAL,
    crowd TEXT
);
CREATE INDEX event_by_subject ON event (gallery_id, subject_id);
"""
_COLUMNS: Final = (
    "kind, at_ms, stream_id, session_id, gallery_id, track_id, subject_id, display_name, labels, similarity, "
    "boundary, dwell_s, crowd"
)
_INSERT: Final = f"INSERT INTO event ({_COLUMNS}) VALUES ({', '.join('?' * (_COLUMNS.count(',') + 1))})"
_MOST_WAITING: Final = 20_000
# A stream's turn that was under way while somebody was erased may still name them.
_JUST_FORGOTTEN_S: Final = 60.0


class SqliteEventRing:
    """The ring. Thread-safe.

    Args:
        path: of the file; its folder is made where missing.
        max_events: the oldest beyond this are deleted.
        flush_s: how long events may wait to be written together.

    Raises:
        StorageFailure: the file cannot be opened, is no database, or was written by a newer version.
    """

    def __init__(self, path: Path, max_events: int, flush_s: float) -> None:
        self._path = path
        self._max_events = max_events
        self._flush_s = flush_s
        self._waiting: deque[Event] = deque()
        self._something = threading.Condition()
        self._skipped = 0
        self._closed = False
        self._watchers: list[Callable[[], object]] = []
        self._forgotten: deque[tuple[float, int, str, str]] = deque()
        self._disk = threading.Lock()
        self._connection = _open(path)
        self._end_interrupted()
        self._thread = threading.Thread(target=self._write_groups, name="events", daemon=True)
        self._thread.start()

    # --- EventSink ------------------------------------------------------------------------------------------

    def report(self, events: Sequence[Event]) -> None:
        """Keeps them soon. Where the disk is too slow for so many, they are lost, and watchers will be told."""
        if not events:
            return
        with self._something:
            for event in events:
                if len(self._waiting) < _MOST_WAITING:
                    self._waiting.append(event)
                else:
                    self._skipped += 1
            self._something.notify()

    # --- EventRing ------------------------------------------------------------------------------------------

    def read(self, after_id: int, limit: int) -> KeptEvents:
        """The first ``limit`` events after this number."""
        with self._disk:
            rows = self._query(f"SELECT id, {_COLUMNS} FROM event WHERE id > ? ORDER BY id LIMIT ?", after_id, limit)
            events = [(int(row[0]), _event_of(row[1:])) for row in rows.fetchall()]
            oldest, newest = self._query(
                "SELECT ifnull(min(id), 0), "
                "ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) FROM event"
            ).fetchone()
            return KeptEvents(events, int(oldest), int(newest))

    def forget(self, gallery_id: str, subject_id: str) -> None:
        """Erases a subject (or with an empty subject_id all of the gallery's) from the events; then it is on disk."""
        with self._something:
            self._forgotten.append((time.monotonic(), next_revision(), gallery_id, subject_id))
        self._flush()
        with self._disk:
            which, parameters = "gallery_id = ? AND subject_id <> ''", [gallery_id]
            if subject_id:
                which, parameters = "gallery_id = ? AND subject_id = ?", [gallery_id, subject_id]
            self._query(
                f"UPDATE event SET subject_id = '', display_name = '', labels = '[]', similarity = NULL WHERE {which}",
                *parameters,
            )
            # No older page with the name may remain in the log.
            busy, _, _ = self._query("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise StorageFailure("the event file's log could not be emptied of the erased names; delete again")

    def forget_missing(self, knows: Callable[[str, str], bool]) -> None:
        """Erases whoever is no longer enrolled: a crash may have come between an erasure there and here.

        Args:
            knows: whether a gallery has a subject.
        """
        with self._disk:
            rows = self._query("SELECT DISTINCT gallery_id, subject_id FROM event WHERE subject_id <> ''").fetchall()
        for gallery_id, subject_id in rows:
            if not knows(gallery_id, subject_id):
                self.forget(gallery_id, subject_id)

    def watch(self, notify: Callable[[], object]) -> Callable[[], None]:
        """Calls ``notify`` on the ring's thread whenever events were kept; returns what ends that."""
        with self._something:
            self._watchers.append(notify)

        def end() -> None:
            with self._something:
                self._watchers.remove(notify)

        return end

    def close(self) -> None:
        """Writes what waits and closes the file."""
        with self._something:
            self._closed = True
            self._something.notify()
        self._thread.join()
        with self._disk:
            self._connection.close()

    def _end_interrupted(self) -> None:
        """Tracks that a crash ended without a word have left too."""
        self._query(
            f"INSERT INTO event ({_COLUMNS}) SELECT 'left', max(at_ms), stream_id, session_id, gallery_id, track_id, "
            "subject_id, display_name, labels, similarity, '', NULL, NULL FROM event WHERE track_id > 0 "
            "GROUP BY session_id, track_id HAVING sum(kind = 'appeared') > 0 AND sum(kind = 'left') = 0"
        )

    # --- writing --------------------------------------------------------------------------------------------

    def _write_groups(self) -> None:
        while True:
            with self._something:
                while not self._waiting and not self._skipped and not self._closed:
                    self._something.wait()
                if self._closed and not self._waiting:
                    return
                # More may come: each commit waits for the disk, whatever it holds.
                self._something.wait_for(lambda: self._closed, timeout=self._flush_s)
            try:
                self._flush()
            except StorageFailure as error:
                log.error("events are not kept: %s", error)
                with self._something:
                    if self._closed:
                        return
                time.sleep(1.0)

    def _flush(self) -> None:
        """Writes what waits; what cannot be written is lost, and will be missing in the numbers."""
        with self._disk:
            with self._something:
                events, skipped = list(self._waiting), self._skipped
                self._waiting.clear()
                self._skipped = 0
                forgotten = self._just_forgotten()
            if not events and not skipped:
                return
            try:
                self._write([_without(event, forgotten) for event in events], skipped)
            except BaseException:
                with self._something:
                    self._skipped += skipped + len(events)
                raise
            with self._something:
                watchers = list(self._watchers)
        for notify in watchers:
            notify()

    def _just_forgotten(self) -> dict[tuple[str, str], int]:
        """By gallery and subject the revision up to which names are stripped: frames were under way."""
        while self._forgotten and time.monotonic() - self._forgotten[0][0] > _JUST_FORGOTTEN_S:
            self._forgotten.popleft()
        return {(gallery_id, subject_id): revision for _, revision, gallery_id, subject_id in self._forgotten}

    def _write(self, events: Sequence[Event], skipped: int) -> None:
        self._query("BEGIN IMMEDIATE")
        try:
            if skipped:
                self._leave_out(skipped)
            for event in events:
                self._query(_INSERT, *_row_of(event))
            self._query("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", self._max_events)
            self._query("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _leave_out(self, numbers: int) -> None:
        """Numbers without events: watchers see the gap and know that something is missing."""
        log.error("%d events were lost: the disk is too slow or failed", numbers)
        changed = self._query("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'event'", numbers)
        if not changed.rowcount:
            self._query("INSERT INTO sqlite_sequence (name, seq) VALUES ('event', ?)", numbers)

    def _query(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, parameters)
        except (sqlite3.Error, OverflowError) as error:
            raise StorageFailure(f"event file {self._path}: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)  # names of people: the owner's alone
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "busy_timeout = 5000"):
            connection.execute(f"PRAGMA {setting}")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > _SCHEMA_VERSION:
            raise StorageFailure(f"event file {path} has schema {version}; this version knows {_SCHEMA_VERSION}")
        if version == 0:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
    except (OSError, sqlite3.Error) as error:
        raise StorageFailure(
            f"event file {path} cannot be opened: {error}; it holds only past events: move it away to start anew"
        ) from error
    return connection


def _without(event: Event, forgotten: dict[tuple[str, str], int]) -> Event:
    erased_at = max(forgotten.get((event.gallery_id, subject_id), 0) for subject_id in (event.subject_id, ""))
    if event.subject_id and event.judged_at < erased_at:
        return replace(event, subject_id="", display_name="", labels=(), similarity=None)
    return event


def _row_of(event: Event) -> tuple[Any, ...]:
    return (
        event.kind.value, event.at_ms, event.stream_id, event.session_id, event.gallery_id, event.track_id,
        event.subject_id, event.display_name, json.dumps(event.labels), event.similarity, event.boundary,
        event.dwell_s, None if event.crowd is None else json.dumps(asdict(event.crowd)),
    )  # fmt: skip


def _event_of(row: tuple[Any, ...]) -> Event:
    kind, at_ms, stream, session, gallery, track, subject, name, labels, similarity, boundary, dwell_s, crowd = row
    return Event(
        EventKind(kind), at_ms, stream, session, gallery, track, subject, name, tuple(json.loads(labels)),
        similarity, boundary, dwell_s, None if crowd is None else _crowd_of(json.loads(crowd)),
    )  # fmt: skip


def _crowd_of(kept: dict[str, Any]) -> CrowdFigures:
    attributes = kept.pop("attributes", None)
    if attributes is None:
        return CrowdFigures(**kept)
    groups = tuple(attributes.pop("age_groups"))
    return CrowdFigures(**kept, attributes=AttributeFigures(**attributes, age_groups=groups))

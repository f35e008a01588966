"""The SQLite file: schema, durability, erasure.

One thread uses one connection. Writes are transactions in WAL mode with synchronous=FULL: what was acknowledged
survives a crash and power loss. Erasure must leave no template bytes behind, hence secure_delete (deleted content
is overwritten with zeros) and a truncated WAL before an erasure is acknowledged.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facewire_server.domain.errors import IdempotencyConflict, StorageFailure
from facewire_server.domain.gallery import WriteIntent

_SCHEMA_VERSION = 3
_REMEMBERED_MS = 24 * 3600 * 1000
_CALIBRATION = """
-- A gallery's own error rates, as JSON.
CREATE TABLE calibration (
    gallery_key INTEGER PRIMARY KEY REFERENCES gallery (key),
    data TEXT NOT NULL
);
"""
# Templates that say who somebody is not.
_NEGATIVES = "ALTER TABLE face ADD COLUMN negative INTEGER NOT NULL DEFAULT 0;"
_SCHEMA = """
CREATE TABLE gallery (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    gallery_id TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    contract_id TEXT NOT NULL,
    dim INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
);
CREATE TABLE subject (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    gallery_key INTEGER NOT NULL REFERENCES gallery (key),
    subject_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    labels TEXT NOT NULL,
    attributes TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (gallery_key, subject_id)
);
CREATE TABLE face (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    gallery_key INTEGER NOT NULL REFERENCES gallery (key),
    subject_key INTEGER NOT NULL REFERENCES subject (key),
    face_id TEXT NOT NULL UNIQUE,
    contract_id TEXT NOT NULL,
    quality TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    source_name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (gallery_key, source_digest)
);
CREATE INDEX face_by_subject ON face (subject_key, key);
-- Vectors stand alone: rows only ever join at the end, so SQLite never copies one to another page on insertion.
CREATE TABLE template (
    face_key INTEGER PRIMARY KEY REFERENCES face (key),
    vector BLOB NOT NULL
);
-- Every change in order, for replicas; a deletion's entry is its tombstone.
CREATE TABLE change_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    gallery_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    face_id TEXT NOT NULL
);
CREATE INDEX change_log_by_gallery ON change_log (gallery_id, seq);
-- Who did what.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    gallery_id TEXT NOT NULL,
    subject_id TEXT NOT NULL
);
CREATE TABLE remembered (
    idempotency_key TEXT PRIMARY KEY,
    request_digest TEXT NOT NULL,
    gallery_id TEXT NOT NULL,
    response BLOB NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX remembered_by_time ON remembered (at_ms);
CREATE INDEX remembered_by_gallery ON remembered (gallery_id);
CREATE TRIGGER change_log_is_append_only BEFORE DELETE ON change_log
    BEGIN SELECT RAISE (ABORT, 'change_log is append-only'); END;
CREATE TRIGGER change_log_is_final BEFORE UPDATE ON change_log
    BEGIN SELECT RAISE (ABORT, 'change_log is append-only'); END;
CREATE TRIGGER audit_is_append_only BEFORE DELETE ON audit
    BEGIN SELECT RAISE (ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit
    BEGIN SELECT RAISE (ABORT, 'audit is append-only'); END;
"""


class Database:
    """The connection. For one thread.

    Args:
        path: of the file; its folder is made where missing.

    Raises:
        StorageFailure: the file cannot be opened, is no database, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._erasure_in_log = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Owner only: templates are personal data. Set before SQLite makes the file.
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._configure()
            self._migrate()
            self._forget_old()
            # A crash may have come between an erasure's commit and its flush.
            self.flush_erasure()
        except (OSError, sqlite3.Error) as error:
            problem = "another facewire server uses it" if "locked" in str(error) else error
            raise StorageFailure(f"gallery database {path} cannot be opened: {problem}") from error

    def _configure(self) -> None:
        for setting in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
            "busy_timeout = 5000",
            "temp_store = MEMORY",
        ):
            self._connection.execute(f"PRAGMA {setting}")
        # A second server on the same file would answer from a stale index.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("BEGIN EXCLUSIVE")
        self._connection.execute("COMMIT")

    def _migrate(self) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > _SCHEMA_VERSION:
            raise StorageFailure(
                f"gallery database {self.path} has schema {version}; this version knows {_SCHEMA_VERSION}"
            )
        missing = "".join((_SCHEMA, _CALIBRATION, _NEGATIVES)[version:])
        if missing:
            self._connection.executescript(f"BEGIN; {missing} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")

    def query(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        """Runs a statement.

        Raises:
            StorageFailure: the disk refused.
        """
        try:
            return self._connection.execute(sql, parameters)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StorageFailure(f"gallery database: {error}") from error

    @contextmanager
    def write(self) -> Iterator[None]:
        """A transaction: all of the block, on disk, or nothing of it."""
        self.query("BEGIN IMMEDIATE")
        try:
            yield
            self.query("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def erase(self, gallery_id: str) -> Iterator[None]:
        """A transaction that deletes people. To be followed by :meth:`flush_erasure`, whatever else fails.

        Answers remembered for the gallery go too: they may hold names of those who are erased.
        """
        self._erasure_in_log = True
        with self.write():
            self.query("DELETE FROM remembered WHERE gallery_id = ?", gallery_id)
            yield

    def flush_erasure(self) -> None:
        """Empties the WAL into the database file, so that no older page with erased bytes remains.

        Raises:
            StorageFailure: it could not be emptied; the erasure must not be acknowledged.
        """
        busy, _, _ = self.query("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageFailure("the erased data could not be flushed out of the database's log; delete again")

    def log_change(self, kind: str, gallery_id: str, subject_id: str = "", face_id: str = "") -> None:
        """Appends to the change log; within a write."""
        self.query(
            "INSERT INTO change_log (at_ms, kind, gallery_id, subject_id, face_id) VALUES (?, ?, ?, ?, ?)",
            now_ms(), kind, gallery_id, subject_id, face_id,
        )  # fmt: skip

    def log_audit(self, intent: WriteIntent, action: str, gallery_id: str, subject_id: str = "") -> None:
        """Appends to the audit trail; within a write."""
        self.query(
            "INSERT INTO audit (at_ms, actor, action, gallery_id, subject_id) VALUES (?, ?, ?, ?, ?)",
            now_ms(), intent.actor, action, gallery_id, subject_id,
        )  # fmt: skip

    def remember(self, intent: WriteIntent, gallery_id: str, response: bytes) -> None:
        """Keeps a write's answer under its idempotency key for a day; within the same write."""
        if not intent.key:
            return
        self._forget_old()
        self.query(
            "INSERT INTO remembered (idempotency_key, request_digest, gallery_id, response, at_ms) "
            "VALUES (?, ?, ?, ?, ?)",
            intent.key, intent.request_digest, gallery_id, response, now_ms(),
        )  # fmt: skip

    def _forget_old(self) -> None:
        self.query("DELETE FROM remembered WHERE at_ms < ?", now_ms() - _REMEMBERED_MS)

    def recall(self, intent: WriteIntent) -> bytes | None:
        """The answer kept under the intent's key, if any.

        Raises:
            IdempotencyConflict: the key belongs to another request.
        """
        if self._erasure_in_log:
            self.flush_erasure()  # failed before: the erasure to be repeated here must not be answered without it
        if not intent.key:
            return None
        row = self.query(
            "SELECT request_digest, response FROM remembered WHERE idempotency_key = ? AND at_ms >= ?",
            intent.key, now_ms() - _REMEMBERED_MS,
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        if row[0] != intent.request_digest:
            raise IdempotencyConflict(intent.key)
        return bytes(row[1])

    def last_change(self, gallery_id: str) -> int:
        """Sequence number of the gallery's latest change."""
        row = self.query("SELECT max(seq) FROM change_log WHERE gallery_id = ?", gallery_id)
        return int(row.fetchone()[0] or 0)

    def close(self) -> None:
        """Closes the file; the WAL is emptied first."""
        self._connection.close()


def now_ms() -> int:
    """Unix time, milliseconds."""
    return time.time_ns() // 1_000_000

"""Subjects, in the database and the live index."""

from __future__ import annotations

import builtins
import json

from facewire_server.domain.errors import AlreadyExists, NotFound
from facewire_server.domain.gallery import Page, Subject, SubjectChange, WriteIntent
from facewire_server.domain.ports import Remember
from facewire_server.gallery.database import Database, now_ms
from facewire_server.gallery.galleries import key_of_gallery
from facewire_server.gallery.live_index import LiveIndex
from facewire_server.gallery.rows import SUBJECT_COLUMNS, position_of, subject_of, token_after


class Subjects:
    """The domain's SubjectBook. For the store's thread."""

    def __init__(self, database: Database, live: LiveIndex) -> None:
        self._db = database
        self._live = live

    def create(self, gallery_id: str, subject: Subject, intent: WriteIntent, remember: Remember[Subject]) -> Subject:
        """Makes a subject without templates."""
        with self._db.write():
            gallery_key = key_of_gallery(self._db, gallery_id)
            if find_subject(self._db, gallery_id, subject.subject_id) is not None:
                raise AlreadyExists("subject", subject.subject_id)
            key = insert_subject(self._db, gallery_id, gallery_key, subject)
            self._db.log_audit(intent, "create subject", gallery_id, subject.subject_id)
            self._db.remember(intent, gallery_id, remember(subject))
        self._live.gallery(gallery_id).put_subject(key, subject.subject_id, subject.display_name, subject.labels)
        return subject

    def get(self, gallery_id: str, subject_id: str) -> Subject:
        """One subject."""
        key = key_of_subject(self._db, gallery_id, subject_id)
        return read_subject(self._db, key)

    def list(self, gallery_id: str, label: str, page: Page) -> tuple[builtins.list[Subject], str]:
        """A page of subjects by id, all or those with the label."""
        gallery_key = key_of_gallery(self._db, gallery_id)
        after = position_of(page.token, str) if page.token else ""
        rows = self._db.query(
            f"""SELECT {SUBJECT_COLUMNS} FROM subject WHERE gallery_key = ? AND subject_id > ?
                AND (? = '' OR EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?))
                ORDER BY subject_id LIMIT ?""",
            gallery_key, after, label, label, page.size + 1,
        ).fetchall()  # fmt: skip
        subjects = [subject_of(row) for row in rows[: page.size]]
        more = len(rows) > page.size
        return subjects, token_after(subjects[-1].subject_id) if more else ""

    def update(
        self,
        gallery_id: str,
        subject_id: str,
        change: SubjectChange,
        intent: WriteIntent,
        remember: Remember[Subject],
    ) -> Subject:
        """Changes a subject's own fields."""
        with self._db.write():
            key = key_of_subject(self._db, gallery_id, subject_id)
            old = read_subject(self._db, key)
            name = old.display_name if change.display_name is None else change.display_name
            labels = old.labels if change.labels is None else change.labels
            attributes = old.attributes if change.attributes is None else change.attributes
            self._db.query(
                "UPDATE subject SET display_name = ?, labels = ?, attributes = ?, updated_ms = ? WHERE key = ?",
                name, json.dumps(labels), json.dumps(dict(attributes)), now_ms(), key,
            )  # fmt: skip
            new = read_subject(self._db, key)
            self._db.log_change("subject updated", gallery_id, subject_id)
            self._db.log_audit(intent, "update subject", gallery_id, subject_id)
            self._db.remember(intent, gallery_id, remember(new))
        self._live.gallery(gallery_id).put_subject(key, subject_id, new.display_name, new.labels)
        return new

    def delete(self, gallery_id: str, subject_id: str, intent: WriteIntent, remember: Remember[int]) -> int:
        """Erases a subject with its templates."""
        with self._db.erase(gallery_id):
            key = key_of_subject(self._db, gallery_id, subject_id)
            faces = read_subject(self._db, key).face_count
            self._db.query("DELETE FROM template WHERE face_key IN (SELECT key FROM face WHERE subject_key = ?)", key)
            self._db.query("DELETE FROM face WHERE subject_key = ?", key)
            self._db.query("DELETE FROM subject WHERE key = ?", key)
            self._db.log_change("subject deleted", gallery_id, subject_id)
            self._db.log_audit(intent, "delete subject", gallery_id, subject_id)
            self._db.remember(intent, gallery_id, remember(faces))
        try:
            self._live.gallery(gallery_id).remove_subject(key)
        finally:
            self._db.flush_erasure()
        return faces


def insert_subject(database: Database, gallery_id: str, gallery_key: int, subject: Subject) -> int:
    """Writes the subject's row and change; returns its key. Within a write."""
    cursor = database.query(
        """INSERT INTO subject
           (gallery_key, subject_id, display_name, labels, attributes, created_ms, updated_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        gallery_key, subject.subject_id, subject.display_name, json.dumps(subject.labels),
        json.dumps(dict(subject.attributes)), subject.created_ms, subject.updated_ms,
    )  # fmt: skip
    database.log_change("subject created", gallery_id, subject.subject_id)
    return int(cursor.lastrowid or 0)


def find_subject(database: Database, gallery_id: str, subject_id: str) -> int | None:
    """The subject's key, if there is one.

    Raises:
        NotFound: no such gallery.
    """
    row = database.query(
        "SELECT key FROM subject WHERE gallery_key = ? AND subject_id = ?",
        key_of_gallery(database, gallery_id), subject_id,
    ).fetchone()  # fmt: skip
    return None if row is None else int(row[0])


def key_of_subject(database: Database, gallery_id: str, subject_id: str) -> int:
    """The subject's key.

    Raises:
        NotFound: no such gallery, or no such subject in it.
    """
    key = find_subject(database, gallery_id, subject_id)
    if key is None:
        raise NotFound("subject", subject_id)
    return key


def read_subject(database: Database, key: int) -> Subject:
    """The subject of a key that exists."""
    return subject_of(database.query(f"SELECT {SUBJECT_COLUMNS} FROM subject WHERE key = ?", key).fetchone())

"""Galleries as a whole, in the database and the live index."""

from __future__ import annotations

import builtins

from facewire_server.domain.errors import AlreadyExists, NotFound
from facewire_server.domain.gallery import Gallery, Page, WriteIntent
from facewire_server.domain.ports import Remember
from facewire_server.gallery.database import Database
from facewire_server.gallery.live_index import LiveGallery, LiveIndex
from facewire_server.gallery.rows import GALLERY_COLUMNS, gallery_of, position_of, token_after


class Galleries:
    """The domain's GalleryBook. For the store's thread."""

    def __init__(self, database: Database, live: LiveIndex) -> None:
        self._db = database
        self._live = live

    def create(self, gallery: Gallery, dim: int, intent: WriteIntent, remember: Remember[Gallery]) -> Gallery:
        """Makes an empty gallery."""
        with self._db.write():
            if find_gallery(self._db, gallery.gallery_id) is not None:
                raise AlreadyExists("gallery", gallery.gallery_id)
            insert_gallery(self._db, gallery, dim)
            self._db.log_audit(intent, "create gallery", gallery.gallery_id)
            self._db.remember(intent, gallery.gallery_id, remember(gallery))
        self._live.put(LiveGallery(gallery.gallery_id, gallery.contract_id, dim))
        return gallery

    def get(self, gallery_id: str) -> Gallery:
        """One gallery."""
        row = self._db.query(f"SELECT {GALLERY_COLUMNS} FROM gallery WHERE gallery_id = ?", gallery_id).fetchone()
        if row is None:
            raise NotFound("gallery", gallery_id)
        return gallery_of(row)

    def list(self, page: Page) -> tuple[builtins.list[Gallery], str]:
        """A page of galleries by id."""
        after = position_of(page.token, str) if page.token else ""
        rows = self._db.query(
            f"SELECT {GALLERY_COLUMNS} FROM gallery WHERE gallery_id > ? ORDER BY gallery_id LIMIT ?",
            after, page.size + 1,
        ).fetchall()  # fmt: skip
        galleries = [gallery_of(row) for row in rows[: page.size]]
        more = len(rows) > page.size
        return galleries, token_after(galleries[-1].gallery_id) if more else ""

    def delete(self, gallery_id: str, intent: WriteIntent, remember: Remember[tuple[int, int]]) -> tuple[int, int]:
        """Erases a gallery with everybody in it."""
        gallery = self.get(gallery_id)
        counts = (gallery.subject_count, gallery.face_count)
        with self._db.erase(gallery_id):
            key = key_of_gallery(self._db, gallery_id)
            self._db.query("DELETE FROM template WHERE face_key IN (SELECT key FROM face WHERE gallery_key = ?)", key)
            self._db.query("DELETE FROM face WHERE gallery_key = ?", key)
            self._db.query("DELETE FROM subject WHERE gallery_key = ?", key)
            self._db.query("DELETE FROM calibration WHERE gallery_key = ?", key)
            self._db.query("DELETE FROM gallery WHERE key = ?", key)
            self._db.log_change("gallery deleted", gallery_id)
            self._db.log_audit(intent, "delete gallery", gallery_id)
            self._db.remember(intent, gallery_id, remember(counts))
        try:
            self._live.drop(gallery_id)
        finally:
            self._db.flush_erasure()
        return counts

    def recall(self, intent: WriteIntent) -> bytes | None:
        """The answer remembered under the intent's key, if any."""
        return self._db.recall(intent)


def insert_gallery(database: Database, gallery: Gallery, dim: int) -> int:
    """Writes the gallery's row and change; returns its key. Within a write."""
    cursor = database.query(
        "INSERT INTO gallery (gallery_id, display_name, contract_id, dim, created_ms) VALUES (?, ?, ?, ?, ?)",
        gallery.gallery_id, gallery.display_name, gallery.contract_id, dim, gallery.created_ms,
    )  # fmt: skip
    database.log_change("gallery created", gallery.gallery_id)
    return int(cursor.lastrowid or 0)


def find_gallery(database: Database, gallery_id: str) -> int | None:
    """The gallery's key, if there is one."""
    row = database.query("SELECT key FROM gallery WHERE gallery_id = ?", gallery_id).fetchone()
    return None if row is None else int(row[0])


def key_of_gallery(database: Database, gallery_id: str) -> int:
    """The gallery's key.

    Raises:
        NotFound: there is none.
    """
    key = find_gallery(database, gallery_id)
    if key is None:
        raise NotFound("gallery", gallery_id)
    return key

"""Templates, in the database and the live index."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Sequence

from facewire_server.domain.errors import ContractMismatch, NotFound
from facewire_server.domain.gallery import (
    EnrolledFace,
    EnrolRefusal,
    NewTemplate,
    Page,
    Refusal,
    Subject,
    WriteIntent,
)
from facewire_server.domain.ports import EnrolResult, Remember
from facewire_server.gallery.database import Database, now_ms
from facewire_server.gallery.galleries import key_of_gallery
from facewire_server.gallery.live_index import LiveGallery, LiveIndex
from facewire_server.gallery.rows import (
    FACE_COLUMNS,
    face_of,
    position_of,
    quality_text,
    stored_digest,
    token_after,
    vector_bytes,
    vectors_of,
)
from facewire_server.gallery.subjects import (
    find_subject,
    insert_subject,
    key_of_subject,
    read_subject,
)


class Faces:
    """The domain's FaceBook. For the store's thread.

    Args:
        max_templates: of one subject.
    """

    def __init__(self, database: Database, live: LiveIndex, max_templates: int) -> None:
        self._db = database
        self._live = live
        self._max_templates = max_templates

    def enrol(
        self,
        gallery_id: str,
        subject: Subject,
        templates: Sequence[NewTemplate],
        *,
        create_subject: bool,
        contract_id: str,
        intent: WriteIntent,
        remember: Remember[EnrolResult],
    ) -> EnrolResult:
        """Adds templates to a subject, refusing duplicates and what exceeds the limit."""
        gallery = self._live.gallery(gallery_id)
        if gallery.contract_id != contract_id:
            raise ContractMismatch(gallery.contract_id, contract_id, "a new template")
        with self._db.write():
            key = find_subject(self._db, gallery_id, subject.subject_id)
            is_new = key is None
            if key is None:
                if not create_subject:
                    raise NotFound("subject", subject.subject_id)
                gallery_key = key_of_gallery(self._db, gallery_id)
                key = insert_subject(self._db, gallery_id, gallery_key, subject)
            outcomes = [self._enrol_one(gallery_id, key, t, contract_id) for t in templates]
            result = EnrolResult(outcomes, read_subject(self._db, key))
            is_kept = not is_new or any(isinstance(outcome, EnrolledFace) for outcome in outcomes)
            if not is_kept:  # nobody would know of whom it is
                self._db.query("DELETE FROM subject WHERE key = ?", key)
            self._db.log_audit(intent, "enrol", gallery_id, subject.subject_id)
            self._db.remember(intent, gallery_id, remember(result))
        if not is_kept:
            return result
        now = result.subject
        gallery.put_subject(key, now.subject_id, now.display_name, now.labels)
        self._put_live(gallery, key, outcomes, templates)
        return result

    @staticmethod
    def _put_live(
        gallery: LiveGallery, key: int, outcomes: Sequence[EnrolledFace | Refusal], templates: Sequence[NewTemplate]
    ) -> None:
        accepted = [
            (outcome, vector_bytes(template.vector))
            for outcome, template in zip(outcomes, templates, strict=True)
            if isinstance(outcome, EnrolledFace)
        ]
        for negative in (False, True):
            part = [(face.face_id, blob) for face, blob in accepted if face.negative is negative]
            vectors = vectors_of([blob for _, blob in part], gallery.index.dim)
            put = gallery.add_negatives if negative else gallery.add
            put([key] * len(part), [face_id for face_id, _ in part], vectors)

    def _enrol_one(
        self, gallery_id: str, subject_key: int, template: NewTemplate, contract_id: str
    ) -> EnrolledFace | Refusal:
        subject = read_subject(self._db, subject_key)
        same = self._db.query(
            """SELECT subject_id, source_name FROM face JOIN subject ON subject.key = subject_key
               WHERE face.gallery_key = ? AND source_digest = ?""",
            key_of_gallery(self._db, gallery_id),
            stored_digest(template.source_digest, subject.subject_id, negative=template.negative),
        ).fetchone()  # fmt: skip
        if same is not None:
            said = "says already whom it does not show" if template.negative else "is enrolled already"
            return Refusal(EnrolRefusal.DUPLICATE, f"the same picture {said}, for subject '{same[0]}' as '{same[1]}'")
        if self._says_the_opposite(gallery_id, subject.subject_id, template):
            said = "as one that shows" if template.negative else "as one that does not show"
            return Refusal(
                EnrolRefusal.DUPLICATE,
                f"the same picture is enrolled {said} subject '{subject.subject_id}': remove that one first",
            )
        (count,) = self._db.query(
            "SELECT count(*) FROM face WHERE subject_key = ? AND negative = ?", subject_key, template.negative
        ).fetchone()
        if count >= self._max_templates:
            return Refusal(
                EnrolRefusal.TEMPLATE_LIMIT,
                f"the subject has {count} {'negative ' * template.negative}templates, "
                f"at most {self._max_templates} are kept",
            )
        face = EnrolledFace(
            uuid.uuid4().hex,
            subject.subject_id,
            template.quality,
            template.source_digest,
            template.source_name,
            now_ms(),
            template.negative,
        )
        insert_face(self._db, gallery_id, subject_key, face, vector_bytes(template.vector), contract_id)
        return face

    def _says_the_opposite(self, gallery_id: str, subject_id: str, template: NewTemplate) -> bool:
        digest = stored_digest(template.source_digest, subject_id, negative=not template.negative)
        found = self._db.query(
            """SELECT 1 FROM face JOIN subject ON subject.key = subject_key
               WHERE face.gallery_key = ? AND source_digest = ? AND subject_id = ?""",
            key_of_gallery(self._db, gallery_id), digest, subject_id,
        ).fetchone()  # fmt: skip
        return found is not None

    def list(self, gallery_id: str, subject_id: str, page: Page) -> tuple[builtins.list[EnrolledFace], str]:
        """A page of templates in the order of enrolment, of one subject or (empty id) of all."""
        gallery_key = key_of_gallery(self._db, gallery_id)
        subject_key = key_of_subject(self._db, gallery_id, subject_id) if subject_id else 0
        after = position_of(page.token, int) if page.token else 0
        rows = self._db.query(
            f"""SELECT face.key, {FACE_COLUMNS} FROM face JOIN subject ON subject.key = subject_key
                WHERE face.gallery_key = ? AND face.key > ? AND (? = 0 OR subject_key = ?)
                ORDER BY face.key LIMIT ?""",
            gallery_key, after, subject_key, subject_key, page.size + 1,
        ).fetchall()  # fmt: skip
        shown = rows[: page.size]
        more = len(rows) > page.size
        return [face_of(row[1:]) for row in shown], token_after(shown[-1][0]) if more else ""

    def delete(self, gallery_id: str, face_id: str, intent: WriteIntent, remember: Remember[None]) -> None:
        """Erases one template."""
        with self._db.erase(gallery_id):
            row = self._db.query(
                """SELECT face.key, subject_key, subject_id FROM face JOIN subject ON subject.key = subject_key
                   WHERE face.gallery_key = ? AND face_id = ?""",
                key_of_gallery(self._db, gallery_id), face_id,
            ).fetchone()  # fmt: skip
            if row is None:
                raise NotFound("face", face_id)
            key, subject_key, subject_id = row
            self._db.query("DELETE FROM template WHERE face_key = ?", key)
            self._db.query("DELETE FROM face WHERE key = ?", key)
            self._db.log_change("face deleted", gallery_id, subject_id, face_id)
            self._db.log_audit(intent, "delete face", gallery_id, subject_id)
            self._db.remember(intent, gallery_id, remember(None))
        try:
            self._live.gallery(gallery_id).remove_face(subject_key, face_id)
        finally:
            self._db.flush_erasure()


def insert_face(
    database: Database,
    gallery_id: str,
    subject_key: int,
    face: EnrolledFace,
    vector: bytes,
    contract_id: str,
) -> None:
    """Writes a template's rows and change. Within a write."""
    cursor = database.query(
        """INSERT INTO face (gallery_key, subject_key, face_id, contract_id, quality, source_digest,
           source_name, created_ms, negative) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        key_of_gallery(database, gallery_id), subject_key, face.face_id, contract_id,
        quality_text(face.quality), stored_digest(face.source_digest, face.subject_id, negative=face.negative),
        face.source_name, face.created_ms, face.negative,
    )  # fmt: skip
    database.query("INSERT INTO template (face_key, vector) VALUES (?, ?)", cursor.lastrowid, vector)
    database.log_change("face enrolled", gallery_id, face.subject_id, face.face_id)

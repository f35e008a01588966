"""Galleries as portable files. The format is described in docs/gallery-file.md.

A file is a magic line, then records (length as 4 bytes little-endian, then that many bytes of JSON), then a zero
length and the SHA-256 of everything before it. The first record is the header; then each subject is followed by its
faces.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import sqlite3
import struct
import uuid
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

import numpy as np

from facewire_server.domain.errors import (
    AlreadyExists,
    ContractMismatch,
    DamagedFile,
    GalleryChanged,
    InvalidArgument,
)
from facewire_server.domain.face import Quality
from facewire_server.domain.gallery import (
    EnrolledFace,
    Gallery,
    Subject,
    WriteIntent,
    require_attributes,
    require_identifier,
    require_labels,
    require_text,
)
from facewire_server.domain.ports import Remember
from facewire_server.gallery.database import Database, now_ms
from facewire_server.gallery.faces import insert_face
from facewire_server.gallery.galleries import Galleries, find_gallery, insert_gallery
from facewire_server.gallery.live_index import LiveIndex
from facewire_server.gallery.loading import load_gallery
from facewire_server.gallery.rows import MEASURED, SUBJECT_COLUMNS, plain_digest, subject_of
from facewire_server.gallery.subjects import insert_subject

# Of format 2 are files with negative templates: who reads only 1 would take them for the subject's own.
_MAGICS = {False: b"facewire-gallery-1\n", True: b"facewire-gallery-2\n"}
_MAGIC_LENGTH = 19
_QUALITY_OF_FORMAT_1 = tuple(name for name in MEASURED if name != "glare_share")
_LENGTH = struct.Struct("<I")
_LONGEST_RECORD = 1 << 20
_SUBJECTS_A_PIECE = 200
_LATEST_MS = 1 << 43  # the year 2248
Record = dict[str, Any]
T = TypeVar("T")


class Transfer:
    """The domain's GalleryTransfer. For the store's thread."""

    def __init__(self, database: Database, live: LiveIndex, galleries: Galleries) -> None:
        self._db = database
        self._live = live
        self._galleries = galleries

    def export(self, gallery_id: str, actor: str) -> Iterator[bytes]:
        """The file in pieces, each read from the database when asked for."""
        gallery = self._galleries.get(gallery_id)
        with self._db.write():
            self._db.log_audit(WriteIntent(actor), "export gallery", gallery_id)
        moment = self._db.last_change(gallery_id)
        digest = hashlib.sha256()

        def piece(content: bytes) -> bytes:
            digest.update(content)
            return content

        yield piece(
            _MAGICS[self._has_negatives(gallery_id)]
            + _encode(_header(gallery, self._live.gallery(gallery_id).index.dim))
        )
        position = ""
        while True:
            # Asked each time: between two pieces anything may have happened.
            if self._db.last_change(gallery_id) != moment:
                raise GalleryChanged(gallery_id)
            subjects = self._subjects_after(gallery_id, position)
            if not subjects:
                break
            position = subjects[-1][1].subject_id
            yield piece(b"".join(self._subject_records(key, subject) for key, subject in subjects))
        yield piece(_LENGTH.pack(0))
        yield digest.digest()

    def _has_negatives(self, gallery_id: str) -> bool:
        (found,) = self._db.query(
            "SELECT EXISTS (SELECT 1 FROM face WHERE gallery_key = "
            "(SELECT key FROM gallery WHERE gallery_id = ?) AND negative)",
            gallery_id,
        ).fetchone()
        return bool(found)

    def _subjects_after(self, gallery_id: str, position: str) -> list[tuple[int, Subject]]:
        rows = self._db.query(
            f"""SELECT key, {SUBJECT_COLUMNS} FROM subject
                WHERE gallery_key = (SELECT key FROM gallery WHERE gallery_id = ?) AND subject_id > ?
                ORDER BY subject_id LIMIT ?""",
            gallery_id, position, _SUBJECTS_A_PIECE,
        ).fetchall()  # fmt: skip
        return [(row[0], subject_of(row[1:])) for row in rows]

    def _subject_records(self, key: int, subject: Subject) -> bytes:
        faces = self._db.query(
            """SELECT quality, source_digest, source_name, created_ms, vector, negative
               FROM face JOIN template ON face_key = face.key WHERE subject_key = ? ORDER BY face.key""",
            key,
        )
        records = [_encode(_subject_record(subject))]
        records += [_encode(_face_record(*row)) for row in faces]
        return b"".join(records)

    def import_file(
        self,
        file: BinaryIO,
        gallery_id: str,
        contract_id: str,
        dim: int,
        intent: WriteIntent,
        remember: Remember[Gallery],
    ) -> Gallery:
        """Makes a gallery from a file, whole or not at all."""
        reader = _Reader(file)
        reader.check_whole()
        header = reader.header()
        name = require_identifier("gallery_id", gallery_id or _text(header, "gallery_id"))
        if header["contract_id"] != contract_id:
            raise ContractMismatch(contract_id, str(header["contract_id"]), "the gallery file")
        if header["dim"] != dim:
            raise DamagedFile("data", f"holds vectors of {header['dim']} values, its contract's have {dim}")
        with self._db.write():
            if find_gallery(self._db, name) is not None:
                raise AlreadyExists("gallery", name)
            try:
                self._insert(name, header, reader)
            except sqlite3.IntegrityError as error:
                raise DamagedFile("data", "names a subject or a picture twice") from error
            gallery = self._galleries.get(name)
            found = (gallery.subject_count, gallery.face_count)
            if found != (header["subjects"], header["faces"]):
                raise DamagedFile("data", "holds other numbers of subjects or faces than it says")
            self._db.log_audit(intent, "import gallery", name)
            self._db.remember(intent, name, remember(gallery))
            live = load_gallery(self._db, name)  # before the commit: what cannot be loaded must not be stored
        self._live.put(live)
        return gallery

    def _insert(self, gallery_id: str, header: Record, reader: _Reader) -> None:
        display_name = require_text("display_name", _text(header, "display_name"))
        dim = int(header["dim"])
        contract_id = _text(header, "contract_id")
        gallery = Gallery(gallery_id, display_name, contract_id, now_ms(), 0, 0)
        gallery_key = insert_gallery(self._db, gallery, dim)
        subject_id, subject_key = "", 0
        for record in reader.records():
            if "subject_id" in record:
                subject = _subject_from(record)
                subject_id = subject.subject_id
                subject_key = insert_subject(self._db, gallery_id, gallery_key, subject)
            elif subject_key:
                face, vector = _face_from(record, subject_id, dim)
                insert_face(self._db, gallery_id, subject_key, face, vector, contract_id)
            else:
                raise DamagedFile("data", "has a face before the first subject")


class _Reader:
    """A gallery file, which a caller sent and nobody has vouched for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def check_whole(self) -> None:
        """The digest at the end against everything before it."""
        size = self._file.seek(0, 2)
        ending = _LENGTH.size + hashlib.sha256().digest_size
        if size < _MAGIC_LENGTH + ending:
            raise DamagedFile("data", "is too short for a gallery file")
        self._file.seek(0)
        digest, left = hashlib.sha256(), size - hashlib.sha256().digest_size
        if self._file.read(_MAGIC_LENGTH) not in _MAGICS.values():
            raise DamagedFile("data", "is no gallery file of format 1 or 2")
        self._file.seek(0)
        while left:
            chunk = self._file.read(min(left, 1 << 20))
            digest.update(chunk)
            left -= len(chunk)
        if self._file.read() != digest.digest():
            raise DamagedFile("data", "is damaged or cut short: its SHA-256 does not fit")
        self._file.seek(_MAGIC_LENGTH)

    def header(self) -> Record:
        """The first record."""
        record = self._next()
        wanted: dict[str, type] = {
            "gallery_id": str, "display_name": str, "contract_id": str,
            "dim": int, "subjects": int, "faces": int,
        }  # fmt: skip
        if record is None or any(not isinstance(record.get(k), t) for k, t in wanted.items()):
            raise DamagedFile("data", "has no proper header")
        return record

    def records(self) -> Iterator[Record]:
        """The records after the header."""
        while (record := self._next()) is not None:
            yield record

    def _next(self) -> Record | None:
        prefix = self._file.read(_LENGTH.size)
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else -1
        if length == 0:
            return None
        if not 0 < length <= _LONGEST_RECORD:
            raise DamagedFile("data", "has a record of impossible length")
        try:
            record = json.loads(self._file.read(length))
        except (ValueError, RecursionError) as error:
            raise DamagedFile("data", "has a record that is no JSON") from error
        if not isinstance(record, dict):
            raise DamagedFile("data", "has a record that is no object")
        return record


def _encode(record: Record) -> bytes:
    content = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    return _LENGTH.pack(len(content)) + content


def _header(gallery: Gallery, dim: int) -> Record:
    return {
        "gallery_id": gallery.gallery_id,
        "display_name": gallery.display_name,
        "contract_id": gallery.contract_id,
        "dim": dim,
        "subjects": gallery.subject_count,
        "faces": gallery.face_count,
        "exported_ms": now_ms(),
    }


def _subject_record(subject: Subject) -> Record:
    return {
        "subject_id": subject.subject_id,
        "display_name": subject.display_name,
        "labels": subject.labels,
        "attributes": subject.attributes,
        "created_ms": subject.created_ms,
        "updated_ms": subject.updated_ms,
    }


def _face_record(
    quality: str, source_digest: str, source_name: str, created_ms: int, vector: bytes, negative: int
) -> Record:
    record: Record = {
        "vector": base64.b64encode(vector).decode(),
        "quality": {key: value for key, value in json.loads(quality).items() if key in _QUALITY_OF_FORMAT_1},
        "source_digest": plain_digest(source_digest, negative),
        "source_name": source_name,
        "created_ms": created_ms,
    }
    return {**record, "negative": True} if negative else record


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise DamagedFile("data", f"has a record whose {key} is no text")
    return value


def _time(record: Record, key: str) -> int:
    value = record.get(key)
    if not isinstance(value, int) or not 0 <= value <= _LATEST_MS:
        raise DamagedFile("data", f"has a record whose {key} is no time")
    return value


def _subject_from(record: Record) -> Subject:
    labels, attributes = record.get("labels"), record.get("attributes")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise DamagedFile("data", "has a subject whose labels are no list of texts")
    if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
        raise DamagedFile("data", "has a subject whose attributes are no texts by name")
    return _guarded(
        lambda: Subject(
            require_identifier("subject_id", _text(record, "subject_id")),
            require_text("display_name", _text(record, "display_name")),
            require_labels("labels", labels),
            require_attributes("attributes", attributes),
            _time(record, "created_ms"),
            _time(record, "updated_ms"),
            0,
        ),
        "subject",
    )


def _quality_from(record: Record) -> Quality:
    quality = Quality(**{key: value for key, value in record["quality"].items() if key in MEASURED})
    numbers = [v for name in MEASURED if (v := getattr(quality, name)) is not None]
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in numbers):
        raise ValueError("quality")
    return quality


def _face_from(record: Record, subject_id: str, dim: int) -> tuple[EnrolledFace, bytes]:
    def build() -> tuple[EnrolledFace, bytes]:
        vector = base64.b64decode(_text(record, "vector"), validate=True)
        values = np.frombuffer(vector, dtype="<f4")
        if values.shape != (dim,) or not 0.99 < float(np.linalg.norm(values)) < 1.01:
            raise ValueError("vector")
        digest = require_text("source_digest", _text(record, "source_digest"))
        name = require_text("source_name", _text(record, "source_name"))
        created = _time(record, "created_ms")
        negative = record.get("negative", False)
        if not isinstance(negative, bool):
            raise ValueError("negative")
        face = EnrolledFace(uuid.uuid4().hex, subject_id, _quality_from(record), digest, name, created, negative)
        return face, vector

    return _guarded(build, "face")


def _guarded(build: Callable[[], T], what: str) -> T:
    try:
        return build()
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamagedFile("data", f"has a {what} record that cannot be used: {error}") from error
    except InvalidArgument as error:
        raise DamagedFile("data", f"has a {what} record that cannot be used: {error}") from error

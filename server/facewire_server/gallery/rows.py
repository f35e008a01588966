"""Rows of the database as values of the domain, and page tokens."""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import FloatArray, Quality
from facewire_server.domain.gallery import EnrolledFace, Gallery, Subject

GALLERY_COLUMNS = """gallery_id, display_name, contract_id, created_ms,
    (SELECT count(*) FROM subject WHERE gallery_key = gallery.key),
    (SELECT count(*) FROM face WHERE gallery_key = gallery.key AND NOT negative)"""
SUBJECT_COLUMNS = """subject_id, display_name, labels, attributes, created_ms, updated_ms,
    (SELECT count(*) FROM face WHERE subject_key = subject.key AND NOT negative)"""
FACE_COLUMNS = "face_id, subject_id, quality, source_digest, source_name, face.created_ms, negative"
_NOT = " not "

# Score and issues follow from these, and their rules may change.
MEASURED = (
    "sharpness", "brightness", "contrast", "yaw_deg", "pitch_deg", "roll_deg", "size_px", "outside_share",
    "glare_share", "embedding_norm",
)  # fmt: skip
Row = tuple[Any, ...] | sqlite3.Row


def gallery_of(row: Row) -> Gallery:
    """A row of GALLERY_COLUMNS."""
    return Gallery(*row)


def subject_of(row: Row) -> Subject:
    """A row of SUBJECT_COLUMNS."""
    subject_id, name, labels, attributes, created, updated, faces = row
    return Subject(subject_id, name, tuple(json.loads(labels)), json.loads(attributes), created, updated, faces)


def face_of(row: Row) -> EnrolledFace:
    """A row of FACE_COLUMNS."""
    face_id, subject_id, quality, digest, name, created, negative = row
    measured = Quality(**json.loads(quality))
    return EnrolledFace(face_id, subject_id, measured, plain_digest(digest, negative), name, created, bool(negative))


def plain_digest(stored: str, negative: int) -> str:
    """What :func:`stored_digest` was given."""
    return stored.partition(_NOT)[0] if negative else stored


def stored_digest(digest: str, subject_id: str, *, negative: bool) -> str:
    """A picture may show one subject, and be told not to show several."""
    return f"{digest}{_NOT}{subject_id}" if negative else digest


def quality_text(quality: Quality) -> str:
    """As stored."""
    measured = {name: getattr(quality, name) for name in MEASURED}
    return json.dumps({name: None if value is None else round(value, 4) for name, value in measured.items()})


def vector_bytes(vector: FloatArray) -> bytes:
    """As stored: little-endian float32."""
    return vector.astype("<f4").tobytes()


def vectors_of(blobs: Sequence[bytes], dim: int) -> FloatArray:
    """Stored vectors as (n, dim)."""
    joined = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), dim)
    return np.ascontiguousarray(joined, dtype=np.float32)


def token_after(position: str | int) -> str:
    """The token of the page after this position; opaque to callers."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(token: str, kind: type[str | int]) -> Any:
    """The position in a page token.

    Raises:
        InvalidArgument: no page token of this list.
    """
    try:
        position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        usable = type(position) is kind and (
            abs(position) < 1 << 63 if isinstance(position, int) else bool(position.encode())
        )
    except (binascii.Error, ValueError, RecursionError):
        usable = False
    if not usable:
        raise InvalidArgument("page_token", "is not one that this list gave")
    return position

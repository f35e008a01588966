"""Galleries, subjects and templates, and what their fields may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.face import FloatArray, Quality

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_MAX_NAME, _MAX_LABELS, _MAX_ATTRIBUTES, _MAX_KEY, _MAX_VALUE = 200, 32, 32, 63, 1000
_MAX_IDEMPOTENCY_KEY = 128


@dataclass(frozen=True, slots=True)
class Gallery:
    """A named set of subjects, pinned to one embedding contract. Times are Unix milliseconds."""

    gallery_id: str
    display_name: str
    contract_id: str
    created_ms: int
    subject_count: int
    face_count: int


@dataclass(frozen=True, slots=True)
class Subject:
    """An enrolled person."""

    subject_id: str
    display_name: str
    labels: tuple[str, ...]
    attributes: Mapping[str, str]
    created_ms: int
    updated_ms: int
    face_count: int


@dataclass(frozen=True, slots=True)
class EnrolledFace:
    """A template, without its vector. A negative one says who the subject is not."""

    face_id: str
    subject_id: str
    quality: Quality
    source_digest: str
    source_name: str
    created_ms: int
    negative: bool = False


@dataclass(frozen=True, slots=True)
class NewTemplate:
    """A template about to be enrolled.

    Attributes:
        vector: float32 (dim,), unit length.
        source_digest: SHA-256 of the picture's bytes, hexadecimal.
        negative: it says who the subject is not.
    """

    vector: FloatArray
    quality: Quality
    source_digest: str
    source_name: str
    negative: bool = False


class EnrolRefusal(Enum):
    """Why a picture was not enrolled."""

    BAD_IMAGE = "bad image"
    NO_FACE = "no face"
    SEVERAL_FACES = "several faces"
    TOO_SMALL = "too small"
    NOT_ALIGNABLE = "not alignable"
    BLURRED = "blurred"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    EXTREME_POSE = "extreme pose"
    CUT_OFF = "cut off"
    DUPLICATE = "duplicate"
    TEMPLATE_LIMIT = "template limit"
    POOR_QUALITY = "poor quality"
    LOOKS_LIKE_ANOTHER = "looks like another"
    SYNTHETIC = "synthetic"
    NOT_FACE_LIKE = "not face-like"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal with its reason in words and numbers."""

    reason: EnrolRefusal
    detail: str


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """New values for a subject; None leaves a field as it is."""

    display_name: str | None = None
    labels: tuple[str, ...] | None = None
    attributes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class WriteIntent:
    """Who writes, and the key under which the answer is remembered.

    Attributes:
        actor: for the audit trail: the peer's address.
        key: idempotency key; empty means none.
        request_digest: SHA-256 of the request, to tell a repetition from a mistake.
    """

    actor: str
    key: str = ""
    request_digest: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: at most ``size`` rows after the token."""

    size: int
    token: str


def require_identifier(field: str, value: str) -> str:
    """The value, if it may name a gallery or a subject.

    Raises:
        InvalidArgument: it may not.
    """
    if not _IDENTIFIER.fullmatch(value):
        raise InvalidArgument(
            field,
            "must be 1 to 63 characters of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit",
        )
    return value


def require_text(field: str, value: str, longest: int = _MAX_NAME) -> str:
    """The value, if it is short enough and free of control characters."""
    if len(value) > longest:
        raise InvalidArgument(field, f"has {len(value)} characters, at most {longest} are allowed")
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise InvalidArgument(field, "holds a control character")
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise InvalidArgument(field, "holds half a character (a lone surrogate)")
    return value


def require_labels(field: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Labels without repetitions, in their order."""
    if len(labels) > _MAX_LABELS:
        raise InvalidArgument(field, f"has {len(labels)} entries, at most {_MAX_LABELS} are allowed")
    for label in labels:
        if not label:
            raise InvalidArgument(field, "holds an empty label")
        require_text(field, label, _MAX_KEY)
    return tuple(dict.fromkeys(labels))


def require_attributes(field: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes within their limits."""
    if len(attributes) > _MAX_ATTRIBUTES:
        raise InvalidArgument(field, f"has {len(attributes)} entries, at most {_MAX_ATTRIBUTES} are allowed")
    for key, value in attributes.items():
        if not key:
            raise InvalidArgument(field, "holds an empty key")
        require_text(field, key, _MAX_KEY)
        require_text(f"{field}[{key}]", value, _MAX_VALUE)
    return dict(attributes)


def require_idempotency_key(value: str) -> str:
    """The key, if it is short enough."""
    return require_text("idempotency_key", value, _MAX_IDEMPOTENCY_KEY)

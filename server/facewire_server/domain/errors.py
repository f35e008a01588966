"""Everything that can go wrong for a caller. One table in ``rpc`` maps these to gRPC statuses.

DomainError
 +-- InvalidArgument        a field of the request is wrong
 |    +-- InvalidImage      the picture cannot be read or exceeds a limit
 |    +-- DamagedFile       a gallery file is damaged or of another format
 +-- NotFound               no such gallery, subject, face or model
 +-- AlreadyExists          the name is taken
 +-- ContractMismatch       embeddings of two contracts would be compared
 +-- IdempotencyConflict    the key was used for another request
 +-- PreconditionFailed     the server's settings or the data forbid it: a limit, a model that is not configured
 +-- GalleryChanged         the gallery changed while it was being exported
 +-- StreamTakenOver        another connection goes on with this stream
 +-- Overloaded             the queue is full; try again later
 +-- NotReady               the server is starting or stopping
 +-- DeadlineExpired        the caller's deadline passed between two stages
 +-- CallCancelled          the caller went away
 +-- StorageFailure         the disk refused
"""

from __future__ import annotations


class DomainError(Exception):
    """Base of all errors a caller may see; the message is written for that caller."""


class InvalidArgument(DomainError):
    """A field of the request is wrong.

    Args:
        field: path of the field as in the proto, for instance ``"gallery_id"``.
        problem: what is wrong with it and what would be right.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidImage(InvalidArgument):
    """The picture cannot be read, or is larger than the limit."""


class DamagedFile(InvalidArgument):
    """A gallery file is damaged, cut short, or of another format."""


class NotFound(DomainError):
    """``kind`` ("gallery", "subject", ...) with this id does not exist."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"{kind} '{identifier}' does not exist")
        self.kind = kind
        self.identifier = identifier


class AlreadyExists(DomainError):
    """``kind`` with this id exists already."""

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"{kind} '{identifier}' exists already")
        self.kind = kind
        self.identifier = identifier


class ContractMismatch(DomainError):
    """Embeddings of two contracts would be compared; they have nothing in common."""

    def __init__(self, wanted: str, offered: str, subject: str) -> None:
        super().__init__(
            f"{subject} is of contract {offered}, but contract {wanted} is needed; "
            "embeddings of different contracts cannot be compared: make them anew from the pictures"
        )
        self.wanted = wanted
        self.offered = offered


class IdempotencyConflict(DomainError):
    """The idempotency key was used before, for a different request."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency_key '{key}' was used before for a different request")


class PreconditionFailed(DomainError):
    """The server's settings or its data forbid it; trying again does not help.

    Args:
        reason: for programs: LIMIT_REACHED, NOT_CONFIGURED or NOT_ALLOWED.
    """

    def __init__(self, message: str, reason: str = "LIMIT_REACHED") -> None:
        super().__init__(message)
        self.reason = reason


class GalleryChanged(DomainError):
    """The gallery changed during work on the whole of it; the result would not be of one moment."""

    def __init__(self, gallery_id: str) -> None:
        super().__init__(f"gallery '{gallery_id}' changed during the work; try again")


class StreamTakenOver(DomainError):
    """Another connection opened the stream under the same id and goes on with it."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"stream '{stream_id}' is continued by another connection; do two devices use one stream_id?")


class Overloaded(DomainError):
    """The queue is full.

    Args:
        retry_after_s: when another try has a chance, seconds.
    """

    def __init__(self, what: str, retry_after_s: float) -> None:
        super().__init__(f"{what}; try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class NotReady(DomainError):
    """The server is starting or stopping."""


class DeadlineExpired(DomainError):
    """The caller's deadline passed, or the server's patience."""

    def __init__(self, what: str = "the deadline passed before the answer was ready") -> None:
        super().__init__(what)


class CallCancelled(DomainError):
    """The caller went away; nobody reads this."""


class StorageFailure(DomainError):
    """The disk refused: full, read-only, or failing. Nothing was acknowledged."""

"""What can go wrong for a user of the client.

FacewireError
 +-- ImageError               a picture given to the client is none, on this side already
 +-- ServerError              the server answered with an error (``code``, ``reason``, ``details``)
      +-- InvalidArgumentError    the request is wrong; ``field`` names the place
      +-- NotFoundError           no such gallery, subject, face or model
      +-- AlreadyExistsError      the name is taken
      +-- PreconditionError       the server's state forbids it, for instance another embedding contract
      +-- OverloadedError         the server is full; ``retry_after_s`` says when to try again
      +-- UnavailableError        no server answers there, or it is starting or stopping
      +-- DeadlineError           no answer within the timeout
      +-- CancelledCallError      the call was cancelled
      +-- AbortedError            something changed under the call; try again
"""

from __future__ import annotations


class FacewireError(Exception):
    """Base of all errors of the client."""


class ImageError(FacewireError):
    """What was given as a picture cannot be sent: a missing file, an array of another shape or dtype."""


class ServerError(FacewireError):
    """The server answered with an error.

    Attributes:
        code: name of the gRPC status code, for instance "INVALID_ARGUMENT".
        reason: the server's own name for it, for instance "CONTRACT_MISMATCH"; empty if it gave none.
        details: further facts, for instance the contracts that differ.
        field: the field of the request at fault, if one is.
        retry_after_s: when another try has a chance, seconds, if the server said so.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        reason: str = "",
        details: dict[str, str] | None = None,
        field: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details or {}
        self.field = field
        self.retry_after_s = retry_after_s


class InvalidArgumentError(ServerError):
    """The request is wrong; ``field`` names the place."""


class NotFoundError(ServerError):
    """No such gallery, subject, face or model."""


class AlreadyExistsError(ServerError):
    """The name is taken."""


class PreconditionError(ServerError):
    """The server's state forbids it, for instance a gallery of another embedding contract."""


class OverloadedError(ServerError):
    """The server is full, or the message too large."""


class UnavailableError(ServerError):
    """No server answers there, or it is starting or stopping."""


class DeadlineError(ServerError):
    """No answer within the timeout."""


class CancelledCallError(ServerError):
    """The call was cancelled."""


class AbortedError(ServerError):
    """Something changed under the call; try again."""

"""From gRPC statuses to typed errors, and when to try again."""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facewire import errors

_CLASSES: Final[dict[grpc.StatusCode, type[errors.ServerError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.PreconditionError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.OverloadedError,
    grpc.StatusCode.UNAVAILABLE: errors.UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineError,
    grpc.StatusCode.CANCELLED: errors.CancelledCallError,
    grpc.StatusCode.ABORTED: errors.AbortedError,
}


def to_error(failure: grpc.RpcError, target: str) -> errors.ServerError:
    """The typed error for a failed call.

    Args:
        failure: from the channel, sync or asyncio.
        target: the server's address, for the message.
    """
    code: grpc.StatusCode = failure.code()
    message: str = failure.details() or code.name
    if code is grpc.StatusCode.UNAVAILABLE and "facewire" not in message and "server is" not in message:
        message = f"no facewire server answers at {target}: {message}"
    kind = _CLASSES.get(code, errors.ServerError)
    error = kind(message, code=code.name)
    _read_details(failure, error)
    return error


def _read_details(failure: grpc.RpcError, error: errors.ServerError) -> None:
    status = rpc_status.from_call(_AsCall(failure))  # type: ignore[arg-type]
    for box in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if box.Unpack(info):
            error.reason, error.details = info.reason, dict(info.metadata)
        elif box.Unpack(bad) and bad.field_violations:
            error.field = bad.field_violations[0].field
        elif box.Unpack(retry):
            error.retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9


class _AsCall:
    """A failed call of either kind of channel, as grpc_status wants to read it."""

    def __init__(self, failure: grpc.RpcError) -> None:
        self._failure = failure

    def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = self._failure.code()
        return code

    def details(self) -> str:
        return self._failure.details() or ""

    def trailing_metadata(self) -> list[tuple[str, bytes | str]]:
        metadata: Any = self._failure.trailing_metadata() or ()
        return [(str(key), value) for key, value in metadata]


def retry_delay_s(error: errors.ServerError, attempt: int) -> float | None:
    """How long to wait before the next try of a call that is safe to repeat; None: do not try again.

    Overload and unavailability pass; the rest would fail again.
    """
    if not isinstance(error, errors.UnavailableError | errors.OverloadedError):
        return None
    if isinstance(error, errors.OverloadedError) and error.retry_after_s is None:
        return None  # the message is too large: it will not become smaller
    backoff: float = min(0.1 * 2.0**attempt, 2.0)
    return max(backoff, min(error.retry_after_s or 0.0, 5.0))

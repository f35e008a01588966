"""The one table from domain errors to gRPC statuses, with google.rpc details."""

from __future__ import annotations

from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from facewire_server.domain import errors

_DOMAIN: Final = "facewire"
_NOT_READY_RETRY_S: Final = 1.0
_LONGEST_TEXT: Final = 500

# Most specific first: the first class an error belongs to counts.
_TABLE: Final[tuple[tuple[type[errors.DomainError], int, str], ...]] = (
    (errors.InvalidImage, code_pb2.INVALID_ARGUMENT, "INVALID_IMAGE"),
    (errors.DamagedFile, code_pb2.INVALID_ARGUMENT, "DAMAGED_FILE"),
    (errors.InvalidArgument, code_pb2.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    (errors.NotFound, code_pb2.NOT_FOUND, "NOT_FOUND"),
    (errors.AlreadyExists, code_pb2.ALREADY_EXISTS, "ALREADY_EXISTS"),
    (errors.ContractMismatch, code_pb2.FAILED_PRECONDITION, "CONTRACT_MISMATCH"),
    (errors.IdempotencyConflict, code_pb2.FAILED_PRECONDITION, "IDEMPOTENCY_CONFLICT"),
    (errors.PreconditionFailed, code_pb2.FAILED_PRECONDITION, "LIMIT_REACHED"),
    (errors.GalleryChanged, code_pb2.ABORTED, "GALLERY_CHANGED"),
    (errors.StreamTakenOver, code_pb2.ABORTED, "STREAM_TAKEN_OVER"),
    (errors.Overloaded, code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED"),
    (errors.NotReady, code_pb2.UNAVAILABLE, "NOT_READY"),
    (errors.DeadlineExpired, code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXPIRED"),
    (errors.CallCancelled, code_pb2.CANCELLED, "CANCELLED"),
    (errors.StorageFailure, code_pb2.UNAVAILABLE, "STORAGE_FAILURE"),
)


def to_rpc_status(error: errors.DomainError) -> grpc.Status:
    """The status a caller gets."""
    code, reason = _code_and_reason(error)
    details = [
        error_details_pb2.ErrorInfo(
            reason=reason, domain=_DOMAIN, metadata={key: _short(value) for key, value in _metadata(error).items()}
        ),
        *_specific(error),
    ]
    packed = []
    for detail in details:
        box = any_pb2.Any()
        box.Pack(detail)
        packed.append(box)
    return rpc_status.to_status(status_pb2.Status(code=code, message=_short(str(error)), details=packed))


def code_name(error: errors.DomainError) -> str:
    """The name of the status code, for instance "INVALID_ARGUMENT"."""
    name: str = code_pb2.Code.Name(_code_and_reason(error)[0])
    return name


def _code_and_reason(error: errors.DomainError) -> tuple[int, str]:
    for kind, code, reason in _TABLE:
        if isinstance(error, kind):
            return code, error.reason if isinstance(error, errors.PreconditionFailed) else reason
    raise TypeError(f"{type(error).__name__} is missing in the table of statuses")


def _metadata(error: errors.DomainError) -> dict[str, str]:
    if isinstance(error, errors.ContractMismatch):
        return {"wanted": error.wanted, "offered": error.offered}
    if isinstance(error, errors.NotFound | errors.AlreadyExists):
        return {"kind": error.kind, "id": error.identifier}
    return {}


def _specific(error: errors.DomainError) -> list[Message]:
    if isinstance(error, errors.InvalidArgument):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_short(error.field), description=_short(error.problem)
        )
        return [error_details_pb2.BadRequest(field_violations=[violation])]
    if isinstance(error, errors.Overloaded):
        return [_retry(error.retry_after_s)]
    if isinstance(error, errors.NotReady | errors.GalleryChanged):
        return [_retry(_NOT_READY_RETRY_S)]
    if isinstance(error, errors.ContractMismatch | errors.IdempotencyConflict | errors.PreconditionFailed):
        violation_of = error_details_pb2.PreconditionFailure.Violation(
            type=_code_and_reason(error)[1], description=_short(str(error))
        )
        return [error_details_pb2.PreconditionFailure(violations=[violation_of])]
    return []


def _short(text: str) -> str:
    """Text that may repeat what a caller sent must fit into HTTP/2 headers."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 4] + " ..."


def _retry(seconds: float) -> error_details_pb2.RetryInfo:
    whole = int(seconds)
    return error_details_pb2.RetryInfo(
        retry_delay=duration_pb2.Duration(seconds=whole, nanos=int((seconds - whole) * 1e9))
    )

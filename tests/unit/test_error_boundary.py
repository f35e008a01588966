"""Errors on their way to a caller: the table is complete, details are there, bugs leak nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facewire.v1 import admin_pb2, admin_pb2_grpc
from facewire_server.domain import errors
from facewire_server.rpc.boundary import ErrorBoundary
from facewire_server.rpc.status import code_name, to_rpc_status

EXAMPLES: list[errors.DomainError] = [
    errors.InvalidArgument("field", "is wrong"),
    errors.InvalidImage("image", "is none"),
    errors.DamagedFile("data", "is damaged"),
    errors.NotFound("gallery", "g"),
    errors.AlreadyExists("gallery", "g"),
    errors.ContractMismatch("a", "b", "the probe"),
    errors.IdempotencyConflict("k"),
    errors.PreconditionFailed("too many"),
    errors.GalleryChanged("g"),
    errors.StreamTakenOver("cam"),
    errors.Overloaded("full", 1.5),
    errors.NotReady("starting"),
    errors.DeadlineExpired(),
    errors.CallCancelled("gone"),
    errors.StorageFailure("disk full"),
]


def kinds(of: type[errors.DomainError]) -> set[type[errors.DomainError]]:
    return {of} | {kind for child in of.__subclasses__() for kind in kinds(child)}


def test_every_domain_error_has_a_status() -> None:
    every = kinds(errors.DomainError) - {errors.DomainError}
    assert {type(example) for example in EXAMPLES} == every
    assert len(every) <= 15
    for example in EXAMPLES:
        assert code_name(example) != "OK"
        assert to_rpc_status(example).details == str(example)


class _Failing(admin_pb2_grpc.AdminServiceServicer):
    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def GetServerInfo(self, request: object, context: object) -> Any:  # noqa: N802 - gRPC's name
        raise self._error


def ask(error: BaseException) -> Any:
    """What a caller gets when a handler raises this."""

    async def run() -> Any:
        server = grpc.aio.server(interceptors=[ErrorBoundary(("facewire.v1.AdminService",))])
        admin_pb2_grpc.add_AdminServiceServicer_to_server(_Failing(error), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = admin_pb2_grpc.AdminServiceStub(channel)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await stub.GetServerInfo(admin_pb2.GetServerInfoRequest())
                return caught.value
        finally:
            await server.stop(None)

    return asyncio.run(run())


def test_a_bug_leaks_nothing_but_a_number(caplog: pytest.LogCaptureFixture) -> None:
    failure = ask(RuntimeError("password is hunter2"))
    assert failure.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in failure.details()
    assert "RuntimeError" not in failure.details()
    incident = failure.details().split("incident ")[1].split(";")[0]
    assert any(incident in record.getMessage() for record in caplog.records)
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(
    ("error", "kind", "check"),
    [
        (errors.Overloaded("full", 2.5), error_details_pb2.RetryInfo, lambda d: d.retry_delay.nanos == 500_000_000),
        (
            errors.InvalidArgument("a.b", "is wrong"),
            error_details_pb2.BadRequest,
            lambda d: d.field_violations[0].field == "a.b",
        ),
        (
            errors.ContractMismatch("x", "y", "the probe"),
            error_details_pb2.PreconditionFailure,
            lambda d: d.violations[0].type == "CONTRACT_MISMATCH",
        ),
        (errors.NotFound("face", "f"), error_details_pb2.ErrorInfo, lambda d: d.metadata["kind"] == "face"),
    ],
)
def test_google_rpc_details_reach_the_caller(
    error: errors.DomainError, kind: Any, check: Callable[[Any], bool]
) -> None:
    failure: Any = ask(error)
    status = rpc_status.from_call(_Sync(failure))  # type: ignore[arg-type]
    assert status is not None
    found = [box for box in status.details if box.Is(kind.DESCRIPTOR)]
    detail = kind()
    assert found[0].Unpack(detail)
    assert check(detail)


class _Sync:
    """grpc_status reads synchronous calls; this shows it an asynchronous one's metadata as pairs."""

    def __init__(self, failure: Any) -> None:
        self._failure = failure

    def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = self._failure.code()
        return code

    def details(self) -> str:
        return str(self._failure.details())

    def trailing_metadata(self) -> list[tuple[str, Any]]:
        return list(self._failure.trailing_metadata())

"""The interceptor around every handler: bytes that do not parse, domain errors, bugs.

Handlers raise domain errors; here they become statuses. Anything else is a bug: it is logged with its traceback and
the caller learns only a number to quote. Requests are parsed here, so that invalid UTF-8 is the caller's
INVALID_ARGUMENT rather than an internal error.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from facewire_server.domain.errors import DomainError, InvalidArgument, NotReady, StorageFailure
from facewire_server.rpc.status import to_rpc_status

log = logging.getLogger(__name__)
Context = grpc.aio.ServicerContext[Any, Any]
_IN_TRANSIT_S: Final = 0.1  # for calls that are on their way
Parse = Callable[[bytes], Any]


class ErrorBoundary(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs alone
    """Wraps the handlers of this server's services; health and reflection stay as they are."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._prefixes = tuple(f"/{service}/" for service in services)
        self._wrapped: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        self._stopping = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def drain(self, grace_s: float) -> None:
        """From now on new calls get UNAVAILABLE; waits until the running ones are done, or for so long.

        gRPC's own stop cancels calls that have arrived and not begun; told by us, their callers know what to do.
        """
        self._stopping = True
        await asyncio.sleep(min(_IN_TRANSIT_S, grace_s))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), max(0.0, grace_s - _IN_TRANSIT_S))

    def begin(self) -> None:
        """A call begins.

        Raises:
            NotReady: the server is stopping.
        """
        if self._stopping:
            raise NotReady("the server is stopping")
        self._running += 1
        self._idle.clear()

    def end(self) -> None:
        """A call that began is over."""
        self._running -= 1
        if not self._running:
            self._idle.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Called by gRPC once a call."""
        method = handler_call_details.method
        if method in self._wrapped:
            return self._wrapped[method]
        handler = await continuation(handler_call_details)
        if handler is None or not method.startswith(self._prefixes):
            return handler
        self._wrapped[method] = _wrap(handler, method, self)  # only of methods that exist: their number is bounded
        return self._wrapped[method]


def _wrap(handler: Any, method: str, boundary: ErrorBoundary) -> grpc.RpcMethodHandler[Any, Any]:
    parse: Parse = handler.request_deserializer
    serialize = handler.response_serializer

    async def unary_unary(request: bytes, context: Context) -> Any:
        try:
            boundary.begin()
            try:
                return await handler.unary_unary(_parse(parse, request), context)
            finally:
                boundary.end()
        except BaseException as error:  # noqa: BLE001 - the one place that looks at every error
            await _abort(context, error, method)

    async def unary_stream(request: bytes, context: Context) -> AsyncIterator[Any]:
        try:
            async for answer in handler.unary_stream(_parse(parse, request), context):
                yield answer
        except BaseException as error:  # noqa: BLE001
            await _abort(context, error, method)

    async def stream_unary(requests: AsyncIterator[bytes], context: Context) -> Any:
        try:
            return await handler.stream_unary(_parse_each(parse, requests), context)
        except BaseException as error:  # noqa: BLE001
            await _abort(context, error, method)

    async def stream_stream(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
        try:
            async for answer in handler.stream_stream(_parse_each(parse, requests), context):
                yield answer
        except BaseException as error:  # noqa: BLE001
            await _abort(context, error, method)

    if handler.unary_unary:
        return grpc.unary_unary_rpc_method_handler(unary_unary, None, serialize)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(unary_stream, None, serialize)
    if handler.stream_unary:
        return grpc.stream_unary_rpc_method_handler(stream_unary, None, serialize)
    return grpc.stream_stream_rpc_method_handler(stream_stream, None, serialize)


def _parse(parse: Parse, data: bytes) -> Any:
    try:
        return parse(data)
    except DecodeError as error:
        raise InvalidArgument(
            "request",
            "cannot be parsed; are all text fields valid UTF-8, and is the client's proto this version's?",
        ) from error


async def _parse_each(parse: Parse, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in requests:
        yield _parse(parse, data)


async def _abort(context: Context, error: BaseException, method: str) -> None:
    if isinstance(error, StorageFailure):
        log.error("%s: %s", method, error)
    if isinstance(error, DomainError):
        await context.abort_with_status(to_rpc_status(error))  # type: ignore[attr-defined] # missing in the stubs
    if isinstance(error, asyncio.CancelledError | GeneratorExit | grpc.aio.AbortError):
        raise error
    if not isinstance(error, Exception):
        raise error
    incident = uuid.uuid4().hex[:8]
    log.error("%s failed, incident %s", method, incident, exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, f"internal error, incident {incident}; the server's log tells more")

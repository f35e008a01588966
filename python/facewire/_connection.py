"""What the client's methods are made of: the channel, calls with repetitions, pages, health."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2
from typing_extensions import Self

from facewire._channel import CHANNEL_OPTIONS, DEFAULT_RETRIES, DEFAULT_TARGET, DEFAULT_TIMEOUT_S, full_target
from facewire._requests import Unary
from facewire._status import retry_delay_s, to_error
from facewire.errors import UnavailableError

T = TypeVar("T")


class Connection:
    """A channel to a server; a context manager."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        self.target = full_target(target)
        self._timeout_s = timeout_s
        self._retries = retries
        self._closed = False
        self._channel = grpc.insecure_channel(self.target, options=CHANNEL_OPTIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; calls under way fail, watching ends."""
        self._closed = True
        self._channel.close()

    def is_serving(self, *, service: str = "", timeout_s: float = 2.0) -> bool:
        """Whether the server says SERVING; False also where none answers."""
        check = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def wait_until_serving(self, timeout_s: float = 30.0) -> None:
        """Returns once the server says SERVING.

        Raises:
            UnavailableError: it did not within the time.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_serving():
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"no facewire server at {self.target} was serving within {timeout_s:.0f} s",
                    code="UNAVAILABLE",
                )
            time.sleep(0.1)

    def _pages(self, request: Callable[[str], Unary[tuple[list[T], str]]]) -> Iterator[T]:
        token = ""
        while True:
            page, token = self._call(request(token))
            yield from page
            if not token:
                return

    def _call(self, unary: Unary[T]) -> T:
        method = self._channel.unary_unary(
            unary.method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=unary.response.FromString,
        )
        deadline = time.monotonic() + self._timeout_s
        for attempt in range(self._retries + 1):
            try:
                return unary.parse(method(unary.request, timeout=deadline - time.monotonic()))
            except grpc.RpcError as failure:
                error = to_error(failure, self.target)
                delay = retry_delay_s(error, attempt)
                no_time = delay is not None and time.monotonic() + delay >= deadline
                if delay is None or no_time or attempt == self._retries:
                    raise error from failure
                time.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

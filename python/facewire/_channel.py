"""How the clients connect."""

from __future__ import annotations

from typing import Final

DEFAULT_PORT: Final = 50061
DEFAULT_TARGET: Final = f"127.0.0.1:{DEFAULT_PORT}"
DEFAULT_TIMEOUT_S: Final = 30.0
DEFAULT_RETRIES: Final = 3
FILE_CHUNK_BYTES: Final = 1 << 20
_MAX_MESSAGE_BYTES: Final = 512 << 20  # the server's own limit is what counts

CHANNEL_OPTIONS: Final = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # The clients repeat calls themselves, by the server's RetryInfo.
    ("grpc.enable_retries", 0),
]


def full_target(target: str) -> str:
    """The address with the port: gRPC's own default, 443, is nobody's facewire server."""
    host = target.removeprefix("http://").rstrip("/")
    has_port = host.rpartition("]")[2].count(":") == 1 or "://" in host or host.startswith("unix:")
    return host if has_port else f"{host}:{DEFAULT_PORT}"

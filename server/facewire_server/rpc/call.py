"""A gRPC call as the pipeline knows it: a budget, a clock, a turn on the worker threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc.aio
from google.protobuf.message import Message

from facewire_server.domain.budget import Budget
from facewire_server.domain.gallery import WriteIntent, require_idempotency_key
from facewire_server.domain.stages import StageClock
from facewire_server.engine import Engine
from facewire_server.pipeline.recognizer import Call

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]


async def on_worker(engine: Engine, context: Context, work: Callable[[Call], T]) -> tuple[T, Call]:
    """Runs ``work`` on a worker thread under the call's deadline; the result and the call with its times."""
    left = context.time_remaining()
    longest = engine.limits.max_call_s
    call = Call(Budget(longest if left is None else min(left, longest)), StageClock())
    return await engine.workers.run(lambda: work(call), call.budget, call.clock), call


def peer_of(context: Context) -> str:
    """The caller's address."""
    return unquote(context.peer())


def host_of(context: Context) -> str:
    """The caller's host, without the port: "ipv4:127.0.0.1", "ipv6:[::1]", "unix:"."""
    peer = peer_of(context)
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else "unix:"


def intent_of(context: Context, key: str, request: Message) -> WriteIntent:
    """Who writes, under which idempotency key, and what exactly."""
    if not require_idempotency_key(key):
        return WriteIntent(peer_of(context))
    digest = hashlib.sha256(type(request).__name__.encode())
    digest.update(request.SerializeToString(deterministic=True))
    return WriteIntent(peer_of(context), key, digest.hexdigest())

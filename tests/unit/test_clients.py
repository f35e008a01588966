"""The two clients are one: the same methods, arguments and defaults."""

from __future__ import annotations

import inspect

import pytest

import facewire
import facewire.aio
from facewire._channel import full_target
from facewire._status import retry_delay_s


def public_methods(kind: type) -> dict[str, inspect.Signature]:
    members = inspect.getmembers(kind, inspect.isfunction)
    return {name: inspect.signature(member) for name, member in members if not name.startswith("_")}


def arguments(signature: inspect.Signature) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults; asyncio's may also be given what is awaited."""
    return [(each.name, each.kind, each.default) for each in signature.parameters.values()]


def test_both_clients_have_the_same_methods() -> None:
    sync, asynchronous = public_methods(facewire.Client), public_methods(facewire.aio.Client)
    assert set(sync) == set(asynchronous)
    for name, signature in sync.items():
        assert arguments(signature) == arguments(asynchronous[name]), name


def test_every_public_method_is_documented() -> None:
    for kind in (facewire.Client, facewire.aio.Client):
        for name in public_methods(kind):
            assert inspect.getdoc(getattr(kind, name)), name


def error(kind: type[facewire.ServerError], retry_after_s: float | None = None) -> facewire.ServerError:
    return kind("x", code="X", retry_after_s=retry_after_s)


def test_only_what_passes_is_tried_again() -> None:
    assert retry_delay_s(error(facewire.UnavailableError), 0) == pytest.approx(0.1)
    assert retry_delay_s(error(facewire.UnavailableError), 3) == pytest.approx(0.8)
    assert retry_delay_s(error(facewire.UnavailableError), 30) == pytest.approx(2.0)
    assert retry_delay_s(error(facewire.OverloadedError, 1.5), 0) == pytest.approx(1.5)
    assert retry_delay_s(error(facewire.OverloadedError, 1e9), 0) == pytest.approx(5.0)
    assert retry_delay_s(error(facewire.OverloadedError), 0) is None, "too large a message stays too large"
    for kind in (facewire.InvalidArgumentError, facewire.NotFoundError, facewire.DeadlineError):
        assert retry_delay_s(error(kind), 0) is None


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("localhost", "localhost:50061"),
        ("127.0.0.1:7", "127.0.0.1:7"),
        ("http://box:50061/", "box:50061"),
        ("[::1]", "[::1]:50061"),
        ("[::1]:9", "[::1]:9"),
        ("unix:/run/facewire.sock", "unix:/run/facewire.sock"),
        ("dns:///box:1", "dns:///box:1"),
    ],
)
def test_an_address_without_a_port_gets_ours(given: str, full: str) -> None:
    assert full_target(given) == full

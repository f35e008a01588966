"""Pages of lists."""

from __future__ import annotations

from typing import Protocol

from facewire_server.domain.errors import InvalidArgument
from facewire_server.domain.gallery import Page

_DEFAULT_SIZE = 100
_MAX_SIZE = 1000


class _Paged(Protocol):
    @property
    def page_size(self) -> int: ...
    @property
    def page_token(self) -> str: ...


def page_of(request: _Paged) -> Page:
    """The page asked for.

    Raises:
        InvalidArgument: it is too large.
    """
    if request.page_size > _MAX_SIZE:
        raise InvalidArgument("page_size", f"must be at most {_MAX_SIZE}")
    return Page(request.page_size or _DEFAULT_SIZE, request.page_token)

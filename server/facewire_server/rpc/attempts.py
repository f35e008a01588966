"""Log-ins that failed as no living person's does: after a few the client waits, so that luck is not tried for long."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from facewire_server.domain.errors import Overloaded

_WITHIN_S: Final = 600.0
_MOST_HOSTS: Final = 1000


class AttemptLimit:
    """Counts failures of each host. For one event loop."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def require(self, host: str, most: int, now_s: float) -> None:
        """Whether the host may try now, with at most so many failures in ten minutes.

        Raises:
            Overloaded: there were more; with the time to wait.
        """
        recent = self._recent(host, now_s)
        if len(recent) >= most:
            wait_s = recent[-most] + _WITHIN_S - now_s
            raise Overloaded(f"{most} log-ins from here failed within ten minutes as a recording's would", wait_s)

    def failed(self, host: str, now_s: float) -> None:
        """One more."""
        self._failures[host] = [*self._recent(host, now_s), now_s]
        self._failures.move_to_end(host)
        while len(self._failures) > _MOST_HOSTS:
            self._failures.popitem(last=False)

    def _recent(self, host: str, now_s: float) -> list[float]:
        return [at_s for at_s in self._failures.get(host, []) if now_s - at_s < _WITHIN_S]

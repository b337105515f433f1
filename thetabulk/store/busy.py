"""How long a drive has kept us waiting: `os` for a Disk, with a watch on the calls that move bytes."""

import os
from collections.abc import Callable
from threading import Lock
from typing import Any

_WAITING = ("write", "read", "fsync", "fdatasync", "close", "replace", "rename")
"""Calls that may wait for the medium."""


class BusyCalls:
    """Everything that `calls` has; `busy_s` is for how long at least one of the waiting calls was under way, whichever
    thread made it. `monotonic` is a clock of seconds."""

    def __init__(self, monotonic: Callable[[], float], calls: Any = os) -> None:
        self._monotonic = monotonic
        self._calls = calls
        self._lock = Lock()
        self._under_way = 0
        self._since = 0.0
        self._busy_s = 0.0

    def busy_s(self) -> float:
        """Until now, a call that is under way included."""
        with self._lock:
            return self._busy_s + (self._monotonic() - self._since if self._under_way else 0.0)

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, watched."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._begin()
            try:
                return call(*args, **kwargs)
            finally:
                self._end()

        return watched

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._calls, name)
        return self.timed(found) if name in _WAITING else found

    def _begin(self) -> None:
        with self._lock:
            if not self._under_way:
                self._since = self._monotonic()
            self._under_way += 1

    def _end(self) -> None:
        with self._lock:
            self._under_way -= 1
            if not self._under_way:
                self._busy_s += self._monotonic() - self._since

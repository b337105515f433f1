"""An `os` that fails on cue: the seam at which every storage fault of these tests is put in."""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from thetabulk.store.disk import Disk


class Killed(BaseException):
    """The process is gone: nothing after it runs, no tidying up either."""


class FaultyOs:
    """`os`, except that the n-th call (or the n-th of those `named`) raises `error`; `sticky`: every later one too.

    A close that fails has closed, as on Linux. Everything opened through it is closed at the end of the `with` block.
    """

    def __init__(
        self, *, at: int = 0, error: BaseException | None = None, sticky: bool = False, named: str | None = None
    ) -> None:
        self.at, self.error, self.sticky, self.named = at, error, sticky, named
        self.calls: list[str] = []
        self.count = 0
        self.opened: set[int] = set()
        self.instead: dict[str, Callable[..., Any]] = {}

    def arm(self, at: int, error: BaseException, *, sticky: bool = False, named: str | None = None) -> None:
        """From here on: what happened so far does not count."""
        self.calls.clear()
        self.count = 0
        self.at, self.error, self.sticky, self.named = at, error, sticky, named

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if self.named in {None, name}:
                self.count += 1
                if self.error is not None and (self.count == self.at or (self.sticky and self.count > self.at > 0)):
                    if name == "close" and not isinstance(self.error, Killed):
                        self._close(*arguments)
                    raise self.error
            if name == "close":
                return self._close(*arguments)
            result = self.instead.get(name, real)(*arguments, **options)
            if name == "open":
                self.opened.add(result)
            return result

        return call

    def _close(self, descriptor: int) -> None:
        self.opened.discard(descriptor)
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for descriptor in self.opened:
            os.close(descriptor)


def no_sleep(seconds: float) -> None:
    """Tests wait for nothing."""


def plain_disk() -> Disk:
    return Disk(sleep=no_sleep)


def faulty_disk(calls: FaultyOs, platform: str = "linux") -> Disk:
    return Disk(sleep=no_sleep, calls=calls, control=None, platform=platform)

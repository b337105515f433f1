"""The drive: real files in memory, behind an `os` that fails while the drive is said to be gone or full."""

import errno
import os
from collections.abc import Callable
from typing import Any

_TAKES_ROOM = ("write", "mkdir")
_NEEDS_NO_DRIVE = ("close", "fspath")


class TroubledOs:
    """`trouble` says what is wrong now: "drive gone", "disk full" or nothing."""

    def __init__(self, trouble: Callable[[], str]) -> None:
        self._trouble = trouble
        self.met = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            trouble = self._trouble()
            if trouble == "drive gone" and name not in _NEEDS_NO_DRIVE:
                self.met += 1
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            if trouble == "disk full" and name in _TAKES_ROOM:
                self.met += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)

        return call

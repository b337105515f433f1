"""Starts command lines in forked processes: a kill loop cannot pay half a second of imports for every kill."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos import child

if TYPE_CHECKING:  # Windows has neither
    from multiprocessing.context import ForkServerContext, ForkServerProcess

_QUIET = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}  # no threads to lose in a fork, no other order each time


class Child:
    """A process that we started; only such a one is ever signalled."""

    def __init__(self, process: "ForkServerProcess") -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def kill(self) -> None:
        """SIGKILL, if it is still there."""
        self._process.kill()

    def send(self, number: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, number)

    @property
    def over(self) -> bool:
        return not self._process.is_alive()

    def wait(self, seconds: float) -> int | None:
        """The exit code, -9 after a SIGKILL; None if it was still running: then it is killed."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        return code

    @property
    def was_killed(self) -> bool:
        return self._process.exitcode == -signal.SIGKILL


class Nursery:
    def __init__(self, context: "ForkServerContext") -> None:
        self._context = context
        self._children: list[Child] = []

    def start(self, order: "child.Order") -> Child:
        process = self._context.Process(target=child.run, args=(order,), daemon=True)
        process.start()
        started = Child(process)
        self._children = [each for each in self._children if not each.over] + [started]
        return started

    def end(self) -> None:
        for each in self._children:
            each.wait(0)


@contextmanager
def opened() -> Iterator[Nursery]:
    """A nursery; what it started and still lives at the end, is killed."""
    before = {name: os.environ.get(name) for name in _QUIET}
    os.environ.update(_QUIET)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.chaos.child"])
    nursery = Nursery(context)
    try:
        yield nursery
    finally:
        nursery.end()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

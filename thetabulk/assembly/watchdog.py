"""Is the event loop stuck? A thread asks it, for a loop that is stuck can tell nothing itself."""

import sys
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from pathlib import Path
from traceback import walk_stack
from types import FrameType, TracebackType
from typing import Self

import thetabulk
from thetabulk.assembly import clock
from thetabulk.events import Blocked, Emit

_PACKAGE = Path(thetabulk.__file__).parent
_IDLE = ("selectors.py", "windows_events.py")
"""Files in which a loop waits that has nothing to do."""
_LOOP = ("asyncio", "events.py")
"""The file that runs a callback of the loop."""
_PROCESS_STOOD_STILL = 1.5
"""A wait that took so many times as long as it should: the whole process did not run (sleep, Ctrl-Z, no processor)."""


class Watchdog:
    """While it is entered, a loop that answers nobody for `limit_s` is told by `emit` as Blocked, once it goes on
    again: how long, and where it was. Nothing is watched with a `limit_s` of 0.

    For one loop; enter and leave it in the loop's own thread. What holds the interpreter's lock all the while cannot be
    told from a process that did not run, and is not told.
    """

    def __init__(
        self, loop: AbstractEventLoop, *, limit_s: float, emit: Emit, monotonic: Callable[[], float] = clock.monotonic
    ) -> None:
        self._loop = loop
        self._limit_s = limit_s
        self._emit = emit
        self._monotonic = monotonic
        self._over = threading.Event()
        self._answered = threading.Event()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._watched = threading.get_ident()
        if self._limit_s > 0:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._answered.set()  # who waits for the loop need not any longer
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._limit_s / 2):
            self._answered.clear()
            if not self._over.is_set():
                self._ask()

    def _ask(self) -> None:
        asked = self._monotonic()
        self._loop.call_soon_threadsafe(self._answered.set)
        if self._answered.wait(self._limit_s):
            return
        if self._monotonic() - asked > self._limit_s * _PROCESS_STOOD_STILL:
            return
        stack = where(sys._current_frames().get(self._watched))  # noqa: SLF001 - documented, for this
        self._answered.wait()
        if stack and not self._over.is_set():
            self._loop.call_soon_threadsafe(self._emit, Blocked(round(self._monotonic() - asked, 1), stack))


def where(frame: FrameType | None) -> tuple[str, ...]:
    """What the loop is busy with, outermost first: `store/part.py:120 commit`; nothing if it only waits."""
    seen = [] if frame is None else [(Path(one.f_code.co_filename), line, one) for one, line in walk_stack(frame)]
    if not seen or seen[0][0].name in _IDLE:
        return ()
    inner = [f"{_place(path)}:{line} {one.f_code.co_name}" for path, line, one in _in_the_loop(seen)]
    return tuple(reversed(inner))


def _in_the_loop(seen: Sequence[tuple[Path, int, FrameType]]) -> Sequence[tuple[Path, int, FrameType]]:
    """Innermost first, up to the loop: what began the loop is no news."""
    ends = [number for number, (path, _, _) in enumerate(seen) if path.parts[-2:] == _LOOP]
    return seen[: ends[0]] if ends else seen


def _place(path: Path) -> str:
    return path.relative_to(_PACKAGE).as_posix() if path.is_relative_to(_PACKAGE) else path.name

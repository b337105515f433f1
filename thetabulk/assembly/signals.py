"""Ctrl-C, TERM and HUP, told to whoever is at work, with an event loop or without one."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

Told = Callable[[signal.Signals], object]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no HUP
_LEAVE_AT_ONCE = 3
_hearing: list[Told] = []  # the innermost block last; like the handlers themselves, one for the process


@contextmanager
def heard(told: Told) -> Iterator[None]:
    """Inside the block they are told, and do nothing else; to a block inside of it instead, while there is one.
    Afterwards they do what they did before; one that is ignored stays so (nohup). In the main thread, with an event
    loop that runs."""
    _hearing.append(told)
    try:
        if len(_hearing) > 1:
            yield
        else:
            with _handled(_tell_innermost):
                yield
    finally:
        _hearing.pop()


def _tell_innermost(number: signal.Signals) -> None:
    _hearing[-1](number)


def leaving(told: Told) -> Told:
    """`told`, but for the third press: leave at once; the next start tidies up."""
    presses = count(1)

    def tell(number: signal.Signals) -> None:
        if next(presses) >= _LEAVE_AT_ONCE:
            os._exit(128 + number)
        told(number)

    return tell


async def until_told(work: Coroutine[None, None, int]) -> int:
    """The exit code of the work; 128 + the signal's number if it was cancelled by one that nobody inside has heard."""
    task = asyncio.ensure_future(work)
    first: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if not first:  # a second one would cut short what the first has begun
            task.cancel()
        first.append(number)

    with heard(leaving(stop)):
        try:
            return await task
        except asyncio.CancelledError:
            if not first:
                raise
            return 128 + first[0]


@contextmanager
def _handled(told: Told) -> Iterator[None]:
    loop, before = asyncio.get_running_loop(), _not_ignored()
    for number in before:
        try:
            loop.add_signal_handler(number, told, number)
        except NotImplementedError:  # Windows: a plain handler, which may only tell the loop
            signal.signal(number, lambda n, _: loop.call_soon_threadsafe(told, signal.Signals(n)))
    try:
        yield
    finally:
        for number in before:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
        _restore(before)


@contextmanager
def first_heard() -> Iterator[Callable[[], int]]:
    """For work without an event loop: inside the block the first signal is only remembered: its number, 0 before. The
    second does what it did before. One that is ignored stays so; outside the main thread none is heard."""
    found: list[int] = []
    before = _not_ignored() if threading.current_thread() is threading.main_thread() else {}

    def note(number: int, _: object) -> None:
        found.append(number)
        _restore(before)

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: found[0] if found else 0
    finally:
        _restore(before)


def _not_ignored() -> dict[signal.Signals, Any]:
    """What each of them does now, but for those that are ignored."""
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)

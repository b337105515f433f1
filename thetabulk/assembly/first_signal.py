"""Ctrl-C, TERM and HUP in work without an event loop: what is under way is finished first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no HUP


@contextmanager
def first_heard() -> Iterator[Callable[[], int]]:
    """Inside the block the first signal is only remembered: its number, 0 before. The second does what it did before.
    One that is ignored stays so; outside the main thread none is heard."""
    found: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: old for number in numbers if (old := signal.getsignal(number)) is not signal.SIG_IGN}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def note(number: int, _: object) -> None:
        found.append(number)
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: found[0] if found else 0
    finally:
        restore()

"""Ctrl-C, TERM and HUP, told to whoever is at work in the event loop."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no HUP


@contextmanager
def heard(told: Callable[[signal.Signals], object]) -> Iterator[None]:
    """Inside the block they are told, and do nothing else. Afterwards they do what they did before; one that is ignored
    stays so (nohup). In the main thread, with an event loop that runs."""
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        try:
            loop.add_signal_handler(number, told, number)
        except NotImplementedError:  # Windows: a plain handler, which may only tell the loop
            signal.signal(number, lambda n, _: loop.call_soon_threadsafe(told, signal.Signals(n)))
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

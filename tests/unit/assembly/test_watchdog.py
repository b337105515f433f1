"""A loop that is stuck is told, with where it was; one that only waits is not."""

import asyncio
import time
from collections.abc import Callable
from itertools import count

from thetabulk.assembly.watchdog import Watchdog, where
from thetabulk.events import Blocked, Event
from thetabulk.report.sentences import is_warning, sentence

LIMIT_S = 0.05


def stuck_until(over: Callable[[], bool]) -> None:
    """What no coroutine may do. The deadline is for a watchdog that does not bark."""
    deadline = time.monotonic() + 20
    while not over() and time.monotonic() < deadline:
        time.sleep(0.001)


def told(work: Callable[[], None], *, limit_s: float = LIMIT_S, monotonic: Callable[[], float] = time.monotonic,
         seconds: float = 0.0) -> list[Event]:  # fmt: skip
    """What is told of a loop that does this work, and then waits for so long, or for the first event."""
    events: list[Event] = []

    async def main() -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()

        def hear(event: Event) -> None:
            events.append(event)
            heard.set()

        with Watchdog(loop, limit_s=limit_s, emit=hear, monotonic=monotonic):
            await asyncio.sleep(0)
            work()
            try:
                await asyncio.wait_for(heard.wait(), seconds or 10)
            except TimeoutError:
                return

    asyncio.run(main())
    return events


def blocked_for_long() -> None:
    began = time.monotonic()
    stuck_until(lambda: time.monotonic() > began + 10 * LIMIT_S)


def test_a_loop_that_is_blocked_is_told_with_the_place() -> None:
    """How long, and in which function, innermost last; what began the loop is left out."""
    event = next(event for event in told(blocked_for_long) if isinstance(event, Blocked))
    assert 2 * LIMIT_S < event.seconds < 15
    assert any(place.endswith(" stuck_until") for place in event.stack)
    assert event.stack[0].endswith(" main")
    assert all(place.startswith("test_watchdog.py:") for place in event.stack if "stuck_until" in place)


def test_it_is_a_warning_of_one_line() -> None:
    """The innermost places of the stack: enough to say whose fault it is."""
    event = Blocked(2.4, ("run/walk.py:1 work", "a.py:2 b", "store/part.py:3 commit", "disk.py:4 sync"))
    assert sentence(event) == "everything stood still for 2 s, in a.py:2 b > store/part.py:3 commit > disk.py:4 sync"
    assert is_warning(event)


def test_a_loop_that_waits_is_not_blocked() -> None:
    """However long nothing happens: it answers at once when asked."""
    assert told(lambda: None, seconds=6 * LIMIT_S) == []


def test_a_machine_that_slept_is_not_blocked() -> None:
    """Nothing ran at all meanwhile: the clock is far ahead of what was waited."""
    leaps = count(0.0, 3_600.0)
    assert told(blocked_for_long, monotonic=lambda: next(leaps), seconds=4 * LIMIT_S) == []


def test_without_a_limit_nobody_looks() -> None:
    """`run.blocked_s = 0`."""
    assert told(blocked_for_long, limit_s=0.0, seconds=2 * LIMIT_S) == []


def test_nothing_to_be_seen_is_no_place() -> None:
    """A thread that is gone."""
    assert where(None) == ()

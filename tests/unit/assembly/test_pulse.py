"""Once a second: who hears what, and when an absent Terminal is absent for too long."""

import asyncio

import pytest

from tests.unit.run.world import QQQ
from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.pulse import Pulse
from thetabulk.errors import TerminalUnavailable
from thetabulk.events import BreakerChanged, BytesReceived, Event, LimitChanged, Notice
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit
from thetabulk.fetch.verdict import Verdict
from thetabulk.model import Shard


class Wired:
    def __init__(self, pause_limit_s: float = 3600.0) -> None:
        self.limit = Limit(1, 12)
        self.breaker = Breaker()
        self.gate = Gate(
            (self.limit.limit, lambda: self.breaker.capacity(now())), launch_gap_s=0.0, now=now
        )  # fmt: skip
        self.events: list[Event] = []
        self.memory = 40.0
        self.pulse = Pulse(
            self.limit, self.gate, self.breaker, emit=self.events.append, pause_limit_s=pause_limit_s, monotonic=now,
            memory_percent=lambda: self.memory,
        )  # fmt: skip

    def nobody_answers(self) -> None:
        for _ in range(5):
            self.breaker.failed(now(), "connection refused")


@in_virtual_time
async def test_a_terminal_that_is_away_for_too_long_ends_the_run() -> None:
    """Exit 8, with the cause; probes that fail do not begin the count anew."""
    wired = Wired()
    running = asyncio.ensure_future(wired.pulse.run())
    for _ in range(3600 // 20):
        await asyncio.sleep(20)
        wired.nobody_answers()
    assert not running.done()
    await asyncio.sleep(60)
    with pytest.raises(TerminalUnavailable, match="connection refused"):
        await running


@in_virtual_time
async def test_a_terminal_that_comes_back_in_time_is_forgiven() -> None:
    """The next outage has the whole patience again; opening, probing and closing are told."""
    wired = Wired()
    running = asyncio.ensure_future(wired.pulse.run())
    for _ in range(3):
        wired.nobody_answers()
        await asyncio.sleep(3500)
        wired.breaker.succeeded()
        await asyncio.sleep(2)
    assert not running.done()
    running.cancel()
    states = [event.state for event in wired.events if isinstance(event, BreakerChanged)]
    assert [state for state in states if state != "open"] == ["probing", "closed"] * 3


@in_virtual_time
async def test_a_new_limit_is_told_once_with_its_reason() -> None:
    """And whoever waits at the gate looks again."""
    wired = Wired()
    running = asyncio.ensure_future(wired.pulse.run())
    await asyncio.sleep(2.5)
    for _ in range(4):
        wired.limit.result(Verdict.SLOW_DOWN, in_flight=1)
    await asyncio.sleep(2)
    running.cancel()
    told = [event for event in wired.events if isinstance(event, LimitChanged)]
    assert [event.limit for event in told] == [wired.limit.limit()]
    assert "429" in told[0].reason


@in_virtual_time
async def test_bytes_of_a_second_are_counted_once() -> None:
    """The limit is told what arrived since the last beat."""
    wired = Wired()
    heard: list[int] = []
    tick = wired.limit.tick
    wired.limit.tick = lambda *, received, **rest: (heard.append(received), tick(received=received, **rest))  # type: ignore[method-assign,func-returns-value,assignment]
    running = asyncio.ensure_future(wired.pulse.run())
    for second in range(3):
        for size in (10, second):
            wired.pulse.hear(BytesReceived(Shard(QQQ, None), size))  # type: ignore[arg-type]
        await asyncio.sleep(1.0)
    await asyncio.sleep(0.5)
    running.cancel()
    assert sum(heard) == 33
    assert len(heard) == 3


@in_virtual_time
async def test_after_sleep_what_was_in_flight_begins_again() -> None:
    """Said once, with how long; the wall clock went on while the monotonic one stood still."""
    wired, slept, woken = Wired(), [0.0], []
    pulse = Pulse(
        wired.limit, wired.gate, wired.breaker, emit=wired.events.append, pause_limit_s=60.0, monotonic=now,
        memory_percent=lambda: 40.0, wall=lambda: now() + slept[0], wake=lambda: woken.append(now()),
    )  # fmt: skip
    running = asyncio.ensure_future(pulse.run())
    await asyncio.sleep(10)
    slept[0] = 7 * 3600.0
    await asyncio.sleep(10)
    running.cancel()
    assert len(woken) == 1
    assert [event.message for event in wired.events if isinstance(event, Notice)] == [
        "nothing ran here for 25200 s (sleep, or Ctrl-Z): transfers begin again"
    ]

"""The gate: who is admitted, when, and in what order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fetch.raw_server import in_a_loop
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.gate import Draining, Gate


class Clock:
    """Time that passes only when somebody sleeps, or when told to."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        until = self.at + seconds
        await settle()
        self.at = max(self.at, until)


async def settle() -> None:
    """Let everybody run until nobody can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Crowd:
    """Tasks that want a slot, by name; they leave when told to."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._leave: dict[int, asyncio.Event] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.admitted: list[int] = []

    async def come(self, *names: int) -> None:
        for name in names:
            self._leave[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._visit(name))
        await settle()

    async def go(self, *names: int) -> None:
        for name in names:
            self._leave[name].set()
        await settle()

    async def _visit(self, name: int) -> None:
        async with self._gate.slot():
            self.admitted.append(name)
            await self._leave[name].wait()


@asynccontextmanager
async def crowd_at(gate: Gate) -> AsyncIterator[Crowd]:
    """A crowd that is sent home in the end."""
    crowd = Crowd(gate)
    try:
        yield crowd
    finally:
        for task in crowd.tasks.values():
            task.cancel()
        await asyncio.gather(*crowd.tasks.values(), return_exceptions=True)


def a_gate(*capacities: int) -> Gate:
    """A gate without a launch gap."""
    return Gate([lambda value=value: value for value in capacities], launch_gap_s=0.0, now=Clock().now)  # type: ignore[misc]


@in_a_loop
async def test_the_least_capacity_counts() -> None:
    """Limit 5, breaker closed, health fine, ceiling 2: two."""
    async with crowd_at(gate := a_gate(5, 1_000_000, 7, 2)) as crowd:
        await crowd.come(1, 2, 3)
        assert (gate.capacity(), gate.in_flight, gate.waiting) == (2, 2, 1)


@in_a_loop
async def test_first_come_first_served() -> None:
    """However many leave, in whatever order."""
    async with crowd_at(a_gate(2)) as crowd:
        await crowd.come(1, 2, 3, 4, 5, 6)
        await crowd.go(2)
        await crowd.come(7)
        await crowd.go(1, 3, 4, 5, 6, 7)
        assert crowd.admitted == [1, 2, 3, 4, 5, 6, 7]


@in_a_loop
async def test_cut_and_raised_again_admits_no_more_than_it_says() -> None:
    """A semaphore of differences would have 5 in flight here."""
    capacity = 4
    gate = Gate([lambda: capacity], launch_gap_s=0.0, now=Clock().now)
    async with crowd_at(gate) as crowd:
        await crowd.come(1, 2, 3, 4, 5)
        capacity = 1
        gate.changed()
        await settle()
        capacity = 2
        gate.changed()
        await settle()
        assert gate.in_flight == 4
        await crowd.go(1, 2)
        assert (gate.in_flight, gate.waiting) == (2, 1)
        await crowd.go(3)
        assert crowd.admitted[-1] == 5


@in_a_loop
async def test_whoever_waits_hears_of_a_change() -> None:
    """Without anybody leaving."""
    capacity = 0
    gate = Gate([lambda: capacity], launch_gap_s=0.0, now=Clock().now)
    async with crowd_at(gate) as crowd:
        await crowd.come(1, 2, 3)
        assert crowd.admitted == []
        capacity = 2
        await settle()
        assert crowd.admitted == []
        gate.changed()
        await settle()
        assert crowd.admitted == [1, 2]


@in_a_loop
async def test_starts_are_a_gap_apart() -> None:
    """The Terminal drops connections without it."""
    clock = Clock()
    gate = Gate([lambda: 10], launch_gap_s=0.15, now=clock.now, sleep=clock.sleep)
    started: list[float] = []

    async def visit() -> None:
        async with gate.slot():
            started.append(clock.at)

    await asyncio.gather(*(visit() for _ in range(4)))
    assert started == pytest.approx([100.0, 100.15, 100.30, 100.45])


@in_a_loop
async def test_an_open_breaker_lets_one_probe_through_when_its_time_has_come() -> None:
    """Nobody has to tell the gate that time has passed."""
    clock, breaker = Clock(), Breaker()
    gate = Gate(
        [lambda: breaker.capacity(clock.at)],
        launch_gap_s=0.0,
        now=clock.now,
        sleep=clock.sleep,
        reopen_at=lambda: breaker.reopen_at,
    )
    for _ in range(5):
        breaker.failed(clock.at, "refused")
    async with crowd_at(gate) as crowd:
        await crowd.come(1, 2, 3)
        for _ in range(5):
            await settle()
        assert (clock.at, crowd.admitted) == (101.0, [1])
        breaker.failed(clock.at, "refused")
        await crowd.go(1)
        for _ in range(5):
            await settle()
        assert (clock.at, crowd.admitted) == (103.0, [1, 2])
        breaker.succeeded()
        gate.changed()
        await settle()
        assert crowd.admitted == [1, 2, 3]


@in_a_loop
async def test_draining_sends_those_who_wait_home_and_lets_the_others_finish() -> None:
    """And whoever comes later, also where there would be room."""
    async with crowd_at(gate := a_gate(1)) as crowd:
        await crowd.come(1, 2, 3)
        gate.drain()
        await settle()
        await crowd.come(4)
        for name in (2, 3, 4):
            assert isinstance(crowd.tasks[name].exception(), Draining)
        assert (gate.draining, gate.in_flight, gate.waiting) == (True, 1, 0)
        await crowd.go(1)
        await crowd.come(5)
        assert isinstance(crowd.tasks[5].exception(), Draining)
        assert gate.in_flight == 0


@in_a_loop
async def test_a_failing_transfer_gives_its_place_back() -> None:
    """Whatever it raises."""
    gate = a_gate(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with gate.slot():
                raise ZeroDivisionError
    assert gate.in_flight == 0


_STEPS = st.one_of(
    st.tuples(st.just("come"), st.integers(1, 4)),
    st.tuples(st.just("go"), st.integers(0, 30)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("resize"), st.integers(0, 6)),
    st.tuples(st.just("pass"), st.integers(0, 3)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_STEPS, max_size=40), st.sampled_from([0.0, 0.15]))
def test_nobody_is_admitted_above_the_capacity(steps: list[tuple[str, int]], gap_s: float) -> None:
    """Any order of coming, leaving, cancelling and resizing; and in the end all who wait get their turn, in order."""
    asyncio.run(_storm(steps, gap_s))


async def _storm(steps: list[tuple[str, int]], gap_s: float) -> None:
    capacity, clock = 2, Clock()
    gate = Gate([lambda: capacity], launch_gap_s=gap_s, now=clock.now, sleep=clock.sleep)
    admitted: list[int] = []
    tasks: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    async def visit(name: int, leave: asyncio.Event) -> None:
        slot: AbstractAsyncContextManager[None] = gate.slot()
        async with slot:
            assert gate.in_flight <= capacity
            admitted.append(name)
            await leave.wait()

    for what, value in steps:
        if what == "come":
            for _ in range(value):
                leave = asyncio.Event()
                tasks.append((asyncio.create_task(visit(len(tasks), leave)), leave))
        elif what == "go" and value < len(tasks):
            tasks[value][1].set()
        elif what == "cancel" and value < len(tasks):
            tasks[value][0].cancel()
        elif what == "resize":
            capacity = value
            gate.changed()
        for _ in range(value if what == "pass" else 0):
            await asyncio.sleep(0)
    capacity = 3
    gate.changed()
    for _, leave in tasks:
        leave.set()
    results = await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    assert admitted == sorted(admitted)
    assert (gate.in_flight, gate.waiting) == (0, 0)

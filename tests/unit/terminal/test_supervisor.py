"""The supervisor's loop on a virtual clock, against a machine and a vendor that are only written down: hours of the
founding incidents in a moment."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.virtual_time import in_virtual_time, now
from thetabulk.config import TerminalConfig
from thetabulk.errors import AccountError, TerminalUnavailable
from thetabulk.events import Event, Notice, Paused, TerminalStarted, TerminalStopped
from thetabulk.terminal.causes import Seen, after, pardoned
from thetabulk.terminal.child import Life
from thetabulk.terminal.host import Recipe
from thetabulk.terminal.lifecycle import Limits
from thetabulk.terminal.listeners import Listener, Program
from thetabulk.terminal.ownership import Mark
from thetabulk.terminal.probe import Sign
from thetabulk.terminal.supervisor import Supervisor

HOUR = 3_600.0
WELL = Sign(200, "CONNECTED")
SILENCE = Sign(None, "TimeoutError")
EPOCH = 1_765_000_000.0


@dataclass
class FakeLife:
    """A Terminal that lives until it is told otherwise."""

    mark: Mark
    begun: float
    seen: Seen = field(default_factory=Seen)
    lines: int = 0
    first_time: bool = False
    code: int | None = None

    def has_ended(self) -> bool:
        return self.code is not None

    def tail(self, count: int) -> list[str]:
        return []

    def pardon(self) -> None:
        self.seen = pardoned(self.seen)

    def signal(self, *, kill: bool) -> None:
        raise AssertionError("its world ends it")

    def say(self, line: str) -> None:
        self.seen = after(self.seen, line)
        self.lines += 1

    def exit(self, code: int, line: str = "") -> None:
        self.say(line)
        self.code = code


class World:
    """The machine and the vendor in one: `answer` says what the Terminal answers, `born` what happens at a start."""

    port = 25503

    def __init__(self) -> None:
        self.lives: list[FakeLife] = []
        self.looks: list[float] = []
        self.ends: list[float] = []
        self.events: list[tuple[float, Event]] = []
        self.born: Callable[[FakeLife], None] = lambda life: None
        self.answer: Callable[[FakeLife], Sign] = lambda life: WELL
        self.foreign: Callable[[], Sign] = lambda: SILENCE
        self.taken: Callable[[], bool] = lambda: False
        self.record: dict[str, object] = {}
        self.prepared_in: list[threading.Thread] = []

    @property
    def life(self) -> FakeLife | None:
        return self.lives[-1] if self.lives and not self.lives[-1].has_ended() else None

    @property
    def starts(self) -> list[float]:
        return [life.begun for life in self.lives]

    def stops(self) -> list[tuple[float, TerminalStopped]]:
        return [(at, event) for at, event in self.events if isinstance(event, TerminalStopped)]

    async def look(self) -> Sign:
        self.looks.append(now())
        return self.foreign() if self.life is None else self.answer(self.life)

    async def ask_to_stop(self) -> Sign:
        raise AssertionError("only the end of a life asks that, and it is written down here")

    def prepare(self) -> Recipe:
        self.prepared_in.append(threading.current_thread())
        return Recipe(Path("/java"), Path("/ThetaTerminalv3.jar"), None, ())

    def launch(self, recipe: Recipe) -> Life:
        assert threading.current_thread() is threading.main_thread(), "the leash is bound to the thread that starts"
        assert self.life is None, "two Terminals of one account"
        life = FakeLife(Mark(1_000 + len(self.lives), now(), "token"), now())
        self.lives.append(life)
        self.born(life)
        return life

    def orphan(self) -> Life | None:
        return None

    def has_port(self, life: Life) -> bool:
        return True

    async def end(self, life: Life | None) -> str:
        if self.life is not None:
            self.life.exit(143)
            self.ends.append(now())
        return "TERM"

    def port_is_free(self) -> bool:
        return not self.taken()

    def owners(self) -> Sequence[Listener]:
        return (Listener("0.0.0.0", self.port, Program(4242, "java -jar ThetaTerminalv3.jar")),)

    def suspects(self, life: Life | None) -> Sequence[Program]:
        return ()

    def remember(self, life: Life | None, details: dict[str, object]) -> None:
        self.record = details

    def remembered(self) -> dict[str, object]:
        return self.record

    def supervisor(self) -> Supervisor:
        return Supervisor(
            TerminalConfig(), self, self, limits=Limits(), monotonic=now, wall=lambda: EPOCH + now(),  # type: ignore[arg-type]
            rng=lambda: 0.5, emit=lambda event: self.events.append((now(), event)),
        )  # fmt: skip


def most_within(times: Sequence[float], seconds: float) -> int:
    return max((sum(at <= other < at + seconds for other in times) for at in times), default=0)


async def for_hours(supervisor: Supervisor, hours: float) -> "asyncio.Task[None]":
    task = asyncio.create_task(supervisor.run())
    await asyncio.wait((task,), timeout=hours * HOUR)
    task.cancel()
    return task


@in_virtual_time
async def test_incident_one_over_six_hours() -> None:
    """A held port, a session on a laptop elsewhere until 19:23 + 51 min and kept by the vendor for 15 more, 429 on the
    status, a vendor that shuts out who logs in twice within ten minutes: at most one login in ten minutes, at most
    three restarts in any ten, the cause on screen within five seconds, and in the end it is in service."""
    world = World()
    freed_at = 66 * 60.0
    world.taken = lambda: now() < 45  # the orphan of somebody's last attempt

    def born(life: FakeLife) -> None:
        too_fast = len(world.starts) > 1 and life.begun - world.starts[-2] < 600
        assert not too_fast, f"logins at {world.starts}: the account would be shut out"
        if life.begun < freed_at:
            asyncio.get_running_loop().call_later(2.0, life.exit, 1, "login refused: ACCOUNT_ALREADY_CONNECTED")

    def answer(life: FakeLife) -> Sign:
        if life.begun < freed_at:
            return SILENCE
        if 2 * HOUR < now() < 3 * HOUR:
            return Sign(429, "Too many requests")
        return Sign(474, "Disconnected") if 4 * HOUR < now() < 4.5 * HOUR else WELL

    world.born, world.answer = born, answer
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await asyncio.sleep(6 * HOUR)
    assert not task.done()
    assert supervisor.status.state == "ready"
    assert most_within(world.starts, 600) == 1
    assert most_within(world.starts[1:], 600) <= 3
    assert [stop.cause for _, stop in world.stops()] == ["session-taken"] * 3
    exits = [life.begun + 2.0 for life in world.lives if life.begun < freed_at]
    assert all(0 <= told - exited <= 5 for (told, _), exited in zip(world.stops(), exits, strict=True))
    said = [event.message for _, event in world.events if isinstance(event, Notice)]
    assert said == [
        "port 25503 is taken by pid 4242 (java -jar ThetaTerminalv3.jar); waiting for it",
        "the Terminal is not connected (Disconnected): no requests until it is",
        "the Terminal is connected again",
    ]
    quiet = [at for at in world.looks if 2 * HOUR < at < 3 * HOUR]
    assert len(quiet) <= HOUR / 130 + 1
    task.cancel()


@in_virtual_time
async def test_an_hour_of_429_restarts_nothing() -> None:
    """D8: alive, and asked every 130 seconds at most."""
    world = World()
    world.answer = lambda life: Sign(429, "Too many requests") if now() > 100 else WELL
    await for_hours(world.supervisor(), 1)
    assert len(world.starts) == 1
    assert world.stops() == []
    assert len([at for at in world.looks if at > 100]) <= HOUR / 130 + 1


@in_virtual_time
async def test_hours_without_the_vendor_are_waited_out() -> None:
    """474 for four hours: no restart, at most one look a minute in the long run, and back within a minute."""
    world = World()
    world.answer = lambda life: Sign(200, "DISCONNECTED") if 60 < now() < 4 * HOUR else WELL
    supervisor = world.supervisor()
    task = await for_hours(supervisor, 4 + 61 / HOUR)
    assert len(world.starts) == 1
    assert supervisor.status.state == "ready"
    looks = [at for at in world.looks if 600 < at < 4 * HOUR]
    assert len(looks) <= 4 * 60
    assert not task.done() or task.cancelled()


@in_virtual_time
async def test_a_hang_is_seen_after_two_minutes_and_restarted_once() -> None:
    """D2: no answer of any status for 120 seconds."""
    world = World()
    world.answer = lambda life: SILENCE if len(world.starts) == 1 and now() > 300 else WELL
    await for_hours(world.supervisor(), 1)
    ((at, stop),) = world.stops()
    assert stop.cause == "hangs"
    assert 420 <= at <= 435
    assert len(world.starts) == 2


@in_virtual_time
async def test_a_machine_that_slept_does_not_take_silence_for_a_hang() -> None:
    """The first looks after a long sleep may fail; the time asleep is not counted."""
    world = World()
    supervisor = world.supervisor()
    slept = [0.0]
    supervisor._wall = lambda: EPOCH + now() + slept[0]
    task = asyncio.create_task(supervisor.run())
    await asyncio.sleep(300)
    world.answer = lambda life: SILENCE
    await asyncio.sleep(100)
    slept[0] = 8 * HOUR
    await asyncio.sleep(100)
    world.answer = lambda life: WELL
    await asyncio.sleep(300)
    assert world.stops() == []
    task.cancel()


@in_virtual_time
async def test_crash_after_crash_keeps_to_both_limits_and_ends() -> None:
    """Three restarts in any ten minutes, ten in a day; then exit code 8 with the reason."""
    world = World()
    world.born = lambda life: life.exit(1, "some reason")
    task = asyncio.create_task(world.supervisor().run())
    with pytest.raises(TerminalUnavailable, match="10 restarts within 24 hours have not helped"):
        await task
    assert len(world.starts) == 11
    assert most_within(world.starts[1:], 600) <= 3


@in_virtual_time
async def test_a_session_that_never_comes_back_ends_with_the_account() -> None:
    """Exit code 7 in the end; never two logins within ten minutes."""
    world = World()
    world.answer = lambda life: Sign(200, "UNVERIFIED")
    task = asyncio.create_task(world.supervisor().run())
    with pytest.raises(AccountError, match="another login has taken the account's one session"):
        await task
    assert most_within(world.starts, 600) == 1
    assert len(world.starts) == 11


@in_virtual_time
async def test_a_cool_down_outlives_its_supervisor() -> None:
    """Stopped in the middle of it and started again at once: the vendor's patience is the same."""
    world = World()
    world.answer = lambda life: Sign(200, "UNVERIFIED")
    first = world.supervisor()
    task = asyncio.create_task(first.run())
    await asyncio.sleep(60)
    task.cancel()
    await first.stop()
    assert world.record["cause"] == "session-taken"
    world.answer = lambda life: WELL
    second = world.supervisor()
    task = asyncio.create_task(second.run())
    await second.settled.wait()
    assert world.starts[1] - world.ends[0] >= 600
    task.cancel()


@in_virtual_time
async def test_the_gate_is_open_only_while_it_is_connected() -> None:
    """Before the start, while it is lost, and after its end: 0."""
    world = World()
    supervisor = world.supervisor()
    changes: list[int] = []
    supervisor.on_change = lambda: changes.append(supervisor.capacity())
    assert supervisor.capacity() == 0
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    assert supervisor.capacity() > 0
    world.answer = lambda life: Sign(571, "")
    await asyncio.sleep(30)
    assert supervisor.capacity() == 0
    assert changes[-1] == 0
    task.cancel()


@in_virtual_time
async def test_a_wished_restart_happens_once_and_leaves_room() -> None:
    """For a Terminal that has become slow: the policy keeps the last restarts for a need."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    await supervisor.restart("it has slowed down")
    assert supervisor.status.state == "ready"
    await supervisor.restart("it has slowed down")
    await supervisor.restart("it has slowed down")
    assert len(world.starts) == 3
    said = [event.message for _, event in world.events if isinstance(event, Notice)]
    assert said == ["no restart (it has slowed down): there were enough of them lately"]
    assert len([event for _, event in world.events if isinstance(event, TerminalStarted)]) == 3
    task.cancel()


@in_virtual_time
async def test_a_run_that_pauses_for_its_session_tells_the_supervisor() -> None:
    """478 on data, while the status says CONNECTED: ended, and tried again after the cool-down, once."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    supervisor.hear(Paused("DriveGone", "the drive is not there"))
    supervisor.hear(Paused("SessionTaken", "another login has the session"))
    await asyncio.sleep(10)
    assert supervisor.status.state == "cooling"
    supervisor.hear(Paused("SessionTaken", "told again"))
    await supervisor.restart("the cool-down is over, says somebody else")
    assert len(world.starts) == 1
    await asyncio.sleep(700)
    assert supervisor.status.state == "ready"
    assert world.starts[1] - world.ends[0] >= 600
    task.cancel()


@in_virtual_time
async def test_a_foreign_terminal_is_never_ended() -> None:
    """Adopted, whatever it answers later; a wished restart does nothing but say so."""
    world = World()
    world.foreign = lambda: WELL if now() < 100 else SILENCE
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    assert supervisor.status.ownership == "adopted"
    await supervisor.restart("it has slowed down")
    await asyncio.sleep(HOUR)
    assert await supervisor.stop() in ("", "TERM")
    assert world.ends == []
    assert world.starts == []
    assert world.record == {}
    task.cancel()


@in_virtual_time
async def test_something_else_on_the_port_is_not_a_terminal() -> None:
    """D14's other half: it is not adopted, nothing is started beside it."""
    world = World()
    world.foreign = lambda: Sign(404, "<!DOCTYPE HTML>")
    with pytest.raises(TerminalUnavailable, match="is not a Theta Terminal"):
        await world.supervisor().run()
    assert world.starts == []


@in_virtual_time
async def test_what_it_complained_of_before_it_was_connected_explains_no_later_end() -> None:
    """A refused login that succeeded at its second try, hours ago, is neither a lost session nor wrong credentials."""
    world = World()
    world.born = lambda life: life.say("INVALID_CREDENTIALS, then Address already in use")
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    await asyncio.sleep(HOUR)
    world.lives[0].exit(1)
    await asyncio.sleep(5)
    assert [stop.cause for _, stop in world.stops()] == ["exited"]
    assert len(world.starts) == 2
    world.lives[1].exit(1, "ACCOUNT_ALREADY_CONNECTED")
    await asyncio.sleep(5)
    assert [stop.cause for _, stop in world.stops()] == ["exited", "session-taken"]
    task.cancel()


@in_virtual_time
async def test_memory_that_ran_out_once_is_not_forgiven() -> None:
    """Java may limp on for hours after it, connected."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    world.lives[0].say("java.lang.OutOfMemoryError: Java heap space")
    world.answer = lambda life: WELL if now() % 200 > 100 else Sign(474, "")
    await asyncio.sleep(HOUR)
    world.answer = lambda life: WELL
    world.lives[0].exit(1)
    await asyncio.sleep(5)
    assert world.stops()[0][1].cause == "out-of-memory"
    task.cancel()


@in_virtual_time
async def test_a_look_that_is_under_way_does_not_end_a_restart() -> None:
    """It says CONNECTED of a Terminal that is about to be ended: whoever waits for the restart waits on."""
    world = World()
    looking = asyncio.Event()

    async def look_slowly() -> Sign:
        looking.set()
        await asyncio.sleep(3)
        return WELL if world.life is not None else SILENCE

    world.look = look_slowly  # type: ignore[method-assign]
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    looking.clear()
    await looking.wait()
    await supervisor.restart("it has slowed down")
    assert len(world.starts) == 2
    assert supervisor.status.state == "ready"
    task.cancel()


@in_virtual_time
async def test_a_service_that_starts_supervisors_again_and_again_keeps_the_limits() -> None:
    """Each gives up at once, for the credentials are wrong: never more than a first login and three in ten minutes."""
    world = World()
    world.born = lambda life: life.exit(1, "INVALID_CREDENTIALS")
    while now() < HOUR:
        supervisor = world.supervisor()
        with pytest.raises(AccountError):
            await supervisor.run()
        await supervisor.stop()
        assert world.record["state"] == "failed"
        await asyncio.sleep(1)
    assert 3 < len(world.starts) <= 1 + 3 * 7
    assert most_within(world.starts[1:], 600) <= 3


@in_virtual_time
async def test_what_is_over_is_not_told_after_a_stop() -> None:
    """A crash that was mended says nothing about a Terminal that was stopped later; a cool-down does."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    world.lives[0].exit(1)
    await asyncio.sleep(60)
    assert (supervisor.status.state, supervisor.status.cause) == ("ready", "exited")
    task.cancel()
    await supervisor.stop()
    assert (world.record["state"], world.record["cause"], world.record["message"]) == ("absent", "", "")


@in_virtual_time
async def test_a_wished_restart_does_not_shorten_the_cool_down_of_a_session() -> None:
    """Both in one moment: the loss counts, not the wish."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await supervisor.settled.wait()
    supervisor.session_taken()
    await supervisor.restart("it has slowed down")
    assert world.starts[1] - world.ends[0] >= 600
    task.cancel()


async def test_what_takes_seconds_to_look_at_holds_up_nobody() -> None:
    """Java and the jar are looked at in a worker thread; the process is made in the main one. In real time, since in
    virtual time there are no threads."""
    world = World()
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await asyncio.wait_for(supervisor.settled.wait(), 30)
    task.cancel()
    assert len(world.starts) == len(world.prepared_in) == 1
    assert threading.main_thread() not in world.prepared_in

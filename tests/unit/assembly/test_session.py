"""The look at a Terminal that had lost its session or the vendor, and the managed one that has become slow."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from tests.unit.run.world import QQQ
from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly import session
from thetabulk.assembly.session import Session, suspects_beside
from thetabulk.assembly.slowness import Slowness
from thetabulk.errors import SessionTaken, TerminalUnavailable
from thetabulk.events import BytesReceived, Checking, Event, Notice, Slowed
from thetabulk.fetch.decline import Decline
from thetabulk.fetch.verdict import Verdict
from thetabulk.model import Shard
from thetabulk.run.guard import Sight
from thetabulk.terminal.listeners import Listener, Program

DAY = date(2024, 8, 2)


class Terminal:
    """Says this of its status in turn, the last for ever: "" is well, an error is raised; and this to data."""

    def __init__(self, *statuses: str | Exception, verdict: Verdict = Verdict.SAVE) -> None:
        self.statuses = list(statuses)
        self.verdict = verdict
        self.asked: list[date] = []
        self.restarted: list[str] = []

    async def absence(self) -> str:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return status

    async def answer_about(self, day: date) -> Verdict:
        self.asked.append(day)
        return self.verdict

    async def restart(self, why: str) -> None:
        self.restarted.append(why)


async def sight(terminal: Terminal, *, managed: bool = False) -> Sight:
    restart = terminal.restart if managed else None
    return (await Session(terminal.absence, restart=restart).look(terminal.answer_about, DAY)).sight


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verdict.SAVE, Sight.WELL), (Verdict.EMPTY, Sight.WELL), (Verdict.REFUSE, Sight.WELL),
        (Verdict.RETRY, Sight.WELL), (Verdict.SLOW_DOWN, Sight.WELL),
        (Verdict.PAUSE, Sight.SILENT), (Verdict.WAIT, Sight.SILENT), (Verdict.ABORT, Sight.TAKEN),
    ],
)  # fmt: skip
async def test_data_have_the_last_word(verdict: Verdict, found: Sight) -> None:
    """A status of CONNECTED is not believed alone (fault row D15); other errors are not for a pause to wait for."""
    assert await sight(Terminal("", verdict=verdict)) is found


async def test_no_data_are_asked_for_while_the_status_is_bad() -> None:
    """One small question, and no more."""
    for status, found in (("DISCONNECTED", Sight.AWAY), (SessionTaken("UNVERIFIED"), Sight.TAKEN)):
        terminal = Terminal(status)
        assert await sight(terminal) is found
        assert (terminal.asked, terminal.restarted) == ([], [])


async def test_a_managed_terminal_logs_in_again_once_when_the_cool_down_is_over() -> None:
    """Only if its session is gone; then the look is repeated."""
    terminal = Terminal(SessionTaken("UNVERIFIED"), "")
    assert await sight(terminal, managed=True) is Sight.WELL
    assert (len(terminal.restarted), terminal.asked) == (1, [DAY])
    still = Terminal(SessionTaken("UNVERIFIED"))
    assert await sight(still, managed=True) is Sight.TAKEN
    assert len(still.restarted) == 1
    away = Terminal("DISCONNECTED")
    await sight(away, managed=True)
    assert away.restarted == []


def test_suspects_are_those_beside_the_terminal_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line each, a long command cut in its middle: the jar stands at its end."""
    ours, other = Program(1, "java -jar T.jar"), Program(2, "/usr/bin/java " + "-Xmx4g " * 20 + "-jar Other.jar")
    started = Program(3, "python -m thetadata", datetime(2026, 11, 20, 8, 30, tzinfo=UTC))

    def lookalikes(own: Sequence[int]) -> tuple[Program, ...]:
        return tuple(program for program in (ours, other, started) if program.pid not in own)

    monkeypatch.setattr(session, "lookalikes", lookalikes)
    monkeypatch.setattr(
        session, "listeners", lambda port: (Listener("127.0.0.1", port, ours),) if port == 25503 else ()
    )
    first, second = suspects_beside("http://127.0.0.1:25503")
    assert first.startswith("pid 2: /usr/bin/java")
    assert first.endswith("-jar Other.jar")
    assert len(first) < 90
    assert second == "pid 3, since 2026-11-20 08:30 UTC: python -m thetadata"


class Slow:
    """A Terminal in virtual time that brings so many bytes a second, in one answer of a hundred seconds."""

    def __init__(self, *, remedy_fails: bool = False, managed: bool = True) -> None:
        self.events: list[Event] = []
        self.paused = False
        self.restarts: list[float] = []
        self.remedy_fails = remedy_fails
        self.slowness = Slowness(
            Decline(60, 3.0), in_flight=lambda: 1, paused=lambda: self.paused, emit=self.events.append, monotonic=now,
            cooldown_s=600.0, remedy=self._restart if managed else None,
        )  # fmt: skip

    async def _restart(self, why: str) -> None:
        self.restarts.append(now())
        if self.remedy_fails:
            raise TerminalUnavailable("it does not start")

    def answers(self, number: int) -> None:
        for day in range(1, number + 1):
            self.slowness.hear(Checking(Shard(QQQ, date(2024, 8, day))))

    async def bring(self, seconds: int, bytes_per_s: int) -> None:
        for _ in range(seconds):
            self.slowness.hear(BytesReceived(Shard(QQQ, DAY), bytes_per_s))
            await asyncio.sleep(1.0)


@in_virtual_time
async def test_a_terminal_that_becomes_slow_is_told_and_restarted_once_per_cool_down() -> None:
    """However long it stays slow."""
    slow = Slow()
    running = asyncio.ensure_future(slow.slowness.run())
    slow.answers(4)
    await slow.bring(60, 10_000_000)
    await slow.bring(1_500, 1_000_000)
    running.cancel()
    assert [event.over for event in slow.events if isinstance(event, Slowed)] == [False]
    assert len(slow.restarts) == 3
    assert min(later - earlier for earlier, later in zip(slow.restarts, slow.restarts[1:])) >= 600.0  # noqa: B905


@in_virtual_time
async def test_without_management_it_is_only_told() -> None:
    """And a pause is no slowness."""
    slow = Slow(managed=False)
    running = asyncio.ensure_future(slow.slowness.run())
    slow.answers(4)
    await slow.bring(61, 10_000_000)
    slow.paused = True
    await slow.bring(300, 0)
    assert slow.events == []
    slow.paused = False
    await slow.bring(125, 1_000_000)
    running.cancel()
    assert len([event for event in slow.events if isinstance(event, Slowed)]) == 1
    assert slow.restarts == []


@in_virtual_time
async def test_a_restart_that_fails_does_not_end_the_looking() -> None:
    """It is said; whether anybody answers is for the breaker to see."""
    slow = Slow(remedy_fails=True)
    running = asyncio.ensure_future(slow.slowness.run())
    slow.answers(4)
    await slow.bring(60, 10_000_000)
    await slow.bring(1_000, 1_000_000)
    assert not running.done()
    running.cancel()
    assert Notice("the Terminal could not be restarted: it does not start", "warning") in slow.events
    assert len(slow.restarts) == 2

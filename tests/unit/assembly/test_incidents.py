"""Incidents of a run on a virtual clock: when they are told on the screen, when outside, and how often."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.run.test_watch import SHARDS, STARTED, failed
from tests.unit.run.world import saved
from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.incidents import Incidents
from thetabulk.config import IncidentConfig
from thetabulk.events import (
    BreakerChanged,
    Event,
    Incident,
    Paused,
    Resumed,
    RunFinished,
    ShardFinished,
    ShardStarted,
    Stopping,
)
from thetabulk.run.watch import Watch

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Wired:
    """Incidents over a watch; `outside` is what would leave the program, `told` what the screen hears, and when."""

    def __init__(self, settings: IncidentConfig | None = None) -> None:
        settings = settings or IncidentConfig()
        self.told: list[tuple[float, Incident]] = []
        self.outside: list[dict[str, Any]] = []
        self.incidents = Incidents(
            settings, Watch(settings, days_left=lambda: 7), days_left=lambda: 7, emit=self._emit, monotonic=now,
            now=lambda: NOON + timedelta(seconds=now()),
        )  # fmt: skip
        self.incidents._outlets.tell = lambda document: self.outside.append(dict(document))  # type: ignore[method-assign]

    def _emit(self, event: Event) -> None:
        if isinstance(event, Incident):
            self.told.append((now(), event))
        self.incidents.hear(event)

    @property
    def states(self) -> list[tuple[float, str, str]]:
        return [(at, event.state, event.cause) for at, event in self.told]


async def pass_time(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@in_virtual_time
async def test_a_pause_is_told_at_once_and_outside_after_half_a_minute() -> None:
    """Its end, too: on the screen, and to whoever heard of its beginning."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        await pass_time(100)
        wired.incidents.hear(Paused("DriveGone", "not there", "plug it in", "looks", 2.0))
        assert wired.states == [(100.0, "began", "drive-gone")]
        await pass_time(29)
        assert wired.outside == []
        await pass_time(3)
        [document] = wired.outside
        await pass_time(600)
        wired.incidents.hear(Resumed("DriveGone", 632.0))
    assert wired.states[1] == (732.0, "ended", "drive-gone")
    assert [each["state"] for each in wired.outside] == ["began", "ended"]
    assert (document["event"], document["what"], document["you"]) == ("incident", "not there", ["plug it in"])
    assert (document["days_left"], document["since"]) == (7, "2026-11-20T12:01:40+00:00")
    assert wired.outside[1]["lasted_s"] == 632.0


@in_virtual_time
@pytest.mark.parametrize(
    ("last", "state"),
    [
        ((Resumed("SessionTaken", 8.0, gone=False),), "stopped"),
        ((Stopping("SIGINT", 1), Resumed("SessionTaken", 8.0)), "ended"),
        ((), "stopped"),
    ],
    ids=["stopped in the pause", "over after all", "the run ends by an error"],
)
async def test_an_incident_that_outlasts_its_run_is_not_called_over(last: tuple[Event, ...], state: str) -> None:
    """Neither on the screen nor outside; one that is over while the last transfers end is."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        wired.incidents.hear(Paused("SessionTaken", "taken"))
        await pass_time(60)
        for event in last:
            wired.incidents.hear(event)
        wired.incidents.conclude()
        wired.incidents.hear(RunFinished(130, (), {}))
    assert [each for _, each, _ in wired.states] == ["began", state]
    assert [each["state"] for each in wired.outside if each["event"] == "incident"] == ["began", state]


@in_virtual_time
async def test_what_limps_when_the_run_is_stopped_still_does() -> None:
    """A Terminal that does not answer, and Ctrl-C."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        wired.incidents.hear(BreakerChanged("open", "refused", 1.0, absent=True))
        wired.incidents.hear(Stopping("SIGINT", 0))
        await pass_time(5)
        wired.incidents.conclude()
    assert [each for _, each, _ in wired.states] == ["began", "stopped"]


@in_virtual_time
async def test_what_is_over_in_a_moment_is_told_to_nobody_outside() -> None:
    """A Terminal that was restarted."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        wired.incidents.hear(BreakerChanged("open", "refused", 1.0, absent=True))
        await pass_time(3)
        wired.incidents.hear(BreakerChanged("closed", "", 0.0))
        await pass_time(60)
    assert [state for _, state, _ in wired.states] == ["began", "ended"]
    assert wired.outside == []


@in_virtual_time
async def test_another_cause_is_told_outside_and_another_look_is_not() -> None:
    """A session that is lost after the connection was."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        for number in range(50):
            wired.incidents.hear(Paused("NotConnected", "DISCONNECTED", "", "looks again", 60.0 + number % 2))
            await pass_time(60)
        wired.incidents.hear(Paused("SessionTaken", "UNVERIFIED", "", "asks once", 600.0))
        await pass_time(60)
    assert [(each["state"], each["cause"]) for each in wired.outside] == [
        ("began", "not-connected"), ("changed", "session-taken"),
    ]  # fmt: skip
    assert {event.since for _, event in wired.told} == {NOON}


@in_virtual_time
async def test_incident_2_is_told_within_five_minutes() -> None:
    """Every day is refused or fails with the same error: a person hears of it at the fifth, a webhook soon after."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        for number in range(30):
            wired.incidents.hear(failed(number))
            await pass_time(20)
    assert wired.states[0] == (80.0, "began", "days-fail-alike")
    assert wired.outside[0]["cause"] == "days-fail-alike"


@in_virtual_time
async def test_requests_that_bring_nothing_are_told_within_five_minutes() -> None:
    """Long before they time out (incident 3: every request timed out, for two hours)."""
    wired = Wired()
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        wired.incidents.hear(ShardStarted(SHARDS[0]))
        await pass_time(300)
        assert wired.states == [(240.0, "began", "no-byte")]
        assert [each["cause"] for each in wired.outside] == ["no-byte"]


@in_virtual_time
async def test_no_day_saved_is_told_when_its_time_has_come() -> None:
    """Nobody has to send an event for that; a saved day ends it."""
    wired = Wired(IncidentConfig(no_day_saved_s=60.0))
    async with wired.incidents.running():
        wired.incidents.hear(STARTED)
        await pass_time(90)
        wired.incidents.hear(ShardFinished(saved(SHARDS[0])))
    assert [(state, cause) for _, state, cause in wired.states] == [
        ("began", "no-day-saved"),
        ("ended", "no-day-saved"),
    ]
    assert wired.states[0][0] == 60.0


@in_virtual_time
async def test_the_end_of_a_run_is_told_outside_if_it_went_badly_or_somebody_waits_for_it() -> None:
    """A good end of a good run is no message."""
    for code, troubled, told in (
        (0, False, []),
        (7, False, ["finished"]),
        (0, True, ["incident", "incident", "finished"]),
    ):
        wired = Wired()
        async with wired.incidents.running():
            wired.incidents.hear(STARTED)
            if troubled:
                wired.incidents.hear(BreakerChanged("open", "refused", 1.0, absent=True))
                await pass_time(60)
            wired.incidents.conclude()
            wired.incidents.hear(RunFinished(code, (), {}))
        assert [each["event"] for each in wired.outside] == told


@in_virtual_time
async def test_the_pulse_says_what_state_the_run_is_in() -> None:
    """For the heartbeat file."""
    wired = Wired()
    assert wired.incidents._pulse()["state"] == "running"
    wired.incidents.hear(STARTED)
    wired.incidents.hear(ShardFinished(saved(SHARDS[3])))
    wired.incidents.hear(Paused("DiskFull", "full"))
    pulse = wired.incidents._pulse()
    assert (pulse["state"], pulse["cause"], pulse["last_saved"]) == ("stuck", "disk-full", f"QQQ {SHARDS[3].day}")
    assert pulse["at"] == "2026-11-20T12:00:00+00:00"
    wired.incidents.hear(Resumed("DiskFull", 1.0))
    wired.incidents.hear(RunFinished(3, (), {}))
    assert wired.incidents._pulse()["exit_code"] == 3

"""A Terminal that loses its session or the vendor in mid-run: nothing is asked, nothing is lost, the run goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.unit.run.world import DAYS, World, raised_by
from tests.virtual_time import in_virtual_time, now
from thetabulk.config import RunConfig
from thetabulk.errors import AccountError, NotConnected, SessionTaken
from thetabulk.events import Event, Paused, Resumed, ShardFinished
from thetabulk.run.guard import Look, Sight

SETTINGS = RunConfig()
UNVERIFIED = Look(Sight.TAKEN, "the Terminal has no valid session (UNVERIFIED)")
DISCONNECTED = Look(Sight.AWAY, "it is DISCONNECTED")
WELL = Look(Sight.WELL)


def paused(world: World) -> list[Paused]:
    return [event for event in world.told(Paused) if isinstance(event, Paused)]


@in_virtual_time
async def test_a_taken_session_stops_all_workers_and_is_tried_once_after_the_cool_down() -> None:
    """Those in flight end; ten minutes of nothing at all, one look; then every day is had, and none has failed."""
    world = World("S" * 40, again=dict.fromkeys(range(4, 8), "TS"))
    ending = await world.run(SETTINGS, workers=4)
    assert world.outcomes() == "s" * 40
    lost_at = world.fetched_at[7] + 1.0
    assert not [moment for moment in world.fetched_at if lost_at < moment < lost_at + 600.0]
    assert world.looked_at == [pytest.approx(lost_at + 600.0)]
    assert ending.codes == set()
    assert ending.paused_s == pytest.approx(600.0)
    assert len(world.fetched) == 44


@in_virtual_time
async def test_the_cause_is_told_at_once_with_local_candidates_and_what_comes_next() -> None:
    """Within the second in which the answer came."""
    world = World("S" * 10, again={2: "TS"})
    world.suspected = ("pid 4242: java -jar ThetaTerminalv3.jar",)
    told_at: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, Paused):
            told_at.append(now())
        world.events.append(event)

    pipeline = world.pipeline(SETTINGS, workers=1)
    pipeline._pause._emit = listen
    await pipeline.run()
    at_once, told = paused(world)
    assert told_at == [3.0, 3.0]
    assert replace(told, suspects=()) == at_once
    assert (told.cause, told.message, told.hint) == ("SessionTaken", "the session was taken over", "stop the other one")
    assert (told.suspects, told.next_s) == (world.suspected, 600.0)
    assert "one small request" in told.next


@in_virtual_time
async def test_a_session_that_stays_taken_is_looked_at_six_times_an_hour() -> None:
    """For as long as a pause may last; then exit 7, in the Terminal's latest words, and no day has failed."""
    world = World("S" * 10, again={2: "T"})
    world.looks = [UNVERIFIED]
    error = await raised_by(world.pipeline(RunConfig(pause_limit_s=6 * 3600.0)))
    assert isinstance(error, SessionTaken)
    assert (error.exit_code, error.what) == (7, UNVERIFIED.said)
    assert len(world.looked_at) == 35
    assert min(later - earlier for earlier, later in zip(world.looked_at, world.looked_at[1:])) >= 600.0  # noqa: B905
    assert len(world.fetched) <= 10
    assert not [event for event in world.told(ShardFinished) if "failed" in str(event).lower()]


@in_virtual_time
async def test_a_fight_over_the_session_has_an_end() -> None:
    """Well at every look, taken again by the first request: one request in ten minutes, and exit 7 in the end."""
    world = World("T" * 10)
    error = await raised_by(world.pipeline(RunConfig(pause_limit_s=3600.0), workers=1))
    assert error.exit_code == 7
    assert 3600.0 <= now() <= 3660.0
    assert len(world.fetched) <= 7


@in_virtual_time
async def test_a_lost_connection_is_polled_gently_and_costs_no_attempt() -> None:
    """An hour of 474: a small look now and then, no request for data, and the same days afterwards."""
    world = World("S" * 20, again=dict.fromkeys(range(4), "CS"))
    world.looks = [DISCONNECTED] * 62 + [WELL]
    await world.run(SETTINGS, workers=4)
    assert world.outcomes() == "s" * 20
    steps = [later - earlier for earlier, later in zip(world.looked_at, world.looked_at[1:])]  # noqa: B905
    assert world.looked_at[0] == pytest.approx(6.0)
    assert steps[:4] == [10.0, 20.0, 40.0, 60.0]
    assert set(steps[4:]) == {60.0}
    assert len(world.fetched) == 24
    assert [event.cause for event in paused(world)][:1] == ["NotConnected"]
    assert len(world.told(Resumed)) == 1


@in_virtual_time
async def test_a_connection_that_does_not_come_back_ends_the_run() -> None:
    """Exit 8 after the limit of a pause, and no day is recorded as failed."""
    world = World("C" * 5)
    world.looks = [DISCONNECTED]
    error = await raised_by(world.pipeline(RunConfig(pause_limit_s=1800.0)))
    assert isinstance(error, NotConnected)
    assert (error.exit_code, world.recorded) == (8, [])
    assert 1800.0 <= now() <= 1810.0


@in_virtual_time
async def test_a_lost_connection_may_turn_out_to_be_a_lost_session() -> None:
    """It is told as what it is, and left alone from then on."""
    world = World("S" * 5, again={1: "CS"})
    world.looks = [DISCONNECTED, UNVERIFIED, WELL]
    await world.run(SETTINGS, workers=1)
    assert [event.cause for event in paused(world)] == ["NotConnected", "NotConnected", "SessionTaken"]
    assert world.looked_at[2] - world.looked_at[1] == pytest.approx(600.0)
    assert world.outcomes() == "s" * 5


@pytest.mark.parametrize(("letter", "code"), [("T", 7), ("C", 8)])
@in_virtual_time
async def test_a_run_that_is_stopped_does_not_wait_for_the_cool_down(letter: str, code: int) -> None:
    """Two seconds after Ctrl-C it is over, and says what was in the way."""
    world = World("S" * 5, again={1: letter})
    world.looks = [UNVERIFIED if letter == "T" else DISCONNECTED]
    pipeline = world.pipeline(SETTINGS, workers=1)
    asyncio.get_running_loop().call_at(100.0, pipeline.stop, "SIGINT", 130)
    ending = await pipeline.run()
    assert now() <= 103.0
    assert ending.codes == {130, code}
    assert len(world.looked_at) <= (0 if letter == "T" else 5)


@in_virtual_time
async def test_late_losses_of_transfers_that_began_before_make_no_second_pause() -> None:
    """They met the same one, even if it is over by then."""
    world = World("S" * 8, again=dict.fromkeys(range(4), "CS"))
    world.seconds_of = lambda shard: 1.0 + 20 * DAYS.index(shard.day)
    await world.run(SETTINGS, workers=4)
    assert len(world.told(Resumed)) == 1
    assert world.outcomes() == "s" * 8


@in_virtual_time
async def test_work_between_transfers_waits_for_those_in_flight_and_holds_back_the_others() -> None:
    """No day is cut by a restart, and none begins meanwhile."""
    world = World("S" * 6)
    world.seconds_of = lambda shard: 10.0
    pipeline = world.pipeline(SETTINGS, workers=2)
    worked: list[tuple[float, int]] = []

    async def work() -> None:
        worked.append((now(), world.transfers))
        await asyncio.sleep(50.0)

    async def ask_for_it() -> None:
        await asyncio.sleep(3.0)
        await pipeline.between_transfers("Restarting", "slow", work)

    asking = asyncio.ensure_future(ask_for_it())
    await pipeline.run()
    await asking
    [(began, in_flight)] = worked
    assert (10.0 <= began <= 12.0, in_flight) == (True, 0)
    assert not [moment for moment in world.fetched_at if 3.0 < moment < began + 50.0]
    assert world.outcomes() == "s" * 6


# A subscription that shrinks in mid-run


def shrinks(world: World, after: int) -> Callable[..., object]:
    """After so many requests for data everything is refused, what was served before as well."""
    letter = world.letter
    world.truth = lambda day: "refused" if len(world.fetched) > after else "served"  # type: ignore[method-assign]
    return lambda shard: "R" if len(world.fetched) > after else letter(shard)


@pytest.mark.parametrize("after", [6, 10, 58, 59])
@pytest.mark.parametrize("workers", [1, 4])
@in_virtual_time
async def test_a_subscription_that_shrinks_ends_the_run_and_poisons_nothing(after: int, workers: int) -> None:
    """Exit 7 with the vendor's words; what was saved stays, and no day that the former one served is called refused."""
    world = World("S" * 60)
    world.letter = shrinks(world, after)  # type: ignore[method-assign,assignment]
    error = await raised_by(world.pipeline(workers=workers))
    assert isinstance(error, AccountError)
    assert "the subscription has shrunk" in error.what
    assert set(world.outcomes()) <= {"s", "-"}
    assert world.outcomes().count("s") <= after
    assert world.boundaries == []
    assert len(world.fetched) <= after + 3 + 2 * workers

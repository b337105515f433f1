"""Pauses and stops: what happens to the run when the drive goes, or when somebody has had enough."""

import asyncio
from collections.abc import Callable

import pytest

from tests.unit.run.world import DAYS, QQQ, World, raised_by
from tests.virtual_time import in_virtual_time, now
from thetabulk.config import RunConfig
from thetabulk.errors import DiskFull, DriveGone, ThetabulkError
from thetabulk.events import Paused, Resumed, ShardFinished, Stopping
from thetabulk.model import Shard
from thetabulk.run.pipeline import Ending, Pipeline
from thetabulk.run.walk import Walk

GONE = DriveGone("the drive is not mounted", hint="plug it in")
FULL = DiskFull("the drive is full")
SETTINGS = RunConfig(pause_poll_s=2.0, pause_limit_s=3600.0, drain_s=30.0)


def at(seconds: float, what: Callable[..., object], *arguments: object) -> None:
    asyncio.get_running_loop().call_at(seconds, what, *arguments)


def fails_from(world: World, seconds: float, problem: ThetabulkError, until: float) -> None:
    """From then on the drive does not work, and everybody can see it."""
    at(seconds, setattr, world, "problem", problem)
    at(until, setattr, world, "problem", None)


# Pauses


@pytest.mark.parametrize(("letter", "problem"), [("D", GONE), ("L", FULL)])
@in_virtual_time
async def test_a_drive_that_is_gone_or_full_pauses_the_run(letter: str, problem: ThetabulkError) -> None:
    """Nothing is asked until it is back; then the run goes on by itself, and no day has failed."""
    world = World("S" * 40, again={4: f"{letter}S", 5: f"{letter}S", 6: f"{letter}S"})
    fails_from(world, 1.5, problem, until=500.0)
    ending = await world.run(SETTINGS, workers=4)
    assert world.outcomes() == "s" * 40
    assert not [moment for moment in world.fetched_at if 2.0 < moment < 500.0]
    [paused], [resumed] = world.told(Paused), world.told(Resumed)
    assert isinstance(paused, Paused)
    assert (paused.cause, paused.message, paused.hint) == (type(problem).__name__, problem.what, problem.hint)
    assert isinstance(resumed, Resumed)
    assert resumed.gone
    assert 498.0 <= resumed.paused_s <= 502.0
    assert ending.paused_s == resumed.paused_s
    assert ending.codes == set()


@in_virtual_time
async def test_what_is_in_flight_when_a_pause_begins_is_finished() -> None:
    """The other transfer knows nothing of the drive yet, and its day is taken if it can be."""
    world = World("SS" + "S" * 10, again={0: "DS"})
    world.seconds_of = lambda shard: 50.0 if shard.day == DAYS[1] else 1.0
    fails_from(world, 0.5, GONE, until=100.0)
    await world.run(SETTINGS, workers=2)
    assert world.recorded[0].shard.day == DAYS[1]
    assert not [moment for moment in world.fetched_at if 0.0 < moment < 100.0]
    assert world.outcomes() == "s" * 12


@in_virtual_time
async def test_probes_wait_for_the_end_of_a_pause_too() -> None:
    """No request at all is no request at all."""
    world = World("S" * 5 + "E" * 60, again={26: "DE"})
    world.probe_seconds = 60.0
    world.seconds_of = lambda shard: 50.0 if shard.day == DAYS[26] else 1.0
    fails_from(world, 50.0, GONE, until=200.0)
    asked_at: list[float] = []
    probe = world.probe

    async def watched(*arguments: object) -> object:
        asked_at.append(now())
        return await probe(*arguments)  # type: ignore[arg-type]

    world.probe = watched  # type: ignore[method-assign,assignment]
    await world.run(SETTINGS, workers=4)
    assert len(world.told(Paused)) == 1
    assert asked_at[0] < 56.0 < 200.0 <= asked_at[-1]
    assert not [moment for moment in asked_at if 56.0 <= moment < 200.0]
    assert len(world.boundaries) == 1


@pytest.mark.parametrize(("letter", "problem", "code"), [("D", GONE, 4), ("L", FULL, 5)])
@in_virtual_time
async def test_a_pause_has_a_limit(letter: str, problem: ThetabulkError, code: int) -> None:
    """It ends the run with what is in the way, and its exit code."""
    world = World("S" * 40, again={4: letter})
    world.problem = problem
    error = await raised_by(world.pipeline(SETTINGS))
    assert error is problem
    assert error.exit_code == code
    assert 3600.0 <= now() <= 3610.0


@in_virtual_time
async def test_many_who_meet_one_obstacle_make_one_pause() -> None:
    """Those whose transfers die late met the same one, even if it is over by then."""
    world = World("S" * 20, again=dict.fromkeys(range(8), "DS"))
    world.seconds_of = lambda shard: 1.0 + DAYS.index(shard.day)
    fails_from(world, 0.5, GONE, until=4.0)
    await world.run(SETTINGS, workers=8)
    assert len(world.told(Paused)) == 1
    assert world.outcomes() == "s" * 20


@in_virtual_time
async def test_an_obstacle_that_nobody_can_see_pauses_for_a_moment_only() -> None:
    """A cable that is loose for a second: the day is asked for again."""
    world = World("SSS", again={1: "DS"})
    await world.run(SETTINGS, workers=1)
    assert world.outcomes() == "sss"
    assert len(world.told(Paused)) == 1
    assert now() == 6.0


@in_virtual_time
async def test_an_obstacle_that_nobody_can_see_is_not_met_for_ever() -> None:
    """A quota, or too little room for this day: asking for it again and again would be a download without end."""
    world = World("LSS" + "S" * 3)
    error = await raised_by(world.pipeline(SETTINGS, workers=1))
    assert error.exit_code == 5
    assert len(world.fetched) == 6
    assert world.recorded == []


@in_virtual_time
async def test_a_saved_day_says_that_the_drive_is_well() -> None:
    """Only obstacles in a row end the run."""
    world = World("S" * 30, again=dict.fromkeys(range(10), "DDDS"))
    await world.run(SETTINGS, workers=1)
    assert world.outcomes() == "s" * 30


# The ledger


@pytest.mark.parametrize("problem", [GONE, FULL])
@in_virtual_time
async def test_a_line_that_cannot_be_written_pauses_the_run_and_is_written_then(problem: Exception) -> None:
    """The file is in its place already: the day is not asked for again, and only then told."""
    world = World("SSSS")
    world.record_errors = [problem, problem]
    world.problem = problem  # type: ignore[assignment]
    at(90.0, setattr, world, "problem", None)
    await world.run(SETTINGS, workers=2)
    assert world.outcomes() == "ssss"
    assert len(world.fetched) == 4
    assert len(world.recorded) == len(world.told(ShardFinished)) == 4
    assert len(world.told(Paused)) == 1


@in_virtual_time
async def test_a_line_that_cannot_be_written_while_the_run_stops_is_left_out() -> None:
    """The day has no outcome: the next start finds the file. The drive's exit code is told beside the signal's."""
    world = World("SSSS")
    world.problem = GONE
    world.record_errors = [GONE, GONE]
    pipeline = world.pipeline(SETTINGS, workers=2)
    at(50.0, pipeline.stop, "SIGINT", 130)
    ending = await pipeline.run()
    assert (world.recorded, world.told(ShardFinished), ending.outcomes) == ([], [], {})
    assert ending.codes == {4, 130}
    assert now() <= 52.0


@in_virtual_time
async def test_boundaries_and_refusals_are_written_after_a_pause_too() -> None:
    """Whatever line it is."""
    world = World("S" * 5 + "R" * 40)
    pipeline = world.pipeline(SETTINGS, workers=1)
    errors = iter([None] * 5 + [GONE] + [None] * 2 + [GONE])
    world._raise_if_told = lambda: _raise(next(errors, None))  # type: ignore[method-assign]
    await pipeline.run()
    assert [boundary.day for boundary in world.boundaries] == [DAYS[4]]
    assert world.outcomes().startswith("sssssrrr-")
    assert len(world.told(Paused)) == 2


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error


# Stops


def stopped_at(world: World, *moments: tuple[float, str, int], workers: int = 4) -> Pipeline:
    pipeline = world.pipeline(SETTINGS, workers=workers)
    for seconds, reason, code in moments:
        at(seconds, pipeline.stop, reason, code)
    return pipeline


async def seconds_until_end(pipeline: Pipeline) -> tuple[float, Ending]:
    ending = await pipeline.run()
    return now(), ending


@in_virtual_time
async def test_the_first_stop_finishes_what_is_in_flight() -> None:
    """How many that is, is told; nothing else is started, and the days in flight are recorded."""
    world = World("S" * 100)
    world.seconds_of = lambda shard: 20.0
    end, ending = await seconds_until_end(stopped_at(world, (25.0, "SIGINT", 130)))
    assert end == 40.0
    assert len(world.recorded) == len(world.fetched) == 8
    assert world.told(Stopping) == [Stopping("SIGINT", 4)]
    assert ending.codes == {130}


@in_virtual_time
async def test_the_second_stop_ends_it_now() -> None:
    """What was in flight is given up, and asked for by the next run."""
    world = World("S" * 100)
    world.seconds_of = lambda shard: 20.0
    end, ending = await seconds_until_end(stopped_at(world, (25.0, "SIGINT", 130), (27.0, "SIGINT", 130)))
    assert end == 27.0
    assert len(world.recorded) == 4
    assert ending.codes == {130}


@in_virtual_time
async def test_draining_has_a_limit() -> None:
    """Thirty seconds: then it is as if one had said it twice."""
    world = World("S" * 100)
    world.seconds_of = lambda shard: 1000.0
    end, ending = await seconds_until_end(stopped_at(world, (25.0, "SIGTERM", 143)))
    assert end == 55.0
    assert world.recorded == []
    assert ending.codes == {143}


@in_virtual_time
async def test_a_signal_after_a_timer_is_told_too() -> None:
    """Stopped as asked, and then somebody pressed Ctrl-C: `worst` decides which one the shell sees."""
    world = World("S" * 100)
    world.seconds_of = lambda shard: 20.0
    pipeline = stopped_at(world, (25.0, "--until", 11), (27.0, "SIGINT", 130))
    _, ending = await seconds_until_end(pipeline)
    assert ending.codes == {11, 130}
    assert pipeline.stopping


@in_virtual_time
async def test_a_run_that_is_stopped_before_it_begins_asks_for_nothing() -> None:
    """Ctrl-C between the plan and the first day."""
    world = World("S" * 10)
    pipeline = world.pipeline(SETTINGS)
    assert not pipeline.stopping
    pipeline.stop("SIGINT", 130)
    ending = await pipeline.run()
    assert (world.fetched, ending.codes) == ([], {130})


@in_virtual_time
async def test_a_paused_run_stops_at_once() -> None:
    """Within one look at the drive; what is in the way is told beside the signal."""
    world = World("S" * 10, again={2: "D"})
    world.problem = GONE
    end, ending = await seconds_until_end(stopped_at(world, (100.0, "SIGINT", 130)))
    assert end <= 102.0
    assert ending.codes == {4, 130}
    assert not world.held
    [told] = world.told(Resumed)
    assert isinstance(told, Resumed)
    assert not told.gone


@in_virtual_time
async def test_probes_do_not_outlive_a_stop() -> None:
    """They are requests, and there are to be no new ones."""
    world = World("S" * 5 + "E" * 60)
    world.probe_seconds = 100.0
    pipeline = stopped_at(world, (150.0, "SIGINT", 130))
    end, _ = await seconds_until_end(pipeline)
    assert end == 150.0
    assert world.boundaries == []


@in_virtual_time
async def test_the_last_probe_does_not_outlive_a_stop_either() -> None:
    """Whether refusals are about the account is asked at the very end."""
    world = World("SR")
    world.probe_seconds = 100.0
    pipeline = world.pipeline(SETTINGS, walks=[Walk(QQQ, DAYS[:2], earlier={DAYS[0]: "saved"})])
    at(50.0, pipeline.stop, "SIGINT", 130)
    end, ending = await seconds_until_end(pipeline)
    assert end == 50.0
    assert world.recorded == []
    assert ending.codes == {130}


@in_virtual_time
async def test_a_stopped_run_begins_no_further_round() -> None:
    """What failed is asked for by the next one."""
    world = World("SFSF")
    await stopped_at(world, (0.5, "SIGINT", 130)).run()
    assert len(world.fetched) == 4
    assert world.fetched.count(Shard(QQQ, DAYS[1])) == 1

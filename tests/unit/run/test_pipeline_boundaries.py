"""Where the data begin: what the run asks, what it records, and what it does not believe."""

from datetime import date

import pytest

from tests.unit.run.world import DAYS, QQQ, REFUSAL, SPY, World, raised_by
from tests.virtual_time import in_virtual_time
from thetabulk.errors import AccountError, TerminalUnavailable
from thetabulk.events import BoundaryFound, BoundarySkipped, Event, Notice
from thetabulk.model import Boundary, Shard
from thetabulk.run.walk import Walk

BEFORE = date(2012, 6, 1)


def warnings(world: World) -> list[str]:
    return [event.message for event in world.events if isinstance(event, Notice) and event.level == "warning"]


def boundaries_told(world: World) -> list[Event]:
    return [event for event in world.events if isinstance(event, BoundaryFound | BoundarySkipped)]


# The vendor's


@in_virtual_time
async def test_twenty_empty_days_and_silent_probes_are_the_vendors_boundary() -> None:
    """The canary returns rows, nothing further back does: older days are not asked for."""
    world = World("S" * 30 + "E" * 300)
    await world.pipeline(workers=1, also_probe=[BEFORE]).run()
    [boundary] = world.boundaries
    assert (boundary.kind, boundary.day) == ("vendor", DAYS[29])
    assert "20 empty days in a row" in boundary.evidence[0]
    assert world.probed[0] == DAYS[0]
    assert world.probed[-1] == BEFORE
    assert len(world.recorded) == 50
    assert boundaries_told(world) == [BoundaryFound(boundary), BoundarySkipped(boundary, 280)]


@in_virtual_time
async def test_a_hole_is_no_boundary() -> None:
    """Any probe with rows, and the walk goes on through all of it."""
    world = World("S" * 30 + "E" * 65 + "S" * 50)
    await world.run()
    assert world.boundaries == []
    assert world.outcomes() == "s" * 30 + "e" * 65 + "s" * 50


@in_virtual_time
async def test_a_hole_before_the_boundary_hides_neither() -> None:
    """First a hit, then none."""
    world = World("S" * 30 + "E" * 65 + "S" * 50 + "E" * 200)
    await world.run()
    assert [boundary.day for boundary in world.boundaries] == [DAYS[144]]
    assert world.outcomes()[:145] == "s" * 30 + "e" * 65 + "s" * 50


@in_virtual_time
async def test_an_unclear_probe_is_no_answer() -> None:
    """It is said, no boundary is made, and the question comes again after a chunk of such days."""
    world = World("S" * 30 + "E" * 200)
    world.findings[DAYS[229]] = "unknown"
    await world.run(chunk_size=40)
    assert world.boundaries == []
    assert world.outcomes() == "s" * 30 + "e" * 200
    told = [message for message in warnings(world) if "no clear answer" in message]
    assert len(told) >= 2
    assert "QQQ" in told[0]
    assert world.probed.count(DAYS[0]) == len(told)


@pytest.mark.parametrize("finding", ["empty", "unknown", "refused"])
@in_virtual_time
async def test_a_terminal_that_denies_a_saved_day_is_not_believed(finding: str) -> None:
    """The canary is silent: whatever it says about older days is worth nothing."""
    world = World("S" * 30 + "E" * 100)
    world.findings[DAYS[0]] = finding  # type: ignore[assignment]
    await world.run()
    assert world.boundaries == []
    assert set(world.probed) == {DAYS[0]}
    assert warnings(world)
    assert len(world.recorded) == 130


@in_virtual_time
async def test_failures_are_no_empty_days_and_make_no_boundary() -> None:
    """A Terminal that is away for a hundred days of the walk."""
    world = World("S" * 30 + "F" * 100)
    await world.run()
    assert (world.boundaries, world.probed) == ([], [])
    assert world.outcomes() == "s" * 30 + "f" * 100


@in_virtual_time
async def test_a_mistake_of_ours_in_a_probe_costs_the_answer_only() -> None:
    """Days are asked for that need not be; nothing is lost."""
    world = World("S" * 30 + "E" * 100)
    world.findings[DAYS[0]] = ValueError("a mistake of ours")
    await world.run()
    assert len(world.recorded) == 130
    assert any("internal error" in message for message in warnings(world))


@in_virtual_time
async def test_an_error_of_the_run_in_a_probe_ends_it() -> None:
    """As everywhere."""
    world = World("S" * 30 + "E" * 100)
    world.findings[DAYS[0]] = TerminalUnavailable("gone")
    assert isinstance(await raised_by(world.pipeline()), TerminalUnavailable)


@in_virtual_time
async def test_a_question_holds_back_its_own_collection_only() -> None:
    """The other one goes on meanwhile."""
    world = World("S" * 5 + "E" * 30, collections=(QQQ, SPY))
    world.probe_seconds = 40.0
    walks = [Walk(QQQ, DAYS[:35]), Walk(SPY, DAYS[:400])]
    world.days += "S" * 365
    world.findings = dict.fromkeys(DAYS[5:35], "empty")
    await world.pipeline(walks=walks, workers=2).run()
    assert [boundary.collection for boundary in world.boundaries] == [QQQ]
    assert world.fetched.count(Shard(SPY, DAYS[399])) == 1


@in_virtual_time
async def test_data_beyond_a_boundary_revoke_it() -> None:
    """A day that had failed is asked for beyond it, and is saved: older days are asked for again."""
    world = World("S" * 40)
    known = Boundary(QQQ, "vendor", DAYS[9])
    walks = [Walk(QQQ, DAYS[:40], earlier={DAYS[20]: "failed"}, boundaries=[known])]
    await world.pipeline(walks=walks).run()
    assert [(boundary.kind, boundary.day) for boundary in world.boundaries] == [("vendor", None)]
    assert world.outcomes() == "s" * 40


# The tier's


@in_virtual_time
async def test_three_refusals_are_bisected_for_the_first_served_day() -> None:
    """Among sessions, with few probes; older days are refused without being asked."""
    world = World("S" * 40 + "R" * 300)
    await world.run()
    [boundary] = world.boundaries
    assert (boundary.kind, boundary.day, boundary.message) == ("tier", DAYS[39], REFUSAL)
    assert world.outcomes()[:43] == "s" * 40 + "rrr"
    assert len(world.recorded) <= 48
    assert len(world.probed) <= 9


@in_virtual_time
async def test_refusals_behind_a_gap_are_bisected_across_it() -> None:
    """The days between the last served and the first refused had no data: they count as served."""
    world = World("S" * 10 + "E" * 15 + "R" * 50)
    world.findings |= dict.fromkeys(DAYS[10:20], "empty")
    world.findings |= dict.fromkeys(DAYS[20:75], "refused")
    await world.run(workers=1)
    [boundary] = world.boundaries
    assert (boundary.kind, boundary.day) == ("tier", DAYS[19])


@in_virtual_time
async def test_a_bisection_without_an_answer_is_no_boundary() -> None:
    """It is said, and asked again after a chunk of such days; the refusals are recorded one by one."""
    world = World("S" * 10 + "EE" + "R" * 30)
    world.findings = dict.fromkeys(DAYS[10:12], "unknown")
    await world.run(chunk_size=50)
    assert world.boundaries == []
    assert world.outcomes() == "s" * 10 + "ee" + "r" * 30
    assert any("no clear answer" in message for message in warnings(world))


@in_virtual_time
async def test_a_day_saved_by_an_earlier_run_is_probed_before_a_bisection() -> None:
    """The newest, for the others may be beyond a smaller subscription of today. Served: the boundary is there.
    Refused: the subscription has ended, and nothing is recorded."""
    for finding in ("served", "refused"):
        world = World("S" * 20 + "R" * 60)
        world.findings[DAYS[0]] = finding
        walk = Walk(QQQ, DAYS[:80], earlier=dict.fromkeys(DAYS[:20], "saved"))
        pipeline = world.pipeline(walks=[walk])
        if finding == "refused":
            assert isinstance(await raised_by(pipeline), AccountError)
            assert (world.recorded, world.boundaries) == ([], [])
            continue
        await pipeline.run()
        assert [boundary.day for boundary in world.boundaries] == [DAYS[19]]
        assert world.outcomes().startswith("-" * 20 + "rrr")


@in_virtual_time
async def test_a_terminal_that_says_nothing_about_an_earlier_day_decides_nothing() -> None:
    """Neither a boundary nor an account error; the refusals wait for the next run, and the exit code says so."""
    world = World("S" * 20 + "R" * 10)
    world.findings[DAYS[0]] = "unknown"
    walk = Walk(QQQ, DAYS[:30], earlier=dict.fromkeys(DAYS[:20], "saved"))
    ending = await world.pipeline(walks=[walk]).run()
    assert (world.recorded, world.boundaries) == ([], [])
    assert ending.codes == {AccountError.exit_code}

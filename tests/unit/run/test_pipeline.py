"""The run: every Shard gets its outcome, in order, whatever happens to its neighbours."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.run.world import DAYS, QQQ, REFUSAL, SPY, World, raised_by
from tests.virtual_time import in_virtual_time, now, run_virtually
from thetabulk.config import RunConfig
from thetabulk.errors import AccountError, AskedWrongly, ThetabulkError
from thetabulk.events import ChunkReached, Notice, RoundStarted, ShardFinished
from thetabulk.model import Failed, Refused, Shard
from thetabulk.run.pipeline import Ending
from thetabulk.run.walk import Walk


@in_virtual_time
async def test_days_are_taken_from_the_newest_back() -> None:
    """One worker takes them strictly in order, and each is recorded before it is told."""
    world = World("SSESFS")
    ending = await world.run(RunConfig(rounds=0), workers=1)
    assert [shard.day for shard in world.fetched] == list(DAYS[:6])
    assert world.outcomes() == "ssesfs"
    assert [event.outcome for event in world.events if isinstance(event, ShardFinished)] == world.recorded
    assert (ending.codes, len(ending.outcomes)) == (set(), 6)


@in_virtual_time
async def test_a_day_that_hangs_holds_back_what_is_more_than_a_chunk_older() -> None:
    """Days inside the chunk are taken freely; nothing older starts before the one that hangs has ended."""
    world = World("S" * 30)
    world.seconds_of = lambda shard: 100.0 if shard.day == DAYS[2] else 1.0
    await world.run(workers=8, chunk_size=10)
    begun_before = [shard.day for shard, at in zip(world.fetched, world.fetched_at, strict=True) if at < 100.0]
    assert begun_before == list(DAYS[:13])
    assert len(world.recorded) == 30


@in_virtual_time
async def test_collections_are_walked_side_by_side() -> None:
    """The newest day of either comes first; one that ends early leaves the workers to the other."""
    world = World("S" * 8, collections=(QQQ, SPY))
    walks = [Walk(QQQ, DAYS[:8]), Walk(SPY, DAYS[:3])]
    await world.pipeline(walks=walks, workers=2).run()
    order = [(shard.symbol, DAYS.index(shard.day)) for shard in world.fetched]
    assert order[:6] == [("QQQ", 0), ("SPY", 0), ("QQQ", 1), ("SPY", 1), ("QQQ", 2), ("SPY", 2)]
    assert order[6:] == [("QQQ", number) for number in range(3, 8)]


@in_virtual_time
async def test_chunks_are_told_as_the_walk_enters_them() -> None:
    """Each once, the first at the start."""
    world = World("S" * 12)
    await world.run(workers=3, chunk_size=5)
    told = [(event.number, event.total) for event in world.events if isinstance(event, ChunkReached)]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert isinstance(world.events[0], ChunkReached)


@in_virtual_time
async def test_a_bad_day_leaves_the_others_alone() -> None:
    """It is told in the end, as what it is."""
    world = World("SFSS")
    ending = await world.run()
    assert world.outcomes() == "sfss"
    assert ending.codes == set()


@in_virtual_time
async def test_a_mistake_of_ours_costs_one_day() -> None:
    """The day has failed, kind internal, with the place in the code; it is asked again as every failed one."""
    world = World("SXS")
    ending = await world.run()
    outcome = ending.outcomes[Shard(QQQ, DAYS[1])]
    assert isinstance(outcome, Failed)
    assert outcome.kind == "internal"
    assert "KeyError" in outcome.message
    assert "outcome_of" in outcome.message
    assert world.outcomes() == "sfs"
    assert any("internal error" in event.message for event in world.events if isinstance(event, Notice))


@in_virtual_time
async def test_an_error_of_the_run_ends_it() -> None:
    """What others have recorded stays; nothing is started after it."""
    world = World("SSAS" + "S" * 50)
    error = await raised_by(world.pipeline(workers=2))
    assert isinstance(error, AccountError)
    assert len(world.recorded) <= 4
    assert len(world.fetched) <= 5


# Rounds


@in_virtual_time
async def test_what_failed_is_asked_again_until_a_round_saves_nothing() -> None:
    """One mends in the first round, one in the second; the third saves nothing, and is the last."""
    world = World("SSSSS", again={1: "FS", 2: "FFS", 4: "F"})
    await world.run()
    assert [(event.number, event.days) for event in world.events if isinstance(event, RoundStarted)] == [
        (1, 3), (2, 2), (3, 1)
    ]  # fmt: skip
    assert world.outcomes() == "ssssf"
    assert [world.fetched.count(Shard(QQQ, day)) for day in DAYS[:5]] == [1, 2, 3, 1, 4]


@pytest.mark.parametrize("workers", [1, 2, 5])
@in_virtual_time
async def test_a_round_begins_however_few_workers_there_are(workers: int) -> None:
    """The one who begins it must not wait to be told of it (one worker and one failed day hung for ever)."""
    world = World("F")
    await world.run(workers=workers)
    assert len(world.fetched) == 2
    assert world.outcomes() == "f"


@in_virtual_time
async def test_rounds_are_counted() -> None:
    """With one more day mended in every round, the setting is what ends it."""
    world = World("S" * 9, again={number: "F" * (number + 1) + "S" for number in range(9)})
    await world.run(RunConfig(rounds=3))
    assert world.outcomes() == "sssffffff"


@in_virtual_time
async def test_a_doubtful_day_is_asked_once_more_and_a_lacking_one_is_not() -> None:
    """Unconfirmed, then incomplete: the same answer would come again, in this run."""
    world = World("SSS", again={0: "UI", 1: "US", 2: "I"})
    await world.run()
    assert [world.fetched.count(Shard(QQQ, day)) for day in DAYS[:3]] == [2, 2, 1]
    assert world.outcomes() == "fsf"


@in_virtual_time
async def test_a_doubtful_day_is_asked_again_only_when_all_others_have_had_their_turn() -> None:
    """Later: the Terminal may have been the reason."""
    world = World("S" * 20, again={0: "US"})
    await world.run(workers=3)
    assert world.fetched[-1] == Shard(QQQ, DAYS[0])
    assert world.fetched_at[-1] == 7.0


# We ask wrongly


@in_virtual_time
async def test_three_days_that_we_ask_wrongly_stop_the_run() -> None:
    """The request is shown; the days have failed, and none counts as refused."""
    world = World("W" * 40)
    error = await raised_by(world.pipeline(workers=1))
    assert isinstance(error, AskedWrongly)
    assert error.exit_code == 1
    assert "/v3/option/history/quote?symbol=QQQ" in error.hint
    assert len(world.fetched) == 3
    assert [type(outcome) for outcome in world.recorded] == [Failed] * 3


@in_virtual_time
async def test_two_days_that_we_ask_wrongly_do_not() -> None:
    """Nor are they asked again in this run: the same request gets the same answer."""
    world = World("WSSWS")
    await world.run(workers=1)
    assert len(world.fetched) == 5


@in_virtual_time
async def test_the_same_day_of_two_symbols_counts_once() -> None:
    """Three different days are evidence; a day that is odd for everybody is not."""
    world = World("WSWS", collections=(QQQ, SPY))
    await world.run()
    assert len(world.recorded) == 8


@in_virtual_time
async def test_three_changed_headers_in_a_row_stop_the_run() -> None:
    """The vendor's schema has changed; a saved day in between says that it has not."""
    error = await raised_by(World("SHHHS").pipeline(workers=1))
    assert type(error) is ThetabulkError
    assert "schema changed" in error.what
    await World("HHSHHSHS").run(workers=1)


@in_virtual_time
async def test_a_day_asked_again_is_no_further_evidence_for_a_changed_schema() -> None:
    """Two odd days, twice each, are not three."""
    world = World("SSHH", again={1: "FS"})
    await world.run(workers=1)
    assert world.outcomes() == "ssff"


# Refusals


@in_virtual_time
async def test_refusals_are_recorded_once_a_newer_day_was_served() -> None:
    """Before, they may be about the account."""
    world = World("SRRS")
    world.seconds_of = lambda shard: 10.0 if shard.day == DAYS[0] else 1.0
    await world.run()
    assert [DAYS.index(outcome.shard.day) for outcome in world.recorded] == [3, 0, 1, 2]
    assert world.outcomes() == "srrs"


@in_virtual_time
async def test_the_newest_end_refused_is_about_the_account() -> None:
    """Three in a row: exit 7, with the vendor's words, and nothing is recorded."""
    world = World("R" * 30)
    error = await raised_by(world.pipeline())
    assert isinstance(error, AccountError)
    assert REFUSAL in error.what
    assert (world.recorded, world.boundaries) == ([], [])


@in_virtual_time
async def test_fewer_refusals_at_the_newest_end_are_settled_at_the_end() -> None:
    """Two days in all, both refused: nothing newer was served."""
    world = World("RRS")
    error = await raised_by(world.pipeline())
    assert isinstance(error, AccountError)
    assert world.outcomes() == "--s"


@pytest.mark.parametrize(("finding", "recorded"), [("served", "-r-"), ("refused", None), ("empty", "---")])
@in_virtual_time
async def test_a_day_saved_earlier_says_whether_a_refusal_is_about_the_account(
    finding: str, recorded: str | None
) -> None:
    """It is probed. Without a clear answer nothing is recorded, and the exit code says that something is open."""
    world = World("SRS")
    world.findings[DAYS[0]] = finding  # type: ignore[assignment]
    walks = [Walk(QQQ, DAYS[:3], earlier={DAYS[0]: "saved", DAYS[2]: "empty"})]
    pipeline = world.pipeline(walks=walks)
    if recorded is None:
        assert isinstance(await raised_by(pipeline), AccountError)
        return
    ending = await pipeline.run()
    assert world.outcomes() == recorded
    assert ending.codes == (set() if "r" in recorded else {AccountError.exit_code})


# The law


class Timed(World):
    """Requests take as long as the dice say, and the window is watched at every start."""

    def __init__(self, days: str, durations: list[int], chunk_size: int) -> None:
        super().__init__(days)
        self._ended: set[int] = set()
        self.too_early: list[int] = []
        self.chunk_size = chunk_size
        self.seconds_of = lambda shard: float(durations[DAYS.index(shard.day) % len(durations)])

    async def fetch(self, shard: Shard):  # type: ignore[no-untyped-def]
        number = DAYS.index(shard.day)
        frontier = next(one for one in range(len(self.days) + 1) if one not in self._ended)
        if number > frontier + self.chunk_size:
            self.too_early.append(number)
        try:
            return await super().fetch(shard)
        finally:
            self._ended.add(number)


@given(
    st.text("SSSSEFUIX", min_size=1, max_size=60),
    st.lists(st.integers(0, 9), min_size=1, max_size=7),
    st.integers(1, 8),
    st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_every_day_gets_its_outcome_and_none_starts_too_early(
    days: str, durations: list[int], workers: int, chunk_size: int
) -> None:
    """Whatever the days do, however long they take, and however many are under way."""

    async def go() -> tuple[Timed, Ending]:
        world = Timed(days, durations, chunk_size)
        return world, await world.run(workers=workers, chunk_size=chunk_size)

    world, ending = run_virtually(go())
    wanted = "".join({"S": "s", "E": "e"}.get(letter, "f") for letter in days)
    assert world.outcomes() == wanted
    assert len(ending.outcomes) == len(days)
    assert world.too_early == []
    assert not any(isinstance(outcome, Refused) for outcome in world.recorded)


@in_virtual_time
async def test_workers_work_at_the_same_time() -> None:
    """Twelve days of a second each, by four: three seconds."""
    world = World("S" * 12)
    await asyncio.wait_for(world.run(workers=4), 3600)
    assert now() == 3.0

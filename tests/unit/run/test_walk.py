"""The backward walk: which day may start, and where the data may begin."""

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetabulk.model import Boundary, Collection, Shard
from thetabulk.run.boundary import Bisection, TierQuestion, VendorQuestion
from thetabulk.run.walk import Kind, Walk, next_shard

QQQ = Collection("option/quote/1m", "", "QQQ")
SPY = Collection("option/quote/1m", "", "SPY")
NEWEST = date(2024, 8, 2)
DAYS = tuple(NEWEST - timedelta(days=back) for back in range(400))
"""Stand-ins for sessions, newest first: a walk knows no calendar."""

KINDS: dict[str, Kind] = {"S": "saved", "E": "empty", "R": "refused", "F": "failed"}


def walk_of(world: str, **options: object) -> Walk:
    """A walk over as many days as `world` has letters."""
    return Walk(QQQ, DAYS[: len(world)], **options)  # type: ignore[arg-type]


def finish(walk: Walk, world: str, *, until_question: bool = True) -> None:
    """Asks for one day after the other, which end as the letters of `world` say, newest first."""
    while (day := walk.next_day()) is not None:
        if until_question and walk.question():
            return
        walk.started(day)
        walk.finished(day, KINDS[world[DAYS.index(day)]], "no subscription" if "R" in world else "")


def vendor_question(walk: Walk) -> VendorQuestion:
    question = walk.question()
    assert isinstance(question, VendorQuestion)
    return question


def tier_question(walk: Walk) -> TierQuestion:
    question = walk.question()
    assert isinstance(question, TierQuestion)
    return question


# Which day comes next


def test_a_walk_goes_from_the_newest_day_back() -> None:
    """Whatever the order in which it was told the days."""
    walk = Walk(QQQ, DAYS[:3][::-1])
    seen = []
    while (day := walk.next_day()) is not None:
        seen.append(day)
        walk.started(day)
        walk.finished(day, "saved")
    assert tuple(seen) == DAYS[:3]
    assert walk.done


def test_a_day_more_than_one_chunk_behind_the_frontier_does_not_start() -> None:
    """One day that hangs holds back what is more than a chunk older, and nothing else."""
    walk = Walk(QQQ, DAYS, chunk_size=5)
    for _ in range(6):
        walk.started(walk.next_day() or pytest.fail("nothing may start"))
    for day in DAYS[1:6]:
        walk.finished(day, "saved")
    assert walk.frontier == DAYS[0]
    assert walk.next_day() is None
    assert not walk.exhausted
    walk.finished(DAYS[0], "failed")
    assert walk.frontier == DAYS[6]
    assert walk.next_day() == DAYS[6]


def test_days_with_an_earlier_outcome_are_not_asked_for() -> None:
    """They count as finished; one that failed is asked for again."""
    walk = Walk(QQQ, DAYS[:4], earlier={DAYS[0]: "saved", DAYS[2]: "empty", DAYS[3]: "failed"})
    assert walk.frontier == DAYS[1]
    for day in (DAYS[1], DAYS[3]):
        assert walk.next_day() == day
        walk.started(day)
    assert walk.next_day() is None
    assert walk.exhausted
    assert not walk.done
    assert walk.in_flight == 2


def test_a_day_put_back_starts_again_and_one_under_way_does_not() -> None:
    """A pause gives transfers up; nothing is ever asked for twice at once."""
    walk = Walk(QQQ, DAYS[:2])
    walk.started(DAYS[0])
    with pytest.raises(ValueError, match="under way"):
        walk.started(DAYS[0])
    walk.put_back(DAYS[0])
    assert (walk.next_day(), walk.in_flight) == (DAYS[0], 0)


def test_a_further_round_asks_again_for_what_failed() -> None:
    """However old it is; the frontier goes back to it."""
    walk = walk_of("SFSSF")
    finish(walk, "SFSSF")
    assert walk.done
    walk.reopen(walk.days_of("failed"))
    assert not walk.done
    assert walk.frontier == DAYS[1]
    finish(walk, "SSSSE")
    assert walk.done
    assert (walk.days_of("failed"), walk.days_of("empty")) == ((), (DAYS[4],))


def test_what_is_saved_or_under_way_is_not_reopened() -> None:
    """A round is about what has failed."""
    walk = walk_of("SS")
    walk.started(DAYS[0])
    walk.finished(DAYS[0], "saved")
    for day in DAYS[:2]:
        with pytest.raises(ValueError, match="asked for again"):
            walk.reopen([day])


@pytest.mark.parametrize(
    ("finished", "number", "newest", "oldest"),
    [(0, 1, 0, 4), (4, 1, 0, 4), (5, 2, 5, 9), (10, 3, 10, 11), (12, 3, 10, 11)],
)
def test_the_chunk_is_where_the_frontier_is(finished: int, number: int, newest: int, oldest: int) -> None:
    """Number, how many there are, and its ends; the last chunk may be short."""
    walk = Walk(QQQ, DAYS[:12], earlier=dict.fromkeys(DAYS[:finished], "saved"), chunk_size=5)
    assert walk.chunk == (number, 3, DAYS[newest], DAYS[oldest])


def test_a_walk_needs_a_day() -> None:
    """Whoever has nothing to ask for makes no walk."""
    with pytest.raises(ValueError, match="a day"):
        Walk(QQQ, [])


def test_of_several_walks_the_one_with_the_newest_day_comes_first() -> None:
    """No collection waits for another, and one that may not go on holds nobody back."""
    walks = [Walk(QQQ, DAYS[:3], chunk_size=1), Walk(SPY, DAYS[1:4])]
    order = []
    while chosen := next_shard(walks):
        walk, shard = chosen
        order.append(shard)
        walk.started(shard.day)
    assert order == [
        Shard(QQQ, DAYS[0]),
        Shard(QQQ, DAYS[1]),
        Shard(SPY, DAYS[1]),
        Shard(SPY, DAYS[2]),
        Shard(SPY, DAYS[3]),
    ]
    assert next_shard([]) is None


# The vendor's boundary


def test_twenty_empty_days_in_a_row_raise_the_question() -> None:
    """With the newest saved day as canary; probes go ever further back, to the first wanted and another given day."""
    world = "SS" + "E" * 198
    walk = walk_of(world, also_probe=[DAYS[399], DAYS[0]])
    finish(walk, world)
    question = vendor_question(walk)
    assert (question.canary, question.empties, question.run) == (DAYS[0], 20, (DAYS[2], DAYS[21]))
    assert question.probes == tuple(DAYS[at] for at in (41, 61, 101, 181, 199, 399))


@pytest.mark.parametrize(
    "world",
    [
        "SS" + "E" * 19,
        "SS" + "E" * 19 + "F" + "E" * 19,
        "E" * 100,
        "SS" + "F" * 100,
        "SS" + "E" * 60 + "S",
        "SS" + "E" * 19 + "R" + "E" * 19,
    ],
)
def test_nothing_else_raises_it(world: str) -> None:
    """Not 19 days, nor failures however many; not before any data; not with data on the other side."""
    walk = walk_of(world)
    finish(walk, world, until_question=False)
    assert walk.question() is None


def test_days_count_in_date_order_whatever_the_order_of_answers() -> None:
    """Twenty older days may be empty long before their newer neighbour has its outcome."""
    walk = walk_of("S" + "E" * 30)
    for day in DAYS[:25]:
        walk.started(day)
    for day in (DAYS[0], *DAYS[2:25]):
        walk.finished(day, "empty" if day != DAYS[0] else "saved")
        assert walk.question() is None
    walk.finished(DAYS[1], "empty")
    assert vendor_question(walk).empties == 24


def test_an_older_failure_does_not_hide_the_question() -> None:
    """The row is whole at its own end, whatever came after it."""
    world = "S" + "E" * 20 + "F" + "E" * 5
    walk = walk_of(world)
    finish(walk, world, until_question=False)
    assert vendor_question(walk).run == (DAYS[1], DAYS[20])


def test_empty_days_of_an_earlier_run_count() -> None:
    """An interrupted run has to be no worse: the question comes before anything is asked for."""
    earlier = {DAYS[0]: "saved"} | dict.fromkeys(DAYS[1:21], "empty")
    walk = Walk(QQQ, DAYS[:100], earlier=earlier)
    assert vendor_question(walk).empties == 20
    assert Walk(QQQ, DAYS[:21], earlier=earlier).question() is None  # nothing was asked for, nothing is left


def test_no_hit_makes_a_boundary_and_closes_what_is_older() -> None:
    """At the oldest day with data, with its evidence; days under way and days that failed are not closed."""
    world = "SS" + "E" * 198
    walk = walk_of(world, earlier={DAYS[150]: "failed"})
    finish(walk, world)
    walk.started(DAYS[22])
    question = vendor_question(walk)
    boundary = walk.answer_vendor(question, [])
    assert boundary is not None
    assert (boundary.collection, boundary.kind, boundary.day) == (QQQ, "vendor", DAYS[1])
    assert len(boundary.evidence) == 3
    assert "20 empty days" in boundary.evidence[0]
    assert DAYS[41].isoformat() in boundary.evidence[2]
    assert len(walk.closed) == 200 - 22 - 2
    walk.put_back(DAYS[22])  # given up, it is closed like the others
    assert walk.closed[0] == DAYS[22]
    assert walk.next_day() == DAYS[150]
    assert walk.question() is None


def test_a_hit_is_a_hole_and_the_walk_goes_on() -> None:
    """No new question before the walk has passed the days known to have data, then a new one."""
    world = "SS" + "E" * 65 + "S" * 60 + "E" * 73
    walk = walk_of(world)
    finish(walk, world)
    question = vendor_question(walk)
    assert walk.answer_vendor(question, [day for day in question.probes if world[DAYS.index(day)] == "S"]) is None
    assert walk.question() is None  # the probes at 41 and 61 were in the hole, that at 101 was not
    assert walk.next_day() == DAYS[22]
    finish(walk, world)
    later = vendor_question(walk)
    assert later.run == (DAYS[127], DAYS[146])
    boundary = walk.answer_vendor(later, [])
    assert boundary is not None
    assert boundary.day == DAYS[126]


def test_a_hit_in_an_empty_day_asks_for_that_day_again() -> None:
    """The first wanted day is probed even if it has been asked for: an answer of "no data" may have been false."""
    world = "SS" + "E" * 20
    walk = walk_of(world)
    finish(walk, world)
    question = vendor_question(walk)
    assert question.probes == (DAYS[21],)
    assert walk.answer_vendor(question, [DAYS[21]]) is None
    assert walk.next_day() == DAYS[21]
    assert walk.question() is None


def test_inconclusive_probes_are_put_off_by_a_chunk_of_empty_days() -> None:
    """A Terminal that does not answer is no evidence for anything."""
    world = "SS" + "E" * 198
    walk = walk_of(world, chunk_size=10)
    finish(walk, world)
    walk.postpone(vendor_question(walk))
    assert walk.question() is None
    finish(walk, world)
    assert vendor_question(walk).empties == 30


def test_data_that_arrive_meanwhile_answer_the_question_too() -> None:
    """A day under way while the probes were asked comes back full: no boundary."""
    world = "SS" + "E" * 198
    walk = walk_of(world)
    walk.started(DAYS[30])
    finish(walk, world)
    question = vendor_question(walk)
    walk.finished(DAYS[30], "saved")
    assert walk.answer_vendor(question, []) is None
    assert walk.boundaries == {}


def test_data_beyond_a_boundary_revoke_it() -> None:
    """The closed days are open again, and the question comes again, from the new oldest day with data."""
    world = "SS" + "E" * 198
    walk = walk_of(world, earlier={DAYS[150]: "failed"})
    finish(walk, world)
    assert walk.answer_vendor(vendor_question(walk), []) is not None
    walk.started(DAYS[150])
    revoked = walk.finished(DAYS[150], "saved")
    assert revoked == (Boundary(QQQ, "vendor", None, (f"{DAYS[150]} has data",)),)
    assert walk.closed == ()
    finish(walk, world, until_question=False)
    boundary = walk.answer_vendor(vendor_question(walk), [])
    assert boundary is not None
    assert boundary.day == DAYS[150]
    assert walk.done


def test_a_boundary_claims_nothing_about_a_day_that_failed() -> None:
    """Perhaps it has data: the first that is known to have none is older."""
    world = "SSF" + "E" * 197
    walk = walk_of(world)
    finish(walk, world)
    boundary = walk.answer_vendor(vendor_question(walk), [])
    assert boundary is not None
    assert boundary.day == DAYS[2]
    walk.reopen([DAYS[2]])
    walk.started(DAYS[2])
    assert walk.finished(DAYS[2], "saved") == ()


def test_a_known_boundary_closes_older_days_and_asks_nothing() -> None:
    """Found by an earlier run; the days that it had asked for are empty."""
    earlier = dict.fromkeys(DAYS[:10], "saved") | dict.fromkeys(DAYS[10:40], "empty")
    walk = Walk(QQQ, DAYS[:100], earlier=earlier, boundaries=[Boundary(QQQ, "vendor", DAYS[9])])
    assert walk.done
    assert walk.closed == DAYS[40:100]
    assert walk.question() is None


# The tier's boundary


def test_three_refusals_in_a_row_raise_the_question() -> None:
    """The search lies between the nearest served day and the newest refused one."""
    world = "SSFERRRR"
    walk = walk_of(world)
    finish(walk, world)
    question = tier_question(walk)
    assert (question.served, question.fresh, question.refused) == (DAYS[1], True, DAYS[4])
    assert (question.run, question.newest) == ((DAYS[4], DAYS[6]), DAYS[0])
    assert question.message == "no subscription"
    search = walk.bisection(question)
    asked = []
    while (day := search.probe) is not None:
        asked.append(day)
        search.answer(day >= DAYS[3])
    assert search.first_served == DAYS[3]
    assert len(asked) <= 2
    boundary = walk.answer_tier(question, DAYS[3])
    assert boundary is not None
    assert (boundary.kind, boundary.day, boundary.message) == ("tier", DAYS[3], "no subscription")
    assert walk.closed == (DAYS[7],)
    assert walk.question() is None
    assert walk.done
    assert walk.pending_refused() == DAYS[4:7]
    walk.refusals_recorded(DAYS[4:7])
    assert walk.pending_refused() == ()


@pytest.mark.parametrize("world", ["SSRR", "SSRRFR", "SSRRER", "SRRRS", "RSRRS"])
def test_fewer_or_scattered_refusals_raise_none(world: str) -> None:
    """Nor do three before a day that was served."""
    walk = walk_of(world)
    finish(walk, world, until_question=False)
    assert walk.question() is None


def test_refusals_with_different_texts_are_not_in_a_row() -> None:
    """One message, or it is not one cause."""
    walk = walk_of("SRRRRR")
    for day, kind, message in zip(DAYS, ["saved"] + ["refused"] * 5, ["", *"aabbb"], strict=False):
        walk.started(day)
        walk.finished(day, KINDS[kind[0].upper()], message)
    assert tier_question(walk).run == (DAYS[3], DAYS[5])


@pytest.mark.parametrize("text", ["no data of {} in your plan", "{} is beyond it", "requested: {:%Y%m%d}"])
def test_refusals_that_name_their_day_are_in_a_row(text: str) -> None:
    """The words are the same; the record has those of the newest day."""
    walk = walk_of("SRRR")
    for day, kind in zip(DAYS, ["saved"] + ["refused"] * 3, strict=False):
        walk.started(day)
        walk.finished(day, KINDS[kind[0].upper()], text.format(day) if kind == "refused" else "")
    question = tier_question(walk)
    assert question.run == (DAYS[1], DAYS[3])
    assert question.message == text.format(DAYS[1])


def test_if_nothing_newer_was_served_it_is_about_the_account() -> None:
    """Refused at the newest end too: there is nothing to search, and nothing may be recorded."""
    world = "EFRRRRR"
    walk = walk_of(world)
    finish(walk, world)
    question = tier_question(walk)
    assert question.served is None
    assert not walk.served_newer(DAYS[4])
    with pytest.raises(ValueError, match="account"):
        walk.bisection(question)


def test_what_an_earlier_run_was_served_has_to_be_asked_again() -> None:
    """The account may have been another one then; the newest such day says which."""
    walk = Walk(QQQ, DAYS[:20], earlier=dict.fromkeys(DAYS[:5], "saved"))
    finish(walk, "S" * 5 + "R" * 15)
    question = tier_question(walk)
    assert (question.served, question.fresh) == (DAYS[0], False)
    assert not walk.served_newer(question.refused)
    assert walk.newest_saved == DAYS[0]
    walk.confirmed(DAYS[0])
    assert walk.served_newer(question.refused)
    assert tier_question(walk).fresh


def test_refusals_at_the_end_of_a_walk_are_told_with_what_speaks_for_them() -> None:
    """Two are no question; whether they may be recorded depends on a newer day that was served."""
    walk = walk_of("SERR")
    finish(walk, "SERR")
    assert walk.question() is None
    assert walk.pending_refused() == DAYS[2:4]
    assert walk.served_newer(DAYS[2])


def test_a_tier_question_is_put_off_and_answered_by_events_like_the_other() -> None:
    """Another chunk of refusals; an older day that is served ends it."""
    world = "S" + "R" * 30
    walk = walk_of(world, chunk_size=5)
    finish(walk, world)
    question = tier_question(walk)
    walk.postpone(question)
    finish(walk, world)
    assert tier_question(walk).run == (DAYS[1], DAYS[8])
    walk.started(DAYS[9])
    walk.finished(DAYS[9], "saved")
    assert walk.answer_tier(question, DAYS[0]) is None
    assert walk.question() is None


@given(st.integers(2, 3_000), st.data())
def test_a_bisection_finds_the_first_served_day_in_few_probes(count: int, data: st.DataObject) -> None:
    """At most twelve for ten years, never at its two known ends."""
    days = [NEWEST + timedelta(days=ahead) for ahead in range(count)]
    first = data.draw(st.integers(1, count - 1))
    search, probes = Bisection(days), 0
    while (day := search.probe) is not None:
        assert day not in (days[0], days[-1])
        search.answer(day >= days[first])
        probes += 1
    assert search.first_served == days[first]
    assert probes <= (count - 1).bit_length()


def test_a_bisection_needs_two_ends() -> None:
    """A refused day and a served one."""
    with pytest.raises(ValueError, match="refused day and a served one"):
        Bisection(DAYS[:1])


# Laws


class Run:
    """A whole run against a world that is known: answers come in any order, questions are answered truly."""

    def __init__(self, walk: Walk, world: Sequence[str], seed: int, workers: int) -> None:
        self.walk = walk
        self.truth: Mapping[date, str] = dict(zip(DAYS, world, strict=False))
        self.ended: dict[date, str] = {}
        self.found: list[Boundary] = []
        self._rng = random.Random(seed)
        self._workers = workers

    def go(self) -> None:
        under_way: list[date] = []
        while not self.walk.done:
            day = self.walk.next_day() if len(under_way) < self._workers else None
            if day is not None and self._rng.random() < 0.7:
                self._check_start(day, under_way)
                self.walk.started(day)
                under_way.append(day)
            elif under_way:
                day = under_way.pop(self._rng.randrange(len(under_way)))
                self.ended[day] = self.truth[day]
                assert self.walk.finished(day, KINDS[self.truth[day]], "no subscription") == ()
                self._answer()

    def _check_start(self, day: date, under_way: list[date]) -> None:
        days = self.walk.days
        oldest_allowed = next(at for at, newer in enumerate(days) if newer not in self.ended) + self.walk.chunk_size
        assert days.index(day) <= oldest_allowed
        assert day not in self.ended
        assert day not in under_way

    def _answer(self) -> None:
        question = self.walk.question()
        if isinstance(question, VendorQuestion):
            assert self.truth[question.canary] == "S"
            hits = [day for day in question.probes if self.truth[day] == "S"]
            boundary = self.walk.answer_vendor(question, hits)
        elif isinstance(question, TierQuestion) and question.served:
            search = self.walk.bisection(question)
            while (day := search.probe) is not None:
                search.answer(self.truth[day] != "R")
            assert search.first_served is not None
            boundary = self.walk.answer_tier(question, search.first_served)
        else:
            return
        if boundary is not None:
            self.found.append(boundary)


def run(world: Sequence[str], seed: int, workers: int, chunk_size: int = 50, max_consecutive_empty: int = 20) -> Run:
    days = DAYS[: len(world)]
    walk = Walk(QQQ, days, chunk_size=chunk_size, max_consecutive_empty=max_consecutive_empty)
    done = Run(walk, world, seed, workers)
    done.go()
    return done


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("SSEF"), st.integers(1, 40)), min_size=1, max_size=8),
    st.integers(0, 10_000),
    st.integers(1, 12),
    st.integers(1, 30),
)
def test_every_wanted_day_ends_with_an_outcome_or_beyond_a_boundary(
    stretches: list[tuple[str, int]], seed: int, workers: int, chunk_size: int
) -> None:
    """And none starts more than a chunk behind, twice, or after it has ended (checked as they start)."""
    world = "".join(letter * length for letter, length in stretches)
    done = run(world, seed, workers, chunk_size, max_consecutive_empty=5)
    days = set(done.walk.days)
    assert set(done.ended) | set(done.walk.closed) == days
    assert set(done.ended) & set(done.walk.closed) == set()
    for letter, kind in KINDS.items():
        assert set(done.walk.days_of(kind)) == {day for day, ended in done.ended.items() if ended == letter}
    for boundary in done.found:
        assert boundary.day is not None
        assert done.truth[boundary.day] in "SF"  # of a failed day nobody knows what it has
        assert all(day < boundary.day for day in done.walk.closed)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 10_000), st.integers(1, 12))
def test_a_hole_of_65_days_anywhere_is_no_boundary(newer: int, older: int, seed: int, workers: int) -> None:
    """All of it is asked for, and everything behind it (a real one: 65 weekdays between two years that have data)."""
    world = "S" * newer + "E" * 65 + "S" * older
    done = run(world, seed, workers)
    assert done.found == []
    assert len(done.ended) == len(world)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 100), st.integers(21, 200), st.integers(0, 10_000), st.integers(1, 12))
def test_where_the_data_really_begin_a_boundary_is_found(data: int, none: int, seed: int, workers: int) -> None:
    """At the oldest day with data; at most the row, a chunk and what was under way are asked for behind it."""
    done = run("S" * data + "E" * none, seed, workers)
    assert [boundary.day for boundary in done.found] == [DAYS[data - 1]]
    assert len(done.ended) <= data + 20 + 50 + 12


@settings(deadline=None, max_examples=40)
@given(st.text("SF", min_size=30, max_size=150), st.integers(0, 10_000), st.integers(1, 12))
def test_failures_never_make_a_boundary(world: str, seed: int, workers: int) -> None:
    """A Terminal that is down answers nothing, and nothing follows from it."""
    done = run(world, seed, workers)
    assert done.found == []
    assert len(done.ended) == len(world)


@settings(deadline=None, max_examples=40)
@given(st.text("SE", min_size=1, max_size=40), st.integers(4, 100), st.integers(0, 10_000), st.integers(1, 12))
def test_where_the_subscription_begins_a_boundary_is_found(served: str, none: int, seed: int, workers: int) -> None:
    """At the first session that is not refused, however few have data before it."""
    done = run("S" + served + "R" * none, seed, workers, max_consecutive_empty=100)
    assert [(boundary.kind, boundary.day) for boundary in done.found] == [("tier", DAYS[len(served)])]
    assert set(done.walk.pending_refused()) == {day for day, letter in done.ended.items() if letter == "R"}

"""What is asked for: ranges, the table of outcomes, and plans."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import UsageError
from thetabulk.model import (
    Asked,
    Boundary,
    Collection,
    Empty,
    Entry,
    Failed,
    Outcome,
    Proof,
    Refused,
    Saved,
    Shard,
)
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.planner import (
    Counts,
    Plan,
    build_plan,
    counts,
    failed_days,
    is_due,
    sessions_old,
    standing,
    wanted_sessions,
)

NOW = datetime(2024, 8, 3, 12, 0, tzinfo=UTC)
SETTLED = Calendar.load().sessions(date(2012, 1, 1), date(2024, 8, 2))
QQQ = Collection("option/quote/1m", "", "QQQ")
SPY = Collection("option/quote/1m", "", "SPY")
SHARD = Shard(QQQ, date(2024, 8, 1))


def saved(shard: Shard = SHARD, proof: Proof = Proof.FULL) -> Saved:
    return Saved(shard, Asked("GET"), proof, 10, 1, 1_000, 0, "", 2_000, "", "")


def empty(shard: Shard = SHARD, since: datetime | None = None, checks: int = 1) -> Empty:
    return Empty(shard, Asked("GET"), checks, since)


def refused(shard: Shard = SHARD, tier: str = "standard") -> Refused:
    return Refused(shard, Asked("GET", tier=tier), "you only have a STANDARD subscription")


def failed(shard: Shard = SHARD) -> Failed:
    return Failed(shard, Asked("GET"), "stalled", "no bytes for 180 s")


MAKERS: dict[str, Callable[[Shard], Outcome]] = {"saved": saved, "empty": empty, "refused": refused, "failed": failed}


def due(entry: Entry | None, *, age: int = 100, tier: str = "standard", recheck: bool = False) -> bool:
    return is_due(entry, now=NOW, sessions_old=age, tier=tier, recheck=recheck, settle_sessions=10)


def plan_for(
    days: list[date],
    outcomes: dict[date, Outcome],
    *boundaries: Boundary,
    recheck: bool = False,
    at: datetime = NOW - timedelta(hours=1),
) -> Plan:
    entries = {Shard(QQQ, day): Entry(outcome, at) for day, outcome in outcomes.items()}
    return build_plan({QQQ: days}, entries, boundaries, settled=SETTLED, now=NOW, tier="standard", recheck=recheck)


# Which sessions


def test_wanted_sessions_are_those_of_the_range_newest_first() -> None:
    """Both ends included, and nothing to say about it."""
    wanted = wanted_sessions(SETTLED, date(2024, 7, 3), date(2024, 7, 8))
    assert wanted.days == (date(2024, 7, 8), date(2024, 7, 5), date(2024, 7, 3))
    assert wanted.notes == ()


def test_without_an_end_the_range_goes_to_the_last_settled_session() -> None:
    """Nobody typed an end, so none is cut back."""
    wanted = wanted_sessions(SETTLED, date(2024, 7, 31))
    assert wanted.days == (date(2024, 8, 2), date(2024, 8, 1), date(2024, 7, 31))
    assert wanted.notes == ()


def test_a_later_end_is_cut_back_and_said_so() -> None:
    """Today and unsettled days are never saved."""
    wanted = wanted_sessions(SETTLED, date(2024, 8, 2), date(2024, 8, 6))
    assert wanted.days == (date(2024, 8, 2),)
    assert wanted.notes == ("--to 2024-08-06 is cut back to 2024-08-02, the newest settled session",)


def test_a_start_before_the_calendar_is_said() -> None:
    """The vendor has nothing from before 2012 either."""
    wanted = wanted_sessions(SETTLED, date(2010, 1, 1), date(2012, 1, 4))
    assert wanted.days == (date(2012, 1, 4), date(2012, 1, 3))
    assert "2012-01-03" in wanted.notes[0]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2024-08-03", "2024-08-04", ["2024-08-03", "02:00 New York", "2024-08-02"]),  # the weekend after the newest
        ("2024-07-27", "2024-07-28", ["no trading day", "2024-07-26, 2024-07-29"]),
        ("2012-10-29", "2012-10-30", ["no trading day", "2012-10-26, 2012-10-31"]),
        ("2024-08-05", "2024-08-05", ["settled", "2024-08-02"]),  # today, in New York
        ("2031-01-01", "2031-12-31", ["settled", "2024-08-02"]),
        ("2031-01-01", None, ["settled", "2024-08-02"]),
        ("2024-08-02", "2024-08-01", ["from 2024-08-02 to 2024-08-01"]),
        ("2010-01-01", "2010-12-31", ["no trading day", "nearest: 2012-01-03"]),
    ],
)
def test_a_range_without_a_settled_session_is_a_usage_error(first: str, last: str | None, said: list[str]) -> None:
    """Exit code 2, with the nearest sessions to type instead."""
    end = None if last is None else date.fromisoformat(last)
    with pytest.raises(UsageError) as caught:
        wanted_sessions(SETTLED, date.fromisoformat(first), end)
    text = f"{caught.value.what} {caught.value.hint}"
    assert [part for part in said if part not in text] == []
    assert caught.value.exit_code == 2


# Which are asked (again)


@pytest.mark.parametrize(
    ("outcome", "recheck", "again"),
    [
        (None, False, True),
        (saved(), False, False),
        (saved(), True, False),
        (saved(proof=Proof.NO_CONTRACT_LIST), True, False),
        (failed(), False, True),
        (refused(), False, False),
        (refused(), True, True),
        (refused(tier="free"), False, True),
        (empty(), False, False),
        (empty(), True, True),
    ],
)
def test_outcomes_are_asked_again_by_the_table(outcome: Outcome | None, recheck: bool, again: bool) -> None:
    """Saved never, failed always, refused on another tier, and the others on request; all were recorded just now."""
    entry = None if outcome is None else Entry(outcome, NOW - timedelta(minutes=1))
    assert due(entry, recheck=recheck) is again


def test_an_unknown_tier_is_no_other_tier() -> None:
    """Nothing speaks for another answer yet."""
    assert not due(Entry(refused(), NOW), tier="")
    assert due(Entry(refused(), NOW), tier="pro")


@pytest.mark.parametrize(("age", "again"), [(0, True), (9, True), (10, False), (500, False)])
def test_an_empty_day_is_asked_in_every_run_while_it_is_young(age: int, again: bool) -> None:
    """Ten sessions: just-settled dates are those that come late (thetadata-v3.md §5.6)."""
    assert due(Entry(empty(), NOW - timedelta(minutes=1)), age=age) is again


@pytest.mark.parametrize(
    ("first_days_ago", "last_days_ago", "again"),
    [
        (0.9, 0.9, False),
        (1.0, 1.0, True),
        (1.5, 0.4, False),  # asked since its first day was over
        (6.9, 5.0, False),
        (7.0, 5.0, True),
        (29.9, 20.0, False),
        (30.0, 20.0, True),
        (60.0, 60.0, True),  # no run in between: once for all three
        (60.0, 29.0, False),  # asked after 31 days, the last time
        (900.0, 869.0, False),
    ],
)
def test_an_older_empty_day_is_asked_again_after_1_7_and_30_days(
    first_days_ago: float, last_days_ago: float, again: bool
) -> None:
    """Counted from the first Empty; a run that comes late asks once for all that it missed."""
    outcome = empty(since=NOW - timedelta(days=first_days_ago), checks=2)
    assert due(Entry(outcome, NOW - timedelta(days=last_days_ago))) is again


def test_an_old_empty_day_is_asked_three_times_more_and_then_no_more() -> None:
    """A run every day for a year."""
    start = NOW - timedelta(days=365)
    last_asked, asked_on = start, []
    for day in range(1, 366):
        entry = Entry(empty(since=start), last_asked)
        now = start + timedelta(days=day, minutes=1)
        if is_due(entry, now=now, sessions_old=99, tier="", recheck=False, settle_sessions=10):
            last_asked = now
            asked_on.append(day)
    assert asked_on == [1, 7, 30]


def test_the_age_of_a_day_is_counted_in_sessions() -> None:
    """The newest settled session is 0 old; a weekend makes nothing older."""
    assert [sessions_old(SETTLED, day) for day in reversed(SETTLED[-3:])] == [0, 1, 2]


# The plan


def test_a_plan_goes_back_day_by_day_through_all_collections() -> None:
    """So that no symbol waits for another."""
    first, second = SETTLED[-2], SETTLED[-1]
    plan = build_plan({QQQ: [second, first], SPY: [second, first]}, {}, settled=SETTLED, now=NOW, tier="")
    assert plan.todo == (Shard(QQQ, second), Shard(SPY, second), Shard(QQQ, first), Shard(SPY, first))
    assert plan.counts == {"saved": 0, "empty": 0, "refused": 0}


@pytest.mark.parametrize(("kind", "counted_as"), [("vendor", "empty"), ("tier", "refused")])
def test_days_beyond_a_boundary_count_without_being_asked(kind: str, counted_as: str) -> None:
    """The boundary's own day is the first that is served."""
    days = SETTLED[-30:]
    plan = plan_for(days, {}, Boundary(QQQ, kind, days[10]))
    assert [shard.day for shard in plan.todo] == days[:9:-1]
    assert plan.done == {Shard(QQQ, day): counted_as for day in days[:10]}
    assert plan.beyond == set(plan.done)
    assert plan.earlier(QQQ) == {}


def test_recheck_asks_beyond_boundaries_too() -> None:
    """For empty and refused days alike, and the boundary is found anew."""
    days = SETTLED[-30:]
    outcomes: dict[date, Outcome] = {days[0]: empty(), days[1]: refused(), days[2]: saved()}
    boundary = Boundary(QQQ, "vendor", days[10])
    plan = plan_for(days, outcomes, boundary, recheck=True)
    assert {shard.day for shard in plan.todo} == set(days) - {days[2]}
    assert plan.boundaries == ()


def test_what_failed_beyond_a_boundary_is_asked_again() -> None:
    """A failure is no answer; everything else beyond keeps the outcome that it has."""
    days = SETTLED[-30:]
    outcomes: dict[date, Outcome] = {days[0]: failed(), days[1]: saved(), days[2]: refused(tier="free")}
    plan = plan_for(days, outcomes, Boundary(QQQ, "vendor", days[10]))
    assert plan.todo[-1].day == days[0]
    assert plan.failed == {Shard(QQQ, days[0])}
    assert plan.earlier(QQQ) == {days[0]: "failed", days[1]: "saved", days[2]: "refused"}
    assert plan.counts == {"saved": 1, "empty": 7, "refused": 1}


def test_a_revoked_boundary_holds_nothing_back() -> None:
    """The last record of a kind counts; one of another collection never does."""
    days = SETTLED[-30:]
    records = Boundary(QQQ, "vendor", days[10]), Boundary(QQQ, "vendor", None), Boundary(SPY, "tier", days[20])
    plan = plan_for(days, {}, *records)
    assert len(plan.todo) == 30
    assert plan.boundaries == ()
    assert standing(Shard(QQQ, days[0]), {}, records) == "pending"


def test_beyond_both_boundaries_a_day_is_empty() -> None:
    """The vendor's was found while the account was still served there."""
    days = SETTLED[-30:]
    plan = plan_for(days, {}, Boundary(QQQ, "tier", days[20]), Boundary(QQQ, "vendor", days[10]))
    assert plan.counts == {"saved": 0, "empty": 10, "refused": 10}


def test_only_failed_days_can_be_taken_from_what_is_wanted() -> None:
    """`resume --failed-only`; a collection without one is not walked at all."""
    days = SETTLED[-5:]
    entries = {
        Shard(QQQ, days[0]): Entry(failed(), NOW),
        Shard(QQQ, days[1]): Entry(saved(), NOW),
        Shard(SPY, days[1]): Entry(empty(), NOW),
    }
    assert failed_days({QQQ: days, SPY: days}, entries) == {QQQ: (days[0],)}


OUTCOMES = st.dictionaries(st.integers(0, 39), st.sampled_from(sorted(MAKERS)))
BOUNDARIES = st.lists(
    st.builds(
        lambda kind, at: Boundary(QQQ, kind, None if at < 0 else SETTLED[-40:][at]),
        st.sampled_from(["vendor", "tier"]),
        st.integers(-10, 39),
    ),
    max_size=3,
)


@given(OUTCOMES, BOUNDARIES, st.booleans(), st.floats(0, 100))
def test_todo_and_done_are_disjoint_and_together_what_was_wanted(
    kinds: dict[int, str], boundaries: list[Boundary], recheck: bool, days_ago: float
) -> None:
    """Whatever the ledger says; and planning what is left gives the same again."""
    days = SETTLED[-40:]
    outcomes = {days[at]: MAKERS[kind](Shard(QQQ, days[at])) for at, kind in kinds.items()}
    at = NOW - timedelta(days=days_ago)
    plan = plan_for(days, outcomes, *boundaries, recheck=recheck, at=at)
    wanted = {Shard(QQQ, day) for day in days}
    assert set(plan.todo) | set(plan.done) == wanted
    assert set(plan.todo) & set(plan.done) == set()
    assert len(set(plan.todo)) == len(plan.todo)
    assert sum(plan.counts.values()) == len(plan.done)
    assert plan.beyond <= set(plan.done)
    assert plan.failed <= set(plan.todo)
    assert not {shard for shard in plan.todo if outcomes.get(shard.day) == saved(shard)}
    left = sorted(shard.day for shard in plan.todo)
    again = plan_for(left, outcomes, *boundaries, recheck=recheck, at=at)
    assert (again.todo, again.done) == (plan.todo, {})


# What status says


def test_status_counts_add_up_and_only_full_proof_is_proven() -> None:
    """sessions = saved + empty + refused + failed + pending, and proven ≤ saved."""
    days = SETTLED[-10:]
    outcomes: list[Outcome] = [
        failed(),
        saved(),
        saved(proof=Proof.ACCEPTED),
        empty(),
        refused(),
        saved(proof=Proof.REMARKS),
    ]
    entries = {Shard(QQQ, day): Entry(outcome, NOW) for day, outcome in zip(days[2:], outcomes, strict=False)}
    found = counts(QQQ, days, entries, [Boundary(QQQ, "vendor", days[1])])
    assert found == Counts(saved=3, proven=1, empty=2, refused=1, failed=1, pending=3, bytes=3_000)
    assert found.sessions == 10


@given(OUTCOMES, BOUNDARIES)
def test_status_counts_every_wanted_day_once(kinds: dict[int, str], boundaries: list[Boundary]) -> None:
    """Whatever the ledger says."""
    days = SETTLED[-40:]
    entries = {Shard(QQQ, days[at]): Entry(MAKERS[kind](Shard(QQQ, days[at])), NOW) for at, kind in kinds.items()}
    found = counts(QQQ, days, entries, boundaries)
    assert found.sessions == 40
    assert found.proven <= found.saved
    assert found.failed == list(kinds.values()).count("failed")

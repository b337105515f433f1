"""The fold of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.report.events_of_a_run import QQQ, empty, failed, refused, run_started, saved, shard
from thetabulk.events import (
    AttemptFailed,
    BoundarySkipped,
    BytesReceived,
    Checking,
    Event,
    LimitChanged,
    Notice,
    Paused,
    Resumed,
    ShardFinished,
    ShardStarted,
)
from thetabulk.model import Boundary, Outcome, Proof
from thetabulk.report.tally import Tally


def tally_of(*events: Event, at: float = 0.0) -> Tally:
    """A tally of these events, all at one moment."""
    tally = Tally()
    for event in events:
        tally.add(event, at)
    return tally


def test_days_are_counted_by_outcome() -> None:
    """Each outcome in its place; what was done before the run is no progress of this one."""
    outcomes: list[Outcome] = [saved(0), saved(1, 40_000_000, Proof.NO_CONTRACT_LIST), empty(2), refused(3), failed(4)]
    tally = tally_of(run_started(wanted=112, done=12), *map(ShardFinished, outcomes))
    assert tally.days() == {"saved": 2, "empty": 1, "refused": 1, "failed": 1, "left": 95}
    assert (tally.todo, tally.done, tally.ended, tally.proven) == (100, 4, 5, 1)
    assert (tally.stored_bytes, tally.vendor_bytes) == (8_000_000, 80_000_000)


def test_a_day_that_is_asked_again_counts_once() -> None:
    """Failed in the first round, saved in the second: one day, saved."""
    tally = tally_of(run_started(), ShardFinished(failed(0)), ShardFinished(failed(0)), ShardFinished(saved(0)))
    assert tally.days() == {"saved": 1, "empty": 0, "refused": 0, "failed": 0, "left": 99}


def test_days_behind_a_boundary_are_not_left() -> None:
    """They need not be asked for, and are no progress either."""
    tally = tally_of(run_started(), BoundarySkipped(Boundary(QQQ, "vendor", shard(70).day), 30))
    assert tally.days()["left"] == tally.todo == 70
    assert tally.done == 0


def test_a_transfer_goes_from_waiting_to_gone() -> None:
    """Its state and its bytes are those of the present attempt."""
    tally = tally_of(ShardStarted(shard(0)), at=1.0)
    assert tally.transfers[shard(0)].state == "waiting"
    tally.add(BytesReceived(shard(0), 500), 2.0)
    assert (tally.transfers[shard(0)].state, tally.transfers[shard(0)].bytes) == ("receiving", 500)
    tally.add(AttemptFailed(shard(0), 1, "cut", "the connection was cut", 2.0, last=False), 3.0)
    assert (tally.transfers[shard(0)].state, tally.transfers[shard(0)].bytes) == ("failed", 0)
    tally.add(BytesReceived(shard(0), 900), 5.0)
    tally.add(Checking(shard(0)), 6.0)
    assert (tally.transfers[shard(0)].state, tally.transfers[shard(0)].bytes) == ("checking", 900)
    tally.add(ShardFinished(saved(0)), 7.0)
    assert tally.transfers == {}
    assert tally.received_bytes == 1_400


def test_the_rate_is_that_of_the_last_twenty_seconds() -> None:
    """A burst long ago says nothing about now."""
    tally = tally_of(BytesReceived(shard(0), 1_000_000), at=0.0)
    tally.add(BytesReceived(shard(0), 1_000_000), 10.0)
    assert tally.rate(10.0) == 200_000.0
    assert tally.rate(25.0) == 50_000.0
    assert tally.rate(100.0) == 0.0


def test_a_pause_is_no_running_time() -> None:
    """The estimate is silent in a pause, and as before after it."""
    tally = tally_of(run_started(), at=0.0)
    for number in range(20):
        tally.add(ShardFinished(saved(number)), 10.0 * (number + 1))
    before = tally.time_left(200.0)
    tally.add(Paused("drive", "the drive is not there"), 200.0)
    assert tally.time_left(5_000.0) is None
    tally.add(Resumed("drive", 4_800.0), 5_000.0)
    assert tally.time_left(5_000.0) == before
    assert tally.paused_s == 4_800.0


def test_other_events_change_no_total() -> None:
    """A notice is told, not counted."""
    assert tally_of(Notice("hello")).days() == tally_of().days()
    assert tally_of(LimitChanged(6, "goodput rose")).limit == 6


def test_totals_say_what_this_run_did() -> None:
    """The `run` document of the last JSON line."""
    tally = tally_of(run_started(), ShardFinished(saved(0)), ShardFinished(failed(1)))
    assert tally.totals(2.5) == {
        "wanted": 112,
        "done_before": 12,
        "saved": 1,
        "empty": 0,
        "refused": 0,
        "failed": 1,
        "left": 98,
        "beyond_boundary": 0,
        "proven": 1,
        "bytes": 4_000_000,
        "vendor_bytes": 40_000_000,
        "received_bytes": 0,
        "seconds": 2.5,
        "paused_seconds": 0.0,
    }


OUTCOMES = st.builds(
    lambda make, number: make(number), st.sampled_from([saved, empty, refused, failed]), st.integers(0, 99)
)


@given(st.lists(OUTCOMES))
def test_days_always_add_up(outcomes: list[Outcome]) -> None:
    """saved + empty + refused + failed + left = todo, whatever comes, and however often."""
    tally = tally_of(run_started(), *map(ShardFinished, outcomes))
    assert sum(tally.days().values()) == tally.todo == 100
    assert min(tally.days().values()) >= 0


@pytest.mark.parametrize("surplus", [1, 50])
def test_more_days_than_announced_do_not_break_the_bar(surplus: int) -> None:
    """A day that came on top (a hole that was found) widens the whole; nothing is left below zero."""
    tally = tally_of(run_started(wanted=10, done=0), *(ShardFinished(saved(n)) for n in range(10 + surplus)))
    assert tally.days()["left"] == 0
    assert tally.todo == 10 + surplus

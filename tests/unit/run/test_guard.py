"""When a run looks again at a Terminal that has lost its session or the vendor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.config import RunConfig
from thetabulk.errors import NotConnected, SessionTaken
from thetabulk.run.guard import Guard, Look, Sight, still_lost

TAKEN = SessionTaken("another login", hint="stop it")
AWAY = NotConnected("no servers", hint="wait")
SETTINGS = RunConfig()


def waits(guard: Guard, *sights: Sight) -> list[float]:
    """The wait before each look, and the one after the last."""
    found = [guard.wait_s(0.0)]
    for sight in sights:
        guard.looked(sight)
        found.append(guard.wait_s(0.0))
    return found


def test_a_session_that_was_taken_is_left_alone_for_ten_minutes_each_time() -> None:
    """However often it is still taken; silence at a request for data says the same."""
    guard = Guard(SETTINGS)
    guard.lost(TAKEN, 0.0)
    assert waits(guard, Sight.TAKEN, Sight.SILENT, Sight.TAKEN) == [600.0] * 4


def test_a_lost_connection_is_looked_at_from_5_seconds_to_60() -> None:
    """It comes back by itself, and a small look costs nothing."""
    guard = Guard(SETTINGS)
    guard.lost(AWAY, 0.0)
    assert waits(guard, *[Sight.AWAY] * 6) == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_a_terminal_that_says_it_is_connected_and_serves_nothing_is_asked_every_five_minutes_at_most() -> None:
    """Each of these looks is a request for data, if a small one."""
    guard = Guard(SETTINGS)
    guard.lost(AWAY, 0.0)
    assert waits(guard, *[Sight.SILENT] * 8)[-2:] == [300.0, 300.0]
    guard.looked(Sight.AWAY)
    assert guard.wait_s(0.0) == 60.0


def test_a_lost_connection_that_turns_out_to_be_a_lost_session_is_left_alone() -> None:
    """And a Terminal that is started again in the cool-down is looked at soon."""
    guard = Guard(SETTINGS)
    guard.lost(AWAY, 0.0)
    assert waits(guard, Sight.TAKEN, Sight.AWAY) == [5.0, 600.0, 10.0]


def test_well_and_lost_again_is_asked_more_and_more_seldom() -> None:
    """Until a day is saved: then all is forgotten."""
    guard = Guard(SETTINGS)
    found = []
    for _ in range(4):
        guard.lost(AWAY, 0.0)
        found.append(guard.wait_s(0.0))
        guard.looked(Sight.WELL)
    assert found == [5.0, 10.0, 20.0, 40.0]
    guard.saved()
    guard.lost(AWAY, 0.0)
    assert guard.wait_s(0.0) == 5.0


def test_the_limit_of_a_pause_counts_from_the_first_loss() -> None:
    """A fight over the session is no new patience each time."""
    guard = Guard(RunConfig(pause_limit_s=1_000.0))
    guard.lost(TAKEN, 100.0)
    guard.looked(Sight.WELL)
    guard.lost(TAKEN, 900.0)
    assert guard.wait_s(900.0) == 200.0
    assert not guard.overdue(1_099.0)
    assert guard.overdue(1_100.0)


def test_a_day_that_was_under_way_when_the_terminal_was_lost_says_nothing() -> None:
    """It may be saved minutes later, and the limit counts on."""
    guard = Guard(RunConfig(pause_limit_s=1_000.0))
    guard.lost(TAKEN, 0.0)
    guard.saved()
    assert guard.overdue(1_000.0)


@pytest.mark.parametrize(
    ("look", "before", "kind", "what", "hint"),
    [
        (Look(Sight.AWAY, "it is DISCONNECTED"), AWAY, NotConnected, "it is DISCONNECTED", "wait"),
        (Look(Sight.AWAY, "it is DISCONNECTED"), TAKEN, NotConnected, "it is DISCONNECTED", ""),
        (Look(Sight.TAKEN, "UNVERIFIED"), AWAY, SessionTaken, "UNVERIFIED", ""),
        (Look(Sight.TAKEN), TAKEN, SessionTaken, "another login", "stop it"),
        (Look(Sight.SILENT, "whatever"), TAKEN, SessionTaken, "another login", "stop it"),
    ],
)
def test_what_is_still_lost_is_told_in_the_latest_words(
    look: Look, before: SessionTaken | NotConnected, kind: type, what: str, hint: str
) -> None:
    """The cause may be another one than at first."""
    found = still_lost(look, before)
    assert found is not None
    assert (type(found), found.what, found.hint) == (kind, what, hint)


def test_what_is_well_is_not_lost() -> None:
    """Whatever it was before."""
    assert still_lost(Look(Sight.WELL), TAKEN) is still_lost(Look(Sight.WELL), AWAY) is None


@given(st.lists(st.tuples(st.sampled_from([*Sight, "lost", "saved"]), st.floats(0, 1_000)), max_size=60))
def test_no_wait_is_longer_than_the_cool_down_and_no_session_is_asked_sooner(steps: list[tuple[str, float]]) -> None:
    """Whatever happens in whichever order."""
    guard, now = Guard(SETTINGS), 0.0
    for step, later in steps:
        now += later
        if step == "lost":
            guard.lost(TAKEN, now)
        elif step == "saved":
            guard.saved()
        else:
            guard.looked(Sight(step))
        assert 0 <= guard.wait_s(now) <= 600.0
        if guard.taken and not guard.overdue(now + 600.0):
            assert guard.wait_s(now) == 600.0

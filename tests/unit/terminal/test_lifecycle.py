"""The restart policy, cause by cause, on a clock that is only a number."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetabulk.terminal.causes import Cause
from thetabulk.terminal.lifecycle import Decision, Limits, Past, blamed, decide, ended, may_restart, started

LIMITS = Limits()
TRANSIENT = (Cause.EXIT, Cause.HANG, Cause.LATE)


def after(*causes: Cause, now: float = 0.0) -> Past:
    past = Past()
    for cause in causes:
        past = blamed(past, cause, now)
    return past


@pytest.mark.parametrize("cause", TRANSIENT)
def test_the_wait_after_a_crash_grows_from_two_to_sixty_seconds(cause: Cause) -> None:
    """Full jitter: any part of 2, 4, 8, … 60 seconds."""
    longest = [
        decide(after(*[cause] * n), cause, now=0, chance=1.0, limits=LIMITS).wait_s for n in (0, 1, 2, 3, 4, 5, 50)
    ]
    assert longest == [2, 4, 8, 16, 32, 60, 60]
    assert decide(after(), cause, now=0, chance=0.0, limits=LIMITS).wait_s == 0


def test_only_a_calm_spell_makes_failures_forgotten() -> None:
    """Sixty seconds of being connected; the restarts in time are counted all the same."""
    past = replace(after(Cause.EXIT, Cause.EXIT), restarts=(1.0, 2.0))
    assert ended(past, calm_s=59, limits=LIMITS) == past
    assert ended(past, calm_s=60, limits=LIMITS) == replace(past, causes=())


def test_a_fourth_restart_within_ten_minutes_waits() -> None:
    """Until the first of the three is ten minutes old."""
    past = Past(restarts=(100.0, 150.0, 200.0))
    decision = decide(past, Cause.EXIT, now=210, chance=0.5, limits=LIMITS)
    assert decision.wait_s == 100 + 600 - 210
    assert decision.why == "3 restarts within 10 minutes are the most"
    assert decide(Past(restarts=(100.0, 150.0)), Cause.EXIT, now=210, chance=0.5, limits=LIMITS).wait_s == 1.0


def test_ten_restarts_within_a_day_are_enough() -> None:
    """Then it is given up; the day after there is hope again."""
    past = Past(restarts=tuple(float(hour * 3600) for hour in range(10)))
    decision = decide(past, Cause.EXIT, now=36_000, chance=0.5, limits=LIMITS)
    assert decision == Decision(0.0, "10 restarts within 24 hours have not helped", final=True)
    assert not decide(past, Cause.EXIT, now=86_401, chance=0.5, limits=LIMITS).final


def test_a_taken_session_waits_ten_minutes_and_then_longer() -> None:
    """One try each time; an hour at most between two."""
    waits = [
        decide(after(*[Cause.SESSION] * n), Cause.SESSION, now=0, chance=0.0, limits=LIMITS).wait_s for n in range(5)
    ]
    assert waits == [600, 1200, 2400, 3600, 3600]


def test_bad_credentials_are_never_tried_again() -> None:
    """Another login with them could lock the account."""
    assert decide(Past(), Cause.CREDENTIALS, now=0, chance=0.5, limits=LIMITS).final


def test_memory_has_one_more_chance() -> None:
    """In a day: what ran out twice will again."""
    first = decide(Past(), Cause.MEMORY, now=0, chance=0.5, limits=LIMITS)
    assert not first.final
    again = decide(after(Cause.MEMORY), Cause.MEMORY, now=3_600, chance=0.5, limits=LIMITS)
    assert again.final
    assert "-Xmx" in again.why
    assert not decide(after(Cause.MEMORY), Cause.MEMORY, now=86_500, chance=0.5, limits=LIMITS).final


def test_a_taken_port_is_tried_once() -> None:
    """At once when it is free (the start waits for that); twice in a row is the end."""
    assert decide(Past(), Cause.PORT, now=0, chance=1.0, limits=LIMITS).wait_s == 0
    assert decide(after(Cause.PORT), Cause.PORT, now=0, chance=1.0, limits=LIMITS).final
    assert not decide(after(Cause.PORT, Cause.EXIT), Cause.PORT, now=0, chance=1.0, limits=LIMITS).final


def test_too_many_requests_are_answered_with_quiet() -> None:
    """At least 130 seconds, the floor of the vendor's servers."""
    assert decide(Past(), Cause.RATE, now=0, chance=0.0, limits=LIMITS).wait_s == 130


def test_a_wish_leaves_room_for_a_need() -> None:
    """A restart that is only to help speed takes none of the last ones."""
    assert may_restart(Past(restarts=(0.0,)), now=10, limits=LIMITS)
    assert not may_restart(Past(restarts=(0.0, 5.0)), now=10, limits=LIMITS)
    assert may_restart(Past(restarts=(0.0, 5.0)), now=700, limits=LIMITS)
    assert not may_restart(Past(restarts=tuple(float(n * 700) for n in range(9))), now=9_000, limits=LIMITS)


@settings(max_examples=300)
@given(
    causes=st.lists(st.sampled_from([cause for cause in Cause if cause is not Cause.ASKED]), max_size=60),
    seed=st.integers(0, 10_000),
)
def test_whatever_happens_the_limits_hold(causes: list[Cause], seed: int) -> None:
    """Never more than 3 restarts in any 10 minutes, never more than 10 in any day, no login sooner than 10 minutes
    after a taken session, none after bad credentials."""
    dice = random.Random(seed)
    now, past, starts = 0.0, Past(), [0.0]
    for cause in causes:
        now += dice.choice((0.0, 1.0, 30.0, 90.0, 4_000.0))
        past = ended(past, calm_s=dice.choice((0.0, 120.0)), limits=LIMITS)
        decision = decide(past, cause, now=now, chance=dice.random(), limits=LIMITS)
        past = blamed(past, cause, now)
        if decision.final:
            break
        assert cause is not Cause.CREDENTIALS
        assert cause is not Cause.SESSION or decision.wait_s >= 600
        now += decision.wait_s
        past = started(past, now, LIMITS)
        starts.append(now)
    for at in starts[1:]:
        assert sum(at <= other < at + 600 for other in starts[1:]) <= 3
        assert sum(at <= other < at + 86_400 for other in starts[1:]) <= 10

"""What a run makes of the vendor profile: habits, the subscription, and which days first contact asks about."""

from datetime import date, timedelta

import pytest

from thetabulk.assembly.contact import Held
from thetabulk.assembly.profiles import habits_of, held_by
from thetabulk.assembly.questions import a_contract, chain, days_to_ask, one
from thetabulk.model import Tier
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset
from thetabulk.plan.facts import ListFact
from thetabulk.plan.profile import GridFact, Profile, is_whole
from thetabulk.report.first_contact import differences
from thetabulk.store.habits import Habits

MINUTES = dataset("option/quote/1m")


def test_nothing_known_is_no_habit() -> None:
    assert habits_of(Profile(), MINUTES, half_day=False) == Habits()


def test_habits_are_those_of_the_day() -> None:
    """The grid of a half-day does not make a whole one whole."""
    grid = GridFact("QQQ", True, "16:15", "09:30", "13:29", 240)
    profile = Profile(grids=(grid,), contract_list=ListFact("overlap", 0.2, 0.1), final_newline=False)
    assert habits_of(profile, MINUTES, half_day=False) == Habits({}, 0.2, 0.1, final_newline=False)
    assert habits_of(profile, MINUTES, half_day=True).grids == {(0, 240): "09:30–13:29"}


@pytest.mark.parametrize(
    ("held", "tiers", "requests", "tier", "at_once"),
    [
        (Held(Tier.STANDARD, assumed=True), {"option": "value"}, 8, Tier.VALUE, 8),
        (Held(Tier.STANDARD, assumed=True), {"option": "pro"}, None, Tier.PRO, 8),
        (Held(Tier.STANDARD, assumed=True), {"stock": "pro"}, 8, Tier.STANDARD, 4),
        (Held(Tier.FREE, assumed=False), {"option": "pro"}, 8, Tier.FREE, 1),
        (Held(Tier.STANDARD, assumed=True), None, None, Tier.STANDARD, 4),
    ],
)
def test_the_subscription_that_was_said_stands(
    held: Held, tiers: dict[str, str] | None, requests: int | None, tier: Tier, at_once: int
) -> None:
    """What was configured, else what the profile knows, else what was assumed."""
    found = held_by(held, Profile(tiers=tiers, requests=requests))
    assert (found.tier, found.requests) == (tier, at_once)
    assert found.assumed is (held.assumed and "option" not in (tiers or {}))


@pytest.mark.parametrize("half_day", [True, False])
@pytest.mark.parametrize("first", ["09:30", "09:45", "09:46"])
@pytest.mark.parametrize("last", ["12:44", "12:45", "15:44", "15:45", "16:14"])
def test_the_report_and_the_checks_mean_the_same_whole_day(half_day: bool, first: str, last: str) -> None:
    """What the report says is followed is what is followed."""
    fact = GridFact("QQQ", half_day, "16:15", first, last, 9)
    [told] = differences(Profile(grids=(fact,)).to_fields())
    assert ("such days are whole" in told) is is_whole(fact)


def test_the_days_that_are_asked_about() -> None:
    """The newest of each kind of which everything should be known by now."""
    calendar = Calendar.load()
    settled = calendar.sessions(date(2012, 6, 1), date(2024, 12, 2))
    days = days_to_ask(calendar, settled)
    assert days.half == date(2024, 7, 3), "the half-day of the week before is too young"
    assert (days.whole, days.weekend, days.holiday) == (date(2024, 11, 26), date(2024, 11, 23), date(2024, 9, 2))


@pytest.mark.parametrize("back", range(0, 400, 7))
def test_such_days_are_found_whenever_it_is_asked(back: int) -> None:
    """The weekend is one, the holiday is none of the sessions, and all lie before the newest settled day."""
    calendar = Calendar.load()
    settled = calendar.sessions(date(2012, 6, 1), date(2025, 12, 31) - timedelta(days=back))
    days = days_to_ask(calendar, settled)
    assert calendar.is_session(days.whole)
    assert not calendar.is_half_day(days.whole)
    assert days.half is not None
    assert calendar.is_half_day(days.half)
    assert not calendar.is_session(days.weekend)
    assert days.weekend.weekday() == 5
    assert not calendar.is_session(days.holiday)
    assert days.holiday.weekday() < 5
    assert max(days.whole, days.half) <= settled[-4]


def test_the_contract_that_is_asked_for_is_near_and_in_the_middle() -> None:
    """Not of the day itself, if there is another; never at the edge of the chain."""
    keys = frozenset(
        (day, str(strike), "C") for day in ("20240802", "20240805", "20240816") for strike in range(95, 106)
    )
    assert a_contract(keys, date(2024, 8, 2)) == ("20240805", "100", "C")
    assert a_contract(frozenset(key for key in keys if key[0] == "20240802"), date(2024, 8, 2))[0] == "20240802"


def test_the_questions_are_small() -> None:
    """A chain once an hour, or one strike minute by minute."""
    day, key = date(2024, 8, 2), ("20240805", "100.5", "C")
    assert "expiration=*" in chain("QQQ", day).text
    assert "interval=1h" in chain("QQQ", day).text
    small = one("QQQ", day, key, "16:00:00").text
    assert "expiration=20240805&strike=100.5&right=both&date=2024-08-02&interval=1m" in small
    assert "end_time=16:00:00" in small

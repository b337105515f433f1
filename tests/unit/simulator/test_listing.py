"""Which contracts are listed when."""

from datetime import date, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from thetabulk.simulator.calendar import SESSIONS, session_number
from thetabulk.simulator.expirations import expirations
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.listing import listing
from thetabulk.simulator.queries import FIRST_DAY


def count(symbol: str, day: date, small: bool) -> int:
    number = session_number(day)
    assert number is not None
    return sum(2 * len(series.strikes) for series in listing(1, symbol, small).chain(number))


@pytest.mark.parametrize(("day", "measured"), [(date(2017, 6, 15), 2_840), (date(2024, 1, 2), 8_778)])
def test_a_real_sized_chain_is_as_large_as_the_real_one(day: date, measured: int) -> None:
    """QQQ had 2,840 contracts on 2017-06-15 and 8,778 on 2024-01-02 (thetadata-v3.md §3.4)."""
    assert count("QQQ", day, small=False) == pytest.approx(measured, rel=0.03)


@pytest.mark.parametrize("symbol", sorted(INSTRUMENTS))
def test_a_small_chain_is_a_few_dozen_contracts(symbol: str) -> None:
    """Every symbol has contracts on every day, and never many."""
    sizes = [count(symbol, day, small=True) for day in SESSIONS[110:3900:41]]
    assert 20 <= mean(sizes) <= 40
    assert min(sizes) >= 6
    assert max(sizes) <= 72


def test_a_contract_is_listed_without_a_gap_until_it_expires() -> None:
    """Whatever the underlying does, a strike that was listed stays."""
    chains = listing(1, "QQQ", True)
    for expiration in chains.expirations[300:400:7]:
        strikes = [set(chains.strikes(expiration, n)) for n in range(expiration.listed, expiration.last + 1)]
        assert all(before <= after for before, after in pairwise(strikes))
        assert strikes[0]


def test_nothing_expired_is_listed() -> None:
    """The last day with quotes is the expiration, or the session before one that is none."""
    chains = listing(1, "SPY", True)
    for number in range(120, 3900, 53):
        assert all(series.day >= SESSIONS[number] for series in chains.chain(number))


def test_monthlies_before_february_2015_expire_on_saturdays() -> None:
    """As in the vendor's own sample, 2012-06-16; later on Fridays."""
    days = [expiration.day for expiration in expirations("index-monthly", False)]
    assert date(2012, 6, 16) in days
    assert date(2015, 1, 17) in days
    assert date(2015, 2, 20) in days
    assert all(
        day.weekday() == (5 if day < date(2015, 2, 1) else 4) or day + timedelta(1) not in SESSIONS for day in days
    )


def test_dailies_come_late() -> None:
    """Mondays to Thursdays are rare before 2017, and there is an expiration every session from the end of 2022 on."""
    days = {expiration.day for expiration in expirations("etf", False)}
    early = [day for day in SESSIONS if day.year == 2014 and day in days]
    assert sum(day.weekday() < 3 for day in early) <= 4
    assert {day for day in SESSIONS if day.year == 2024} <= days


def test_an_expiration_on_a_holiday_moves_to_the_session_before() -> None:
    """Good Friday 2024 was the 29th of March."""
    days = {expiration.day for expiration in expirations("stock", False)}
    assert date(2024, 3, 28) in days
    assert date(2024, 3, 29) not in days


def test_leaps_are_listed_for_years() -> None:
    """January contracts appear two and a half years ahead."""
    january = next(one for one in expirations("etf", False) if one.day == date(2024, 1, 19))
    assert (january.day - SESSIONS[january.listed]).days > 800


def test_every_symbol_has_data_from_the_first_day_on() -> None:
    """2012-06-01 is the vendor's first day, and the simulator's."""
    assert all(count(symbol, FIRST_DAY, small=True) > 0 for symbol in INSTRUMENTS)

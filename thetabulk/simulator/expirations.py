"""Which expirations exist, and from when to when each is listed.

Monthlies expire on the third Friday, before February 2015 on the Saturday after it (OpenAPI: sample 2012-06-16);
a holiday moves an expiration to the session before. Weeklies are listed weeks ahead, dailies days, January years.
When the weekdays came is rounded from the exchanges' circulars; Tuesdays and Thursdays came in November 2022.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from thetabulk.simulator.calendar import FIRST_YEAR, LAST_YEAR, is_session, number_at_or_after, number_at_or_before

SATURDAYS_UNTIL = date(2015, 2, 1)
LEAP_YEARS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """A family of expirations: `horizon` calendar days ahead it is listed, with strikes `fine_percent` of the
    underlying's range to each side at the fine step, and out to `coarse_percent` at the coarse one."""

    family: str
    horizon: int
    fine_percent: int
    coarse_percent: int = 0
    since: date = date(2012, 1, 1)


_2017, _2018, _LATE_2022 = date(2017, 9, 1), date(2018, 2, 1), date(2022, 11, 14)
_MONTHLIES = (
    Rule("month", 170, 22, 34),
    Rule("quarter", 280, 16, 45),
    Rule("january", 900, 5, 60),
)
_DAILIES = (
    Rule("monday", 13, 16, 24, _2018),
    Rule("tuesday", 13, 16, 24, _LATE_2022),
    Rule("wednesday", 13, 16, 24, _2017),
    Rule("thursday", 13, 16, 24, _LATE_2022),
)
RULES = {
    "etf": (*_MONTHLIES, Rule("friday", 44, 20, 30), Rule("quarter-end", 340, 15, 40), *_DAILIES),
    "stock": (*_MONTHLIES, Rule("friday", 44, 25, 40)),
    "index-monthly": _MONTHLIES,
    "index-weekly": (Rule("friday", 42, 16, 30), Rule("quarter-end", 340, 16, 40), *_DAILIES),
    "vix": (Rule("vix-wednesday", 180, 80, 300),),
}
"""What `--size real` lists: 2,840 contracts of QQQ on 2017-06-15, 8,778 on 2024-01-02 (measured on the real thing)."""

_SMALL_MONTHLIES = (Rule("month", 72, 2), Rule("quarter", 93, 2), Rule("january", 93, 2))
_SMALL_DAILIES = tuple(Rule(rule.family, 8, 0, 0, rule.since) for rule in _DAILIES[::2])
SMALL = {
    "etf": (*_SMALL_MONTHLIES, Rule("friday", 16, 0), *_SMALL_DAILIES),
    "stock": (*_SMALL_MONTHLIES, Rule("friday", 23, 1)),
    "index-monthly": (Rule("month", 93, 2), Rule("quarter", 120, 2), Rule("january", 120, 2)),
    "index-weekly": (Rule("friday", 37, 1), Rule("quarter-end", 93, 2), *_SMALL_DAILIES),
    "vix": (Rule("vix-wednesday", 93, 3),),
}
"""What `--size small` lists, 24 to 40 contracts on most days; here the percentages count steps of the strikes."""


@dataclass(frozen=True, slots=True)
class Expiration:
    """A listed expiration. `listed` and `last` are session numbers: the first and the last day with quotes."""

    day: date
    listed: int
    last: int
    rule: Rule


def third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((4 - first.weekday()) % 7 + 14)


@lru_cache(maxsize=16)
def expirations(listing: str, small: bool) -> tuple[Expiration, ...]:
    """Every expiration of a kind of instrument, 2012 and later, in order."""
    found: dict[date, Expiration] = {}
    for rule in (SMALL if small else RULES)[listing]:
        for day in _days(rule.family):
            if day >= rule.since and (day not in found or found[day].rule.horizon < rule.horizon):
                listed = number_at_or_after(max(day - timedelta(rule.horizon), rule.since))
                last = number_at_or_before(day - timedelta(1) if listing in ("index-monthly", "vix") else day)
                found[day] = Expiration(day, listed, last, rule)
    return tuple(found[day] for day in sorted(found))


def live(everything: tuple[Expiration, ...], number: int, today: date) -> Iterator[Expiration]:
    """The expirations that have quotes in a session."""
    for expiration in everything[bisect_left(everything, today, key=lambda expiration: expiration.day) :]:
        if expiration.listed <= number <= expiration.last:
            yield expiration


def _days(family: str) -> Iterator[date]:
    years = range(FIRST_YEAR, LAST_YEAR + 1 + LEAP_YEARS_AHEAD)
    if family in _WEEKDAYS:
        day, end = date(FIRST_YEAR, 1, 1), date(LAST_YEAR + 1, 1, 1)
        day += timedelta((_WEEKDAYS[family] - day.weekday()) % 7)
        while day < end:
            if day != third_friday(day.year, day.month):
                yield _session_before(day)
            day += timedelta(7)
    elif family == "vix-wednesday":  # thirty days before the third Friday of the month after
        for year in years:
            for month in range(1, 13):
                yield _session_before(third_friday(year + month // 12, month % 12 + 1) - timedelta(30))
    elif family == "quarter-end":
        for year in years:
            for month in (4, 7, 10, 13):
                yield _session_before(date(year + month // 13, month % 12 or 12, 1) - timedelta(1))
    else:
        for year in years:
            for month in _MONTHS[family]:
                yield _monthly(third_friday(year, month))


_WEEKDAYS = {"monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4}
_MONTHS = {"january": (1,), "quarter": (3, 6, 9, 12), "month": (2, 4, 5, 7, 8, 10, 11)}


def _monthly(friday: date) -> date:
    return friday + timedelta(1) if friday < SATURDAYS_UNTIL else _session_before(friday)


def _session_before(day: date) -> date:
    """The day itself, or the session before it if the exchange is closed."""
    while not is_session(day):
        day -= timedelta(1)
    return day

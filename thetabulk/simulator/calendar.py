"""The simulator's own exchange calendar, 2012 to 2028.

It duplicates what `plan/calendar.py` takes from a library, on purpose: a simulator that asked the client when the
exchange was open could not disagree with it. Closures as published by the NYSE, extraordinary ones included
(Sandy 2012-10-29 and -30, the mournings of 2018-12-05 and 2025-01-09).
"""

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 2012, 2028
OPEN_S = 34_200  # 09:30:00 in seconds of the day
CLOSE_S, LATE_CLOSE_S = 57_600, 58_500  # 16:00:00, and 16:15:00 for index and some ETF options
EARLY_CLOSE_S, EARLY_LATE_CLOSE_S = 46_800, 47_700  # 13:00:00, and 13:15:00 for the same

_CLOSED = {
    2012: "0102 0116 0220 0406 0528 0704 0903 1029 1030 1122 1225",
    2013: "0101 0121 0218 0329 0527 0704 0902 1128 1225",
    2014: "0101 0120 0217 0418 0526 0704 0901 1127 1225",
    2015: "0101 0119 0216 0403 0525 0703 0907 1126 1225",
    2016: "0101 0118 0215 0325 0530 0704 0905 1124 1226",
    2017: "0102 0116 0220 0414 0529 0704 0904 1123 1225",
    2018: "0101 0115 0219 0330 0528 0704 0903 1122 1205 1225",
    2019: "0101 0121 0218 0419 0527 0704 0902 1128 1225",
    2020: "0101 0120 0217 0410 0525 0703 0907 1126 1225",
    2021: "0101 0118 0215 0402 0531 0705 0906 1125 1224",
    2022: "0117 0221 0415 0530 0620 0704 0905 1124 1226",
    2023: "0102 0116 0220 0407 0529 0619 0704 0904 1123 1225",
    2024: "0101 0115 0219 0329 0527 0619 0704 0902 1128 1225",
    2025: "0101 0109 0120 0217 0418 0526 0619 0704 0901 1127 1225",
    2026: "0101 0119 0216 0403 0525 0619 0703 0907 1126 1225",
    2027: "0101 0118 0215 0326 0531 0618 0705 0906 1125 1224",
    2028: "0117 0221 0414 0529 0619 0704 0904 1123 1225",
}
_EARLY = {
    2012: "0703 1123 1224", 2013: "0703 1129 1224", 2014: "0703 1128 1224", 2015: "1127 1224", 2016: "1125",
    2017: "0703 1124", 2018: "0703 1123 1224", 2019: "0703 1129 1224", 2020: "1127 1224", 2021: "1126",
    2022: "1125", 2023: "0703 1124", 2024: "0703 1129 1224", 2025: "0703 1128 1224", 2026: "1127 1224",
    2027: "1126", 2028: "0703 1124",
}  # fmt: skip


def _days(table: dict[int, str]) -> frozenset[date]:
    return frozenset(date(year, int(day[:2]), int(day[2:])) for year, days in table.items() for day in days.split())


CLOSED = _days(_CLOSED)
EARLY = _days(_EARLY)


def is_session(day: date) -> bool:
    """Whether the exchange was open; after the table's end every weekday counts."""
    return day.weekday() < 5 and day not in CLOSED


def _all_sessions() -> tuple[date, ...]:
    first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return tuple(day for day in days if is_session(day))


SESSIONS = _all_sessions()
_NUMBER = {day: number for number, day in enumerate(SESSIONS)}


def session_number(day: date) -> int | None:
    """The day's place in `SESSIONS`, None for a day on which the exchange was closed."""
    return _NUMBER.get(day)


def number_at_or_before(day: date) -> int:
    """The last session on or before a day; -1 before the table."""
    return bisect_right(SESSIONS, day) - 1


def number_at_or_after(day: date) -> int:
    return bisect_left(SESSIONS, day)


def sessions_between(first: date, last: date) -> tuple[date, ...]:
    return SESSIONS[number_at_or_after(first) : number_at_or_before(last) + 1]


def closing_second(day: date, *, late: bool) -> int:
    """When a day's trading ends, in seconds of the day; `late` for what trades a quarter of an hour longer."""
    if day in EARLY:
        return EARLY_LATE_CLOSE_S if late else EARLY_CLOSE_S
    return LATE_CLOSE_S if late else CLOSE_S


def schedule(day: date) -> tuple[str, str, str]:
    """The row of `/calendar/on_date`: type, open, close (OpenAPI: `items_calendar_on_date`)."""
    if day.weekday() >= 5:
        return "weekend", "", ""
    if day in CLOSED:
        return "full_close", "", ""
    if day in EARLY:
        return "early_close", "09:30:00", "13:00:00"
    return "open", "09:30:00", "16:00:00"


@lru_cache(maxsize=32)
def holidays(year: int) -> tuple[tuple[date, str, str, str], ...]:
    """The rows of `/calendar/year_holidays`: date, type, open, close."""
    days = sorted(day for day in CLOSED | EARLY if day.year == year)
    return tuple((day, *schedule(day)) for day in days)

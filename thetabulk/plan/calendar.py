"""Trading days and early closes of the New York Stock Exchange.

The truth is pandas-market-calendars, which takes half a second to import; so what it says about 2012 to 2027 lies
beside this file as `sessions.json` (`python -m thetabulk.plan.calendar [YEAR]` writes it anew, to the end of YEAR), and
pandas is imported only for days after the end of that table. What it said then is kept in a folder of the user's.
"""

import hashlib
import json
import os
import sys
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from thetabulk.errors import ThetabulkError

NEW_YORK = ZoneInfo("America/New_York")
SETTLES = time(2, 0)
"""When a day is whole, on the next, in New York: its data are unreliable or absent to 01:45 (thetadata-v3.md §5.6)."""

FIRST = date(2012, 1, 1)  # half a year before the vendor's first option data
_SHIPPED = Path(__file__).with_name("sessions.json")
_SHIPPED_TO = 2027


@dataclass(frozen=True, slots=True)
class Table:
    """Every day from `first` to `last`: a session unless it is of a weekend or among `closed`."""

    source: str
    first: date
    last: date
    closed: frozenset[date]
    half_days: frozenset[date]

    def sessions(self) -> tuple[date, ...]:
        count = (self.last - self.first).days + 1
        days = (self.first + timedelta(days=ahead) for ahead in range(count))
        return tuple(day for day in days if day.weekday() < 5 and day not in self.closed)


@dataclass(slots=True)
class Calendar:
    """The exchange's days. Days before 2012 are not known, and are no sessions."""

    table: Table
    cache: Path | None = None
    _sessions: tuple[date, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._sessions = self.table.sessions()

    @classmethod
    def load(cls, cache_dir: Path | None = None) -> "Calendar":
        """From the shipped table; `cache_dir` keeps what pandas-market-calendars adds to it, and need not exist."""
        table = read_table(_SHIPPED)
        if table is None:
            raise ThetabulkError(f"the calendar {_SHIPPED} is damaged", hint="install thetabulk again")
        return cls(table, None if cache_dir is None else cache_dir / _SHIPPED.name)

    def sessions(self, first: date, last: date) -> list[date]:
        """The sessions from `first` to `last`, both included, ascending; empty if there is none."""
        self._cover(last)
        return list(self._sessions[bisect_left(self._sessions, first) : bisect_right(self._sessions, last)])

    def settled(self, now: datetime) -> list[date]:
        """Every session up to the last settled one, ascending: what can be wanted at all."""
        return self.sessions(FIRST, self.last_settled(now))

    def last_settled(self, now: datetime) -> date:
        """The newest session D with `now` at or after 02:00 New York time on the day after D; `now` knows its zone."""
        if now.tzinfo is None:
            raise ValueError("a time without zone says nothing about New York")
        there = now.astimezone(NEW_YORK)
        unsettled_from = there.date() if there.time() >= SETTLES else there.date() - timedelta(days=1)
        return self.previous(unsettled_from)

    def is_session(self, day: date) -> bool:
        return self.count_between(day, day) == 1

    def is_half_day(self, day: date) -> bool:
        """The exchange closes at 13:00, and options that trade a quarter of an hour longer at 13:15."""
        self._cover(day)
        return day in self.table.half_days

    def previous(self, day: date) -> date:
        """The newest session before `day`, which need not be one; ValueError before the calendar's first."""
        self._cover(day)
        at = bisect_left(self._sessions, day)
        if at == 0:
            raise ValueError(f"the calendar knows no session before {day}")
        return self._sessions[at - 1]

    def next(self, day: date) -> date:
        """The oldest session after `day`, which need not be one."""
        if day >= self._sessions[-1]:
            self._cover(day + timedelta(days=14))  # no closure has been longer since 1914
        return self._sessions[bisect_right(self._sessions, day)]

    def count_between(self, first: date, last: date) -> int:
        """How many sessions there are from `first` to `last`, both included."""
        self._cover(last)
        return max(0, bisect_right(self._sessions, last) - bisect_left(self._sessions, first))

    def _cover(self, day: date) -> None:
        """Days after the table's end: from what was kept earlier, else from pandas-market-calendars, then kept."""
        if day <= self.table.last:
            return
        kept = read_table(self.cache) if self.cache else None
        if kept is None or kept.last < day:
            kept = generate(day.year + 1)
            if self.cache:
                _keep(kept, self.cache)
        self.table = kept
        self._sessions = kept.sessions()


def generate(last_year: int) -> Table:
    """Asks pandas-market-calendars about every day from 2012 to the end of `last_year`; takes about a second."""
    import pandas_market_calendars

    exchange = pandas_market_calendars.get_calendar("NYSE")
    last = date(last_year, 12, 31)
    with warnings.catch_warnings(action="ignore"):  # 5.5 uses what pandas 3.1 is about to drop: not the user's affair
        schedule = exchange.schedule(FIRST.isoformat(), last.isoformat())
        early = exchange.early_closes(schedule)
    open_days = {moment.date() for moment in schedule.index}
    half_days = frozenset(moment.date() for moment in early.index)
    if any(day.weekday() >= 5 for day in open_days):
        raise ThetabulkError("a session at a weekend does not fit into the calendar's table")
    source = f"pandas-market-calendars {pandas_market_calendars.__version__}, NYSE"
    weekdays = Table(source, FIRST, last, frozenset(), half_days)
    return Table(source, FIRST, last, frozenset(weekdays.sessions()) - open_days, half_days)


def read_table(path: Path) -> Table | None:
    """The table in a file, or None if there is none, or if it is not as it was written."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("sha256") != _checksum(found):
            return None
        return Table(
            found["source"],
            date.fromisoformat(found["first"]),
            date.fromisoformat(found["last"]),
            _from_years(found["closed"]),
            _from_years(found["half_days"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def table_text(table: Table) -> str:
    """The file: one line a year, and a checksum over everything else."""
    content: dict[str, object] = {
        "source": table.source,
        "first": table.first.isoformat(),
        "last": table.last.isoformat(),
        "closed": _by_year(table.closed),
        "half_days": _by_year(table.half_days),
    }
    return json.dumps({**content, "sha256": _checksum(content)}, indent=2) + "\n"


def _by_year(days: frozenset[date]) -> dict[str, str]:
    years: dict[str, str] = {}
    for day in sorted(days):
        year = str(day.year)
        years[year] = f"{years[year]} {day:%m-%d}" if year in years else f"{day:%m-%d}"
    return years


def _from_years(years: dict[str, str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"{year}-{day}") for year, days in years.items() for day in days.split())


def _checksum(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _keep(table: Table, path: Path) -> None:
    """Best effort: without it the next run only starts a second later."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(table_text(table), encoding="utf-8")
        scratch.replace(path)


def main(arguments: Sequence[str]) -> None:
    """Writes the shipped table anew."""
    table = generate(int(arguments[0]) if arguments else _SHIPPED_TO)
    _SHIPPED.write_text(table_text(table), encoding="utf-8")
    sys.stdout.write(f"{len(table.sessions())} sessions to {table.last} in {_SHIPPED}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

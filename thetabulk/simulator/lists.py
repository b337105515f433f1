"""The lists that know no prices: symbols, expirations, strikes, days with data, and the exchange's calendar.

Strikes come in no order, as the real ones do (OpenAPI: `/option/list/strikes`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from thetabulk.simulator.calendar import SESSIONS, holidays, number_at_or_before, schedule
from thetabulk.simulator.dice import shuffled
from thetabulk.simulator.expirations import Expiration
from thetabulk.simulator.instruments import INSTRUMENTS, all_symbols
from thetabulk.simulator.listing import Listing, listing
from thetabulk.simulator.queries import FIRST_DAY, Query

Row = tuple[str | int, ...]
"""Texts, and strikes in thousandths of a dollar."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What is known on a day. `missing` says of a day that it has no data."""

    seed: int
    small: bool
    today: date
    missing: Callable[[date], bool]

    def rows(self, query: Query) -> Iterator[Row]:
        match query.endpoint.name:
            case "symbols":
                return ((symbol,) for symbol in all_symbols())
            case "expirations":
                return self._expirations(query)
            case "strikes":
                return self._strikes(query)
            case "today":
                return iter([schedule(self.today)])
            case "on-date":
                return iter([schedule(query.first)])
            case "year-holidays":
                return self._holidays(query.year)
            case _:
                return self._dates(query)

    def _listing(self, symbol: str) -> Listing:
        return listing(self.seed, symbol, self.small)

    def _expirations(self, query: Query) -> Iterator[Row]:
        newest = number_at_or_before(self.today)
        for symbol in self._known(query):
            for expiration in self._listing(symbol).listed_by(newest):
                if expiration.day >= FIRST_DAY:
                    yield symbol, expiration.day.isoformat()

    def _strikes(self, query: Query) -> Iterator[Row]:
        for symbol in self._known(query):
            expiration, newest = self._expiration(symbol, query.expiration)
            if expiration is not None:
                strikes = self._listing(symbol).strikes(expiration, newest)
                for strike in shuffled(strikes, self.seed, "strikes", symbol, expiration.day):
                    yield symbol, strike

    def _dates(self, query: Query) -> Iterator[Row]:
        """The days with data of an expiration, or of one of its strikes."""
        for symbol in self._known(query):
            expiration, newest = self._expiration(symbol, query.expiration)
            if expiration is None:
                continue
            for number in range(expiration.listed, newest + 1):
                strikes = self._listing(symbol).strikes(expiration, number) if query.strike_mills else ()
                day = SESSIONS[number]
                if day >= FIRST_DAY and not self.missing(day) and query.strike_mills in (None, *strikes):
                    yield (day.isoformat(),)

    def _holidays(self, year: int) -> Iterator[Row]:
        """Known until the end of next year (OpenAPI: `/calendar/year_holidays`)."""
        rows = holidays(year) if year <= self.today.year + 1 else ()
        return ((day.isoformat(), *rest) for day, *rest in rows)

    def _known(self, query: Query) -> list[str]:
        symbols = INSTRUMENTS if query.symbols == ("*",) else query.symbols
        return [symbol for symbol in symbols if symbol in INSTRUMENTS]

    def _expiration(self, symbol: str, day: date | None) -> tuple[Expiration | None, int]:
        """An expiration that has been listed, and the last session on which it had quotes so far."""
        newest = number_at_or_before(self.today)
        found = None if day is None else self._listing(symbol).find(day)
        if found is None or found.listed > newest:
            return None, newest
        return found, min(newest, found.last)

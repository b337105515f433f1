"""From a valid query to rows: which contracts, which days, in which order.

Data come day by day, and within a day by expiration, strike and right; lists of contracts and strikes come in no order,
as the real ones do (OpenAPI: samples).
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from thetabulk.simulator.calendar import (
    EARLY,
    EARLY_CLOSE_S,
    EARLY_LATE_CLOSE_S,
    LATE_CLOSE_S,
    OPEN_S,
    SESSIONS,
    session_number,
    sessions_between,
)
from thetabulk.simulator.dice import shuffled
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.lines import LineFormat, strike_text
from thetabulk.simulator.listing import CALL, PUT, Listing, Series, listing
from thetabulk.simulator.lists import Lists
from thetabulk.simulator.manners import AS_USUAL, Manners
from thetabulk.simulator.market import Contract, QuoteDay, grid
from thetabulk.simulator.queries import FIRST_DAY, Query
from thetabulk.simulator.reports import Reports

Blocks = Iterator[tuple[Contract | None, bytes]]
"""The lines of one contract after the other; for lists, lines without a contract."""


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that can be answered, under one seed. `holes` are ranges of days without any data; `half_day_rows`
    is how many one-minute rows a contract has at most on a half-day, 0 for what trading hours say; `manners` is how
    another vendor would say the same."""

    seed: int
    small: bool
    lines: LineFormat
    today: date
    holes: tuple[tuple[date, date], ...] = ()
    half_day_rows: int = 0
    manners: Manners = AS_USUAL

    def blocks(self, query: Query, first: date, *, variant: int = 0) -> Blocks:
        """The rows of a query from `first` on; nothing where there are no data."""
        if query.endpoint.counted:
            for number in self._sessions(query, first):
                yield from self._day(query, number, variant)
        elif query.endpoint.name in ("contracts", "traded-contracts"):
            yield from ((None, line) for line in self._contracts(query))
        else:
            known = Lists(self.seed, self.small, self.today, self.missing)
            for row in known.rows(query):
                fields = (strike_text(field) if isinstance(field, int) else self.lines.text(field) for field in row)
                yield None, b",".join(fields) + self.lines.newline

    def contracts(self, query: Query, first: date) -> int:
        """How many blocks an answer has at most: contracts, times days."""
        chains = (self._chain(query, number) for number in self._sessions(query, first))
        return sum(len(query.rights) * len(series.strikes) for chain in chains for series in chain)

    def missing(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.holes)

    def _sessions(self, query: Query, first: date) -> Iterator[int]:
        if query.symbol in INSTRUMENTS:
            for day in sessions_between(max(first, FIRST_DAY), min(query.last, self.today - timedelta(1))):
                number = session_number(day)
                if number is not None and not self.missing(day):
                    yield number

    def _listing(self, symbol: str) -> Listing:
        return listing(self.seed, symbol, self.small)

    def _chain(self, query: Query, number: int) -> list[Series]:
        """The contracts of a session that a query selects."""
        found = self._listing(query.symbol)
        series = [
            series
            for series in found.chain(number)
            if query.expiration in (None, series.day)
            and (query.max_dte is None or (series.day - SESSIONS[number]).days <= query.max_dte)
        ]
        if query.strike_mills is not None:
            series = [
                Series(one.expiration, (query.strike_mills,)) for one in series if query.strike_mills in one.strikes
            ]
        if query.strike_range is not None:
            spot = found.closes[number] * found.instrument.unit_cents * 10
            series = [Series(one.expiration, _near(one.strikes, spot, query.strike_range)) for one in series]
        return [one for one in series if one.strikes]

    def _day(self, query: Query, number: int, variant: int) -> Iterator[tuple[Contract, bytes]]:
        chain = self._chain(query, number)
        if not chain:
            return
        market = QuoteDay(self.seed, query.symbol, number, self.lines, small=self.small, variant=variant)
        if query.endpoint.name == "quote":
            first_ms, end_ms = self._span(SESSIONS[number], market.instrument.late, query.end_ms)
            rows = grid(
                max(query.start_ms, first_ms), end_ms, query.interval_ms, market.last_minute, self.lines, market.tape
            )
            if rows.minutes:
                yield from market.blocks(chain, rows, query.rights)
            return
        reports = Reports(self.seed, self._listing(query.symbol), number, market)
        report = reports.end_of_day if query.endpoint.name == "eod" else reports.open_interest
        yield from report(chain, query.rights)

    def _span(self, day: date, late: bool, asked_ms: int) -> tuple[int, int]:
        """The first and the last stamp that a contract can have, asked until `asked_ms`."""
        first_ms, last_ms = self.manners.window(half_day=day in EARLY, late=late, end_ms=asked_ms)
        if last_ms < 0:
            last_ms = self._grid_end_s(day, late) * 1_000
        return first_ms, min(asked_ms, last_ms)

    def _grid_end_s(self, day: date, late: bool) -> int:
        """The last stamp that a day has: 16:15 whatever trades, and on half-days the close, or what was set."""
        if day not in EARLY:
            return LATE_CLOSE_S
        if self.half_day_rows:
            return OPEN_S + 60 * (self.half_day_rows - 1)
        return EARLY_LATE_CLOSE_S if late else EARLY_CLOSE_S

    def _contracts(self, query: Query) -> list[bytes]:
        symbols = list(INSTRUMENTS) if query.symbols == ("*",) else query.symbols
        found: list[bytes] = []
        number = session_number(query.first)
        if number is None or self.missing(query.first) or query.first > self.today or self.manners.list_missing:
            return found
        for symbol in symbols:
            if symbol not in INSTRUMENTS:
                continue
            one = Query(query.endpoint, (symbol,), query.first, query.last, max_dte=query.max_dte)
            market = QuoteDay(self.seed, symbol, number, self.lines, small=self.small)
            traded = Reports(self.seed, self._listing(symbol), number, market).traded
            for series in self._chain(one, number):
                for strike in series.strikes:
                    for right in (CALL, PUT):
                        if query.endpoint.name == "contracts" or traded(Contract(symbol, series.day, strike, right)):
                            line = self.lines.contract(symbol, series.day, strike, right)
                            found.append(line[:-1] + self.lines.newline)
        return shuffled(self.manners.listed(found), self.seed, "contracts", query.first)


def _near(strikes: tuple[int, ...], spot: int, count: int) -> tuple[int, ...]:
    """`count` strikes above the spot, as many below, and the one at it (OpenAPI: `strike_range`)."""
    at = bisect_left(strikes, spot)
    above = at + (at < len(strikes) and strikes[at] == spot)
    return strikes[max(at - count, 0) : above + count]

"""The two daily reports: end of day, and open interest (thetadata-v3.md §5.3, §5.4; OpenAPI samples).

End of day is made at 17:15 and tells the last quote of `market`; before 2022 every contract comes twice, from two
builds that differ in `created` only, and on odd days the chain's halves were built at different times. Open interest is
stamped a little after 06:30 and absent for what was listed today, and where the exchange sent nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from thetabulk.simulator.calendar import SESSIONS
from thetabulk.simulator.dice import draw, happens
from thetabulk.simulator.listing import CALL, PUT, Listing, Series
from thetabulk.simulator.market import CONDITION, Contract, Grid, QuoteDay, Quotes
from thetabulk.simulator.tape import Tape

TWO_BUILDS_BEFORE = date(2022, 1, 1)
ODD_BUILD_DAYS = 15_625  # of a million: every 64th day has four build times instead of two
BUILD_FROM_MS, BUILD_SPREAD_MS, BUILD_GAP_MS = 62_100_000, 100_000, 110_000  # 17:15:00
TRADES_AT = (20, 130, 260)  # minutes at which a traded contract's prices are looked up
TRADED_256 = (246, 150, 70)  # of 256 contracts, by liquidity: 45–64 % of a chain does not trade in a day
OPEN_INTEREST_FROM_MS, OPEN_INTEREST_SPREAD_MS = 23_400_000, 6_000  # 06:30:00
SILENT = 15_000  # of a million contracts for which the exchange never sends any


class Reports:
    """The reports of one symbol and session, from the same market as its quotes."""

    def __init__(self, seed: int, listing: Listing, number: int, market: QuoteDay) -> None:
        self.seed, self.listing, self.number, self.market = seed, listing, number, market
        self.symbol, self.day, self.lines = market.symbol, SESSIONS[number], market.lines

    def end_of_day(
        self, chain: Sequence[Series], rights: Sequence[str] = (CALL, PUT)
    ) -> Iterator[tuple[Contract, bytes]]:
        """Each contract with its line, or its two lines."""
        builds = [self.lines.stamp(self.day, moment) for moment in self._builds()]
        rows = _samples(self.market.last_minute, self.market.tape)
        for contract, series in self._contracts(chain, rights):
            quotes = self.market.quotes(series.day, contract.strike_mills, contract.right, rows)
            head, tail = self._prefix(contract), self._end_of_day_tail(contract, quotes)
            half = len(builds) // 2 * (contract.strike_mills % 2_000 == 0 and len(builds) == 4)
            mine = builds[half : half + 2] if len(builds) > 1 else builds
            yield contract, b"".join(head + build + tail for build in mine)

    def open_interest(
        self, chain: Sequence[Series], rights: Sequence[str] = (CALL, PUT)
    ) -> Iterator[tuple[Contract, bytes]]:
        for series in chain:
            if series.expiration.listed >= self.number:
                continue
            before = set(self.listing.strikes(series.expiration, self.number - 1))
            known = Series(series.expiration, tuple(strike for strike in series.strikes if strike in before))
            for contract, _ in self._contracts([known], rights):
                count = self._outstanding(contract, series)
                if count:
                    stamp = OPEN_INTEREST_FROM_MS + self._draw(contract, "stamp") % OPEN_INTEREST_SPREAD_MS
                    line = self._prefix(contract) + self.lines.stamp(self.day, stamp) + b",%d" % count
                    yield contract, line + self.lines.newline

    def traded(self, contract: Contract) -> bool:
        liquidity = self.market.liquidity(contract.expiration, contract.strike_mills)
        return self._draw(contract, "traded") % 256 < TRADED_256[liquidity]

    def _contracts(self, chain: Sequence[Series], rights: Sequence[str]) -> Iterator[tuple[Contract, Series]]:
        for series in chain:
            for strike in series.strikes:
                for right in rights:
                    yield Contract(self.symbol, series.day, strike, right), series

    def _builds(self) -> list[int]:
        """When the report was made, in milliseconds of the day: once, twice, or twice for each half of the chain."""
        count = 1
        if self.day < TWO_BUILDS_BEFORE:
            count = 4 if happens(ODD_BUILD_DAYS, self.seed, self.symbol, "builds", self.number) else 2
        first = BUILD_FROM_MS + draw(self.seed, self.symbol, "built", self.number) % BUILD_SPREAD_MS
        return [first + BUILD_GAP_MS * (build % 2) + 1_777 * (build // 2) for build in range(count)]

    def _end_of_day_tail(self, contract: Contract, quotes: Quotes) -> bytes:
        """Everything after `created`."""
        quote = b"%b%b,%b,%b%b,%b" % (
            quotes.bid_sizes[-1], quotes.bids[-1], CONDITION, quotes.ask_sizes[-1], quotes.asks[-1], CONDITION,
        )  # fmt: skip
        if not self.traded(contract):
            return b",%b,0.00,0.00,0.00,0.00,0,0,%b%b" % (self.lines.stamp(self.day, 0), quote, self.lines.newline)
        trades = [quotes.asks[0], quotes.bids[1] if cents(quotes.bids[1]) else quotes.asks[1], quotes.asks[2]]
        low, high = min(trades, key=cents), max(trades, key=cents)
        dice = self._draw(contract, "volume")
        volume = 1 + dice % (1 << dice // 1_024 % 12)
        count = 1 + (volume - 1) // (1 + dice % 5)
        last = 34_200_000 + dice // 7 % (self.market.last_minute * 60_000)
        return b",%b,%b,%b,%b,%b,%d,%d,%b%b" % (
            self.lines.stamp(self.day, last), trades[0], high, low, trades[2], volume, count, quote, self.lines.newline,
        )  # fmt: skip

    def _outstanding(self, contract: Contract, series: Series) -> int:
        life = draw(self.seed, self.symbol, contract.expiration, contract.strike_mills, contract.right, "open interest")
        if life % 1_000_000 < SILENT:
            return 0
        age = self.number - series.expiration.listed
        most = life % (1 << 4 + life // 4_096 % 12)
        return 1 + most * age // (age + 10) + self._draw(contract, "since") % (1 + most // 50)

    def _prefix(self, contract: Contract) -> bytes:
        return self.lines.contract(self.symbol, contract.expiration, contract.strike_mills, contract.right)

    def _draw(self, contract: Contract, purpose: str) -> int:
        dice = self.market.dice(contract.expiration, contract.strike_mills, f"{contract.right} {purpose}")
        return int.from_bytes(dice[:8], "little")


def cents(price: bytes) -> int:
    """A printed price as a number that can be compared: its cents."""
    return int(price.replace(b".", b""))


@lru_cache(maxsize=16)
def _samples(last_minute: int, tape: Tape) -> Grid:
    minutes = tuple(min(minute, last_minute) for minute in (*TRADES_AT, last_minute))
    return Grid(minutes, (b"",) * len(minutes), opening=0)

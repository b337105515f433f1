"""The quotes of any symbol on any day, generated at some hundred megabytes a second by look-up tables.

`(seed, size, symbol, day)` decides every byte; nothing but whole numbers and tables is used, so every machine makes
the same ones. The market moves once a minute, at the whole minute: a coarser interval shows some of those states, a
finer one repeats them.

The constants below are chosen so that a day of `--size real` compresses like a real one. Measured with them on QQQ
2024-01-02 (8,686 contracts; benchmarks/simulator_speed.py): CSV 86.3 bytes a row; Parquet with the store's encodings
6.6 with double prices (1/13) and 5.3 with decimal ones (1/16); DuckDB's own Parquet 7.5.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from operator import add, sub

from thetabulk.simulator.calendar import OPEN_S, SESSIONS, closing_second
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.lines import LineFormat, clock
from thetabulk.simulator.listing import CALL, PUT, Series
from thetabulk.simulator.pricing import base_width, call_values, put_values, smiling_width
from thetabulk.simulator.tape import EXCHANGES, SPREAD_PATTERNS, Liquidity, Pick, Tape, make_tape, pick, size_fragment
from thetabulk.simulator.ticks import HALF_SPREADS, price_texts
from thetabulk.simulator.underlying import MINUTES, underlying

BUSY = Liquidity(
    "busy", 254, 253, noise=8, spread=0, spread_share=3,
    sizes=(1, 4, 9, 14, 21, 30, 40, 53, 69, 90, 116, 150, 196, 258, 350, 560, 2600),
)  # fmt: skip
THIN = Liquidity(
    "thin", 252, 250, noise=20, spread=1, spread_share=7,
    sizes=(1, 4, 9, 14, 20, 28, 37, 48, 63, 81, 104, 132, 172, 224, 310, 500, 2100),
)  # fmt: skip
IDLE = Liquidity(
    "idle", 242, 246, noise=40, spread=1, spread_share=14,
    sizes=(1, 4, 9, 13, 19, 26, 35, 46, 60, 76, 97, 122, 156, 204, 285, 460, 1900),
)  # fmt: skip
LIQUIDITIES = (BUSY, THIN, IDLE)

PLACEHOLDERS_256 = 90  # of 256 contracts that begin the day with a row of zeros (35 %, thetadata-v3.md §5.1)
NEAR_DAYS = 60  # contracts that expire later are a class less liquid
BUSY_EIGHTHS, THIN_EIGHTHS = 6, 16  # eighths of a width from the money
POOL_DRAWS = {True: 1 << 12, False: 1 << 18}  # by `small`: more draws cost start-up, fewer are seen by zstd
PATTERNS = {True: 4, False: 48}
STRIDES = 8
MARGIN = 40  # the largest `noise`
CONDITION = b"50"  # national best bid and offer (thetadata-v3.md §5.1)
WIDER = (0, 0, 0, 1, 1, 1, 2, 2)  # steps of `HALF_SPREADS` by which a spread is wider now and then


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract as the simulator knows it, with its dates and texts."""

    symbol: str
    expiration: date
    strike_mills: int
    right: str


@dataclass(frozen=True, eq=False)
class Grid:
    """The rows of a contract: for each the minute whose state it shows, and its clock text with a comma; the first
    `opening` rows show the first minute. The rest remembers what has been worked out for these rows."""

    minutes: tuple[int, ...]
    clocks: tuple[bytes, ...]
    opening: int
    picks: dict[tuple[int, int, str], Pick] = field(default_factory=dict)
    spreads: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def changes(self, changed: Sequence[int], key: tuple[int, int, str]) -> Pick:
        """The pick that shows, of things by minute, at every row the one of the last change."""
        if key not in self.picks:
            self.picks[key] = pick([changed[minute] for minute in self.minutes])
        return self.picks[key]


@lru_cache(maxsize=8)
def grid(start_ms: int, end_ms: int, step_ms: int, last_minute: int, lines: LineFormat, tape: Tape) -> Grid:
    """Rows at every `step_ms` counted from 09:30:00, both ends included; after `last_minute` nothing changes.

    What a grid remembers is true for one tape only, so every tape has its own grids.
    """
    opening = OPEN_S * 1_000
    first = max(-(-(start_ms - opening) // step_ms), 0)
    stamps = range(first * step_ms, end_ms - opening + 1, step_ms)
    clocks = tuple(clock(opening + stamp, lines.fraction) + b"," for stamp in stamps)
    minutes = tuple(min(stamp // 60_000, last_minute) for stamp in stamps)
    return Grid(minutes, clocks, minutes.count(0))


@dataclass(frozen=True, slots=True)
class Quotes:
    """A contract's quotes, one entry a row: `size,exchange,` and price."""

    bid_sizes: Sequence[bytes]
    bids: Sequence[bytes]
    ask_sizes: Sequence[bytes]
    asks: Sequence[bytes]


class QuoteDay:
    """One symbol's quotes in one session. `variant` other than 0 is the same day told differently (a restatement)."""

    def __init__(
        self, seed: int, symbol: str, number: int, lines: LineFormat, *, small: bool = True, variant: int = 0
    ) -> None:
        self.symbol, self.lines, self.day = symbol, lines, SESSIONS[number]
        self.instrument = INSTRUMENTS[symbol]
        self.tape = make_tape(seed, LIQUIDITIES, POOL_DRAWS[small], PATTERNS[small])
        self.path = underlying(seed, symbol).path(number)
        self.scale = 1 + self.path[0] // 20_000
        margin = MARGIN * self.scale
        self.base, self.top = min(self.path) - margin, max(self.path) + margin
        self.texts = price_texts(self.instrument, self.instrument.highest // (2 if small else 1))
        self.last_minute = (closing_second(self.day, late=self.instrument.late) - OPEN_S) // 60
        self._key = b"%d|%b|%d|%d|" % (seed, symbol.encode(), number, variant)
        self._seen = [level - self.base for level in self.path]
        self._widths: dict[int, int] = {}
        self._price_picks: dict[tuple[int, int, Grid], tuple[Pick, Pick]] = {}

    def blocks(
        self, chain: Sequence[Series], rows: Grid, rights: Sequence[str] = (CALL, PUT)
    ) -> Iterator[tuple[Contract, bytes]]:
        """Each contract with all its lines, by expiration, strike and right."""
        count = len(rows.minutes)
        day = self.day.isoformat().encode()
        parts: list[bytes] = [b"," + CONDITION + b","] * (7 * count)  # one list for all: only what differs is replaced
        parts[0::7] = [day + text for text in rows.clocks]
        end = b"," + CONDITION + self.lines.newline
        for series in chain:
            for strike in series.strikes:
                for right in rights:
                    quotes = self.quotes(series.day, strike, right, rows)
                    contract = self.lines.contract(self.symbol, series.day, strike, right)
                    parts[1::7], parts[2::7] = quotes.bid_sizes, quotes.bids
                    parts[4::7], parts[5::7] = quotes.ask_sizes, quotes.asks
                    parts[6::7] = [end + contract] * count  # every line ends with the beginning of the next one
                    parts[-1] = end
                    yield Contract(self.symbol, series.day, strike, right), contract + b"".join(parts)

    def dice(self, expiration: date, strike: int, right: str) -> bytes:
        """Sixteen bytes of chance for a contract on this day."""
        key = self._key + b"%d|%d|%b" % (expiration.toordinal(), strike, right.encode())
        return blake2b(key, digest_size=16).digest()

    def liquidity(self, expiration: date, strike: int) -> int:
        """The place of a contract's liquidity in `LIQUIDITIES`."""
        days_left = (expiration - self.day).days
        away = abs(self._units(strike) - self.path[0]) * 8 // self._width(days_left)
        if days_left > NEAR_DAYS:
            return 1 if away < BUSY_EIGHTHS else 2
        return (away >= BUSY_EIGHTHS) + (away >= THIN_EIGHTHS)

    def quotes(self, expiration: date, strike: int, right: str, rows: Grid) -> Quotes:
        """A contract's quotes at the grid's rows."""
        dice = self.dice(expiration, strike, right)
        liquidity = self.liquidity(expiration, strike)
        values = self._values(expiration, strike, right)
        bid_sizes, ask_sizes = self._sizes(liquidity, dice, rows)
        no_size = size_fragment(0, EXCHANGES[dice[6] % len(EXCHANGES)])
        spread = self._spread(values, liquidity, dice)
        none = self.texts.none
        bids, asks = self._prices(values or [0] * (self.top - self.base + 1), spread, liquidity, right, dice, rows)
        if not values or min(values[0], values[-1]) < HALF_SPREADS[spread + WIDER[-1]] + self.instrument.tick_low:
            bid_sizes = [no_size if bid is none else size for size, bid in zip(bid_sizes, bids, strict=True)]
        if dice[7] < PLACEHOLDERS_256 and rows.opening:
            zeros = slice(0, rows.opening)
            bid_sizes, ask_sizes = list(bid_sizes), list(ask_sizes)
            bid_sizes[zeros] = ask_sizes[zeros] = [no_size] * rows.opening
            bids[zeros] = asks[zeros] = [none] * rows.opening
        return Quotes(bid_sizes, bids, ask_sizes, asks)

    def _units(self, strike: int) -> int:
        return strike // (10 * self.instrument.unit_cents)

    def _width(self, days_left: int) -> int:
        if days_left not in self._widths:
            self._widths[days_left] = base_width(self.path[0], self.instrument.yearly_bp, days_left)
        return self._widths[days_left]

    def _values(self, expiration: date, strike: int, right: str) -> list[int]:
        """The contract's value for every level of the underlying from `base` to `top`; empty if worthless."""
        units = self._units(strike)
        width = smiling_width(self._width((expiration - self.day).days), self.path[0], units)
        value = call_values if right == CALL else put_values
        values = value(width, self.base - units, self.top - units)
        highest = self.texts.limit - 1
        return [min(value, highest) for value in values] if values and max(values[0], values[-1]) > highest else values

    def _spread(self, values: list[int], liquidity: int, dice: bytes) -> int:
        """The place in `HALF_SPREADS`: wider for dear and for idle contracts, and for a quarter of them by chance."""
        kind = LIQUIDITIES[liquidity]
        middle = values[len(values) // 2] if values else 0
        wanted = kind.spread + (dice[8] & 3 == 0) + middle * kind.spread_share // 1_000
        return min(bisect_right(HALF_SPREADS, wanted), len(HALF_SPREADS) - WIDER[-1]) - 1

    def _prices(
        self, values: list[int], spread: int, liquidity: int, right: str, dice: bytes, rows: Grid
    ) -> tuple[list[bytes], list[bytes]]:
        """Bids are made by whoever sees the underlying where the contract is cheap, asks where it is dear; so the two
        never cross."""
        low, high = self._picks(liquidity, dice[0] % self.tape.patterns, rows)
        if right == PUT:
            low, high = high, low
        key = (spread, dice[3] % SPREAD_PATTERNS)
        if key not in rows.spreads:
            wider = self.tape.spreads[key[1]]
            rows.spreads[key] = [HALF_SPREADS[spread + WIDER[wider[minute]]] for minute in rows.minutes]
        half_spreads = rows.spreads[key]
        bids, asks = self.texts.bids, self.texts.asks
        return (
            [bids[value - half] for value, half in zip(low(values), half_spreads, strict=True)],
            [asks[value + half] for value, half in zip(high(values), half_spreads, strict=True)],
        )

    def _picks(self, liquidity: int, pattern: int, rows: Grid) -> tuple[Pick, Pick]:
        """Where in a contract's values its bids and its asks are found."""
        key = (liquidity, pattern, rows)
        if key not in self._price_picks:
            changes = rows.changes(self.tape.price_changed[liquidity][pattern], (liquidity, pattern, "price"))
            below, above = self.tape.noise(liquidity, pattern, self.scale)
            low, high = list(map(sub, self._seen, below)), list(map(add, self._seen, above))
            self._price_picks[key] = pick(changes(low)), pick(changes(high))
        return self._price_picks[key]

    def _sizes(self, liquidity: int, dice: bytes, rows: Grid) -> tuple[Sequence[bytes], Sequence[bytes]]:
        """Two slices of the pool, each with an offset, a stride and a pattern of changes of its own."""
        pool = self.tape.pools[liquidity]
        sides = []
        for first, pattern in ((9, dice[1]), (12, dice[2])):
            pattern %= self.tape.patterns
            changes = rows.changes(self.tape.size_changed[liquidity][pattern], (liquidity, pattern, "size"))
            stride = 1 + dice[first] % STRIDES
            start = int.from_bytes(dice[first : first + 3], "little") % (len(pool) - MINUTES * stride)
            sides.append(changes(pool[start : start + MINUTES * stride : stride]))
        return sides[0], sides[1]

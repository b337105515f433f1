"""Prices as printed: for every premium the finished text of a bid or an ask some half-spread away, on the tick.

A row's price is then one list look-up. Bids are rounded down to the tick and asks up; an ask is never below one tick.
"""

from functools import lru_cache

from thetabulk.simulator.instruments import Instrument
from thetabulk.simulator.lines import LineFormat, cents_text

HALF_SPREADS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160)
"""In units. Few, so that their tables are shared."""

CONDITION = b"50"  # national best bid and offer (thetadata-v3.md §5.1)
NICKEL_FROM_CENTS = 300  # the exchanges' rule: a coarser tick from $3.00 on


class PriceTexts:
    """The fragments `1.30,50,` (bids) and `1.31,50⏎` (asks) of one instrument in one line format, up to a premium."""

    def __init__(self, instrument: Instrument, lines: LineFormat, limit: int) -> None:
        self.limit = limit
        self.step = instrument.tick_low  # the lowest price that can be asked
        unit, change = instrument.unit_cents, NICKEL_FROM_CENTS // instrument.unit_cents
        low, high = instrument.tick_low, instrument.tick_high
        ask_end = b"," + CONDITION + lines.newline
        down = [value - value % (low if value < change else high) for value in range(limit)]
        up = [-(-value // step) * step for value, step in ((v, low if v <= change else high) for v in range(limit))]
        texts = {value: cents_text(value * unit) for value in {*down, *up}}
        bids = {value: text + b"," + CONDITION + b"," for value, text in texts.items()}
        asks = {value: text + ask_end for value, text in texts.items()}
        self._down = [bids[value] for value in down]
        self._up = [asks[max(value, low)] for value in up]
        self.no_bid = self._down[0]
        self.no_ask = cents_text(0) + ask_end
        self._bids: dict[int, list[bytes]] = {}
        self._asks: dict[int, list[bytes]] = {}

    def bids(self, half_spread: int) -> list[bytes]:
        """Indexed by premium: the text of the bid. The text of no bid at all is always the object `no_bid`."""
        if half_spread not in self._bids:
            self._bids[half_spread] = [self.no_bid] * half_spread + self._down[: self.limit - half_spread]
        return self._bids[half_spread]

    def asks(self, half_spread: int) -> list[bytes]:
        if half_spread not in self._asks:
            self._asks[half_spread] = self._up[half_spread:] + self._up[-1:] * half_spread
        return self._asks[half_spread]


@lru_cache(maxsize=24)
def price_texts(instrument: Instrument, lines: LineFormat, limit: int) -> PriceTexts:
    return PriceTexts(instrument, lines, limit)

"""Prices as printed: for every premium the text of its price, rounded to the tick. A row's price is one list look-up.

Bids are rounded down to the tick and asks up; an ask is never below one tick.
"""

from functools import lru_cache

from thetabulk.simulator.instruments import Instrument
from thetabulk.simulator.lines import cents_text

HALF_SPREADS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160)  # in units
NICKEL_FROM_CENTS = 300  # the exchanges' rule: a coarser tick from $3.00 on


class PriceTexts:
    """The texts of one instrument's prices up to a premium of `limit` units.

    `bids` and `asks` are indexed by the premium less, or plus, the half-spread; a bid's index may be as low as minus
    the widest half-spread. No bid at all is always the object `none`.
    """

    def __init__(self, instrument: Instrument, limit: int) -> None:
        self.limit = limit
        unit, change = instrument.unit_cents, NICKEL_FROM_CENTS // instrument.unit_cents
        low, high = instrument.tick_low, instrument.tick_high
        every = [cents_text(value * unit) for value in range(limit + HALF_SPREADS[-1] + high)]
        self.none = every[0]
        self.bids = [every[value - value % (low if value < change else high)] for value in range(limit)]
        self.bids += [self.none] * HALF_SPREADS[-1]  # a negative index counts from the end
        steps = (low if value <= change else high for value in range(limit + HALF_SPREADS[-1]))
        self.asks = [every[-(-value // step) * step] for value, step in enumerate(steps)]
        self.asks[0] = every[low]


@lru_cache(maxsize=24)
def price_texts(instrument: Instrument, limit: int) -> PriceTexts:
    return PriceTexts(instrument, limit)

"""Which contracts a symbol has on a day.

A strike is listed from the first session on which the underlying has been near enough, and then to its expiration:
a contract is quoted on a contiguous span of sessions, as in reality.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import accumulate

from thetabulk.simulator.calendar import SESSIONS, number_at_or_before
from thetabulk.simulator.expirations import Expiration, expirations, live
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.underlying import underlying

CALL, PUT = "CALL", "PUT"
NICE_MILLS = (500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 200_000, 250_000, 500_000)
FINE_STEPS = 42  # so far from the money the fine strikes go; beyond are only the coarse ones
PHASE_PRIME = 7_919
NIGHTS_A_STEP = 8
SMALL_STEP_OF_YEARLY = 50_000  # a fifth of the yearly volatility: 4 % for QQQ


@dataclass(frozen=True, slots=True)
class Series:
    """One expiration of a symbol on a day: its strikes in thousandths of a dollar, each as a call and a put."""

    expiration: Expiration
    strikes: tuple[int, ...]

    @property
    def day(self) -> date:
        return self.expiration.day


class Listing:
    """Everything a symbol has listed, under one seed and size."""

    def __init__(self, seed: int, symbol: str, small: bool) -> None:
        self.instrument = INSTRUMENTS[symbol]
        self.closes = underlying(seed, symbol).closes
        self.small = small
        self.expirations = expirations(self.instrument.listing, small)
        self._ranges: dict[date, tuple[list[int], list[int]]] = {}

    def chain(self, number: int) -> list[Series]:
        """The contracts of a session, by expiration."""
        found = live(self.expirations, number, SESSIONS[number])
        return [Series(expiration, self.strikes(expiration, number)) for expiration in found]

    def strikes(self, expiration: Expiration, number: int) -> tuple[int, ...]:
        """The strikes of an expiration as of a session, in order."""
        low, high = self._range(expiration, number)
        rule = expiration.rule
        if self.small:
            return self._few_strikes(expiration, number - expiration.listed, low, high)
        fine = self.instrument.fine_mills
        strikes = {
            *_multiples(*_widened(low, high, rule.fine_percent, FINE_STEPS * fine), fine),
            *_multiples(*_widened(low, high, rule.coarse_percent, high), self.instrument.coarse_mills),
        }
        return tuple(sorted(strikes))

    def _few_strikes(self, expiration: Expiration, nights: int, low: int, high: int) -> tuple[int, ...]:
        """One strike on the first day, and a step more to each side from time to time, on other days for other
        expirations: what is listed today should be a small part of what there is, as in a large chain."""
        step = self._small_step(expiration)
        most, phase = expiration.rule.fine_percent * step, expiration.day.toordinal() * PHASE_PRIME % step
        down, up = (
            min(most, step * (nights + ahead) // NIGHTS_A_STEP) - phase // 2 for ahead in (0, NIGHTS_A_STEP // 2)
        )
        first = self.closes[max(expiration.listed - 1, 0)] * self.instrument.unit_cents * 10
        nearest = max((first + step // 2) // step * step, step)
        return tuple(sorted({nearest, *_multiples(low - down, high + up, step)}))

    def listed_by(self, number: int) -> tuple[Expiration, ...]:
        """The expirations that `list/expirations` knows as of a session: all that were ever listed."""
        return tuple(expiration for expiration in self.expirations if expiration.listed <= number)

    def find(self, day: date) -> Expiration | None:
        return next((expiration for expiration in self.expirations if expiration.day == day), None)

    def _small_step(self, expiration: Expiration) -> int:
        """Wide enough that the strikes of a lively name do not multiply."""
        mills = self.closes[max(expiration.listed - 1, 0)] * self.instrument.unit_cents * 10
        wanted = mills * self.instrument.yearly_bp // SMALL_STEP_OF_YEARLY
        return next((step for step in NICE_MILLS if step >= wanted), NICE_MILLS[-1])

    def _range(self, expiration: Expiration, number: int) -> tuple[int, int]:
        """The lowest and highest close from the night before the listing to last night, in thousandths of a dollar."""
        if expiration.day not in self._ranges:
            closes = self.closes[max(expiration.listed - 1, 0) : expiration.last + 1]
            self._ranges[expiration.day] = list(accumulate(closes, min)), list(accumulate(closes, max))
        lows, highs = self._ranges[expiration.day]
        nights = number - expiration.listed
        return lows[nights] * self.instrument.unit_cents * 10, highs[nights] * self.instrument.unit_cents * 10


def _widened(low: int, high: int, percent: int, most: int) -> tuple[int, int]:
    """A range with a share of itself added to each side, but no more than so much."""
    return low - min(low * percent // 100, most), high + min(high * percent // 100, most)


def _multiples(low: int, high: int, step: int) -> range:
    first = max(-(-low // step), 1)
    return range(first * step, high + 1, step)


@lru_cache(maxsize=64)
def listing(seed: int, symbol: str, small: bool) -> Listing:
    return Listing(seed, symbol, small)


def newest_session(today: date) -> int:
    """The last session on or before a day."""
    return number_at_or_before(today)

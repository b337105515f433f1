"""Where the underlying was: one close a session and one level a minute, continuous from day to day.

The level is a straight line between New Years times (1 + a deviation that wanders and comes back); a day's minutes
are a random walk that is tied to last night's close, plus a gap, on one side and to today's close on the other.
"""

from functools import lru_cache
from itertools import accumulate, pairwise

from thetabulk.simulator.calendar import OPEN_S, SESSIONS, closing_second
from thetabulk.simulator.dice import bell, stream
from thetabulk.simulator.instruments import INSTRUMENTS, Instrument

MINUTES = 406  # 09:30 … 16:15, both included
RETURN_NUM, RETURN_DEN = 63, 64  # the deviation forgets a 64th a session
TRADING_DAYS_ROOT = 16  # √252, near enough
GAP_SHARE, WALK_SHARE = 3, 8  # eighths of a day's spread that happen overnight and within the day


class Underlying:
    """One symbol's history under one seed. Everything in the instrument's units."""

    def __init__(self, seed: int, instrument: Instrument) -> None:
        self.seed = seed
        self.instrument = instrument
        self.closes = self._closes()

    def _closes(self) -> list[int]:
        daily_bp = self.instrument.yearly_bp // TRADING_DAYS_ROOT
        shocks = bell(stream(4 * len(SESSIONS), self.seed, self.instrument.mover, "closes"))
        deviation, closes = 0, []
        for day, shock in zip(SESSIONS, shocks, strict=True):
            deviation = deviation * RETURN_NUM // RETURN_DEN + shock * daily_bp * 10 // 148  # tenths of a basis point
            deviation = max(-20_000, min(20_000, deviation))
            closes.append(self.instrument.trend(day.toordinal()) * (100_000 + deviation) // 100_000)
        return closes

    def before(self, number: int) -> int:
        """The close before a session."""
        return self.closes[max(number - 1, 0)]

    def path(self, number: int) -> list[int]:
        """The level at each of the 406 minutes from 09:30; it stands still once trading is over."""
        last = (closing_second(SESSIONS[number], late=False) - OPEN_S) // 60
        shocks = bell(stream(4 * (last + 2), self.seed, self.instrument.mover, "path", number))
        start, end = self.before(number), self.closes[number]
        spread = start * self.instrument.yearly_bp // (TRADING_DAYS_ROOT * 10_000)  # a day's standard deviation
        opening = start + shocks[0] * spread * GAP_SHARE // (8 * 148)
        walk = list(accumulate(shocks[1:]))  # standard deviation 148 × √minutes ≈ 148 × 20
        drift = end - opening - walk[last] * spread * WALK_SHARE // (8 * 148 * 20)
        scale = spread * WALK_SHARE
        levels = [
            opening + step * scale // 23_680 + drift * minute // last for minute, step in enumerate(walk[: last + 1])
        ]
        levels[-1] = end
        quarter = [end + (after - before) * spread // 3_000 for after, before in pairwise(walk[:16])]
        return (levels + quarter + [quarter[-1]] * MINUTES)[:MINUTES]


@lru_cache(maxsize=64)
def underlying(seed: int, symbol: str) -> Underlying:
    return Underlying(seed, INSTRUMENTS[symbol])

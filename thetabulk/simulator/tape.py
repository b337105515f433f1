"""What quotes look like apart from their price: how often they change, their sizes and exchanges.

Everything here is made once per seed and shared by all days and contracts: pools of `size,exchange,` fragments in
random order, and patterns that say for each minute when the quote last changed. A contract takes a slice of a pool at
an offset and stride of its own, so a few large tables stand for billions of draws.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any

from thetabulk.simulator.dice import stream
from thetabulk.simulator.underlying import MINUTES

EXCHANGES = (1, 4, 5, 6, 7, 9, 11, 22, 31, 42, 43, 46, 47, 60, 65, 69, 76)
EXCHANGE_WEIGHTS = (10, 22, 30, 18, 12, 20, 9, 14, 16, 15, 12, 18, 10, 14, 16, 12, 8)  # of 256

SPREAD_PATTERNS = 16
SPREAD_CHANGES = 230  # of 256 minutes

Pick = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How busy a contract is. Chances are in 256ths a minute; `sizes` are the 16-quantiles of its quote sizes;
    `noise` is by how many 20,000ths of the underlying its makers disagree about it; the half-spread is
    `spread` units and `spread_share` thousandths of the premium."""

    name: str
    price_changes: int
    size_changes: int
    noise: int
    spread: int
    spread_share: int
    sizes: tuple[int, ...]


class Tape:
    """Pools and patterns of one seed. `draws` is a pool's length, `patterns` how many patterns each liquidity has."""

    def __init__(self, seed: int, liquidities: tuple[Liquidity, ...], draws: int, patterns: int) -> None:
        self.draws = draws
        self.patterns = patterns
        fragments: dict[int, list[bytes]] = {}
        self.pools = [_pool(seed, liquidity, draws, fragments) for liquidity in liquidities]
        names = range(patterns)
        self.price_changed = [
            [_changes(seed, liquidity.price_changes, liquidity.name, "price", name) for name in names]
            for liquidity in liquidities
        ]
        self.size_changed = [
            [_changes(seed, liquidity.size_changes, liquidity.name, "size", name) for name in names]
            for liquidity in liquidities
        ]
        self._seed, self._liquidities = seed, liquidities
        self._noise: dict[tuple[int, int, int], tuple[list[int], list[int]]] = {}
        self.spreads = [_spreads(seed, name) for name in range(SPREAD_PATTERNS)]

    def noise(self, liquidity: int, pattern: int, scale: int) -> tuple[list[int], list[int]]:
        """For each minute by how many units bidders see the underlying lower, and sellers higher."""
        key = (liquidity, pattern, scale)
        if key not in self._noise:
            kind = self._liquidities[liquidity]
            dice = stream(2 * MINUTES, self._seed, kind.name, "noise", pattern)
            noise = [byte % (kind.noise * scale + 1) for byte in dice]
            self._noise[key] = noise[:MINUTES], noise[MINUTES:]
        return self._noise[key]


def pick(places: Sequence[int]) -> Pick:
    """A function that takes the things at these places out of a sequence, at the speed of C."""
    if len(places) == 1:
        only = places[0]
        return lambda things: (things[only],)
    return itemgetter(*places)


def size_fragment(size: int, exchange: int) -> bytes:
    return b"%d,%d," % (size, exchange)


def _pool(seed: int, liquidity: Liquidity, draws: int, by_size: dict[int, list[bytes]]) -> list[bytes]:
    quantiles = _quantiles(liquidity.sizes)
    for size in set(quantiles) - set(by_size):
        by_size[size] = [size_fragment(size, exchange) for exchange in EXCHANGES]
    rows = [by_size[size] for size in quantiles]
    ends = list(accumulate(EXCHANGE_WEIGHTS))
    place = [bisect_right(ends, byte) for byte in range(256)]
    raw = stream(3 * draws, seed, liquidity.name, "pool")
    return [
        rows[high << 4 | low >> 4][place[byte]] for high, low, byte in zip(raw[0::3], raw[1::3], raw[2::3], strict=True)
    ]


def _quantiles(knots: tuple[int, ...]) -> list[int]:
    """4,096 sizes, on straight lines between the 16-quantiles."""
    return [here + (there - here) * step // 256 for here, there in pairwise(knots) for step in range(256)]


def _changes(seed: int, chance: int, *key: object) -> list[int]:
    """For each minute the last one at which something changed; the first minute always counts as a change."""
    last, found = 0, []
    for minute, byte in enumerate(stream(MINUTES, seed, "changes", *key)):
        if byte < chance:
            last = minute
        found.append(last)
    return found


def _spreads(seed: int, name: int) -> list[int]:
    """For each minute one of eight spreads, which holds for some minutes."""
    changed = _changes(seed, SPREAD_CHANGES, "spread", name)
    dice = stream(MINUTES, seed, "spreads", name)
    return [dice[minute] & 7 for minute in changed]


@lru_cache(maxsize=4)
def make_tape(seed: int, liquidities: tuple[Liquidity, ...], draws: int, patterns: int) -> Tape:
    return Tape(seed, liquidities, draws, patterns)

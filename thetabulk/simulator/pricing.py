"""From the underlying to a premium, in whole numbers.

A premium is looked up in a table of Bachelier's formula, value = intrinsic + width × g(distance / width); the width is
made of the underlying's level, its volatility, the time left and a smile. Tables exist for a geometric ladder of widths
and are shared by all contracts; above the ladder the few values that a day needs are computed directly.
"""

from bisect import bisect_left
from functools import lru_cache
from math import isqrt

TIME_VALUE = (
    418321, 356049, 300254, 250787, 207405, 169785, 137538, 110223, 87363, 68467, 53044, 40616, 30730, 22970,
    16959, 12366, 8903, 6328, 4440, 3075, 2101, 1417, 943, 619, 401, 256, 161, 100, 61, 37, 22, 13, 7, 4, 2, 1, 1,
    0, 0, 0, 0,
)  # fmt: skip
"""g(k/8) · 2²⁰ for k = 0 … 40: the normal density less k/8 times the upper tail."""

LAST_EIGHTH = len(TIME_VALUE) - 2
REACH = 5  # widths from the money beyond which there is no time value
_SIXTEENTHS = (
    4096, 4277, 4467, 4664, 4871, 5087, 5312, 5547, 5793, 6049, 6317, 6597, 6889, 7194, 7512, 7845,
)  # fmt: skip
_LADDER = tuple((8 << octave) * step >> 12 for octave in range(11) for step in _SIXTEENTHS)
"""Widths from 8 to 15,690 units, each 4.4 % above the one before."""

SMILE_SLOPE, SMILE_CURVE = -45, 12  # thousandths of the width per width from the money, and per its square
SMILE_REACH = 6
LAST_DAY_TENTHS = 4  # of a day that a contract still has on the morning of its last one


def base_width(level: int, yearly_bp: int, days_left: int) -> int:
    """The standard deviation of the underlying until expiration, in its units."""
    tenths = 10 * days_left + LAST_DAY_TENTHS
    root = isqrt(10**8 * tenths // 3650)  # √years × 10⁴
    return max(level * yearly_bp * root // 10**8, _LADDER[0])


def smiling_width(width: int, level: int, strike: int) -> int:
    """The width for a strike: low strikes are dear, far ones a little, and the ladder's steps apart."""
    away = max(-SMILE_REACH * width, min(SMILE_REACH * width, strike - level))
    thousandths = 1_000 + SMILE_SLOPE * away // width + SMILE_CURVE * away * away // (width * width)
    wanted = width * thousandths // 1_000
    return _LADDER[min(bisect_left(_LADDER, wanted), len(_LADDER) - 1)] if wanted <= _LADDER[-1] else wanted


def call_values(width: int, low: int, high: int) -> list[int]:
    """A call's value for every distance (underlying − strike) from `low` to `high`; empty if worthless throughout."""
    edge = REACH * width
    if high < -edge:
        return []
    if low > edge:
        return list(range(low, high + 1))
    inside_low, inside_high = max(low, -edge), min(high, edge)
    if width <= _LADDER[-1]:
        values = _table(width)[inside_low + edge : inside_high + edge + 1]
    else:
        values = _computed(width, inside_low, inside_high)
    if low < inside_low:
        values = [0] * (inside_low - low) + values
    return values + list(range(inside_high + 1, high + 1)) if high > inside_high else values


def put_values(width: int, low: int, high: int) -> list[int]:
    """A put's value for the same distances, in the same order: what a call is worth as far on the other side."""
    return call_values(width, -high, -low)[::-1]


@lru_cache(maxsize=len(_LADDER))
def _table(width: int) -> list[int]:
    """The whole table; its millions of numbers are shared objects, eight bytes each."""
    numbers = _numbers()
    return [numbers[value] for value in _computed(width, -REACH * width, REACH * width)]


@lru_cache(maxsize=1)
def _numbers() -> list[int]:
    return list(range(REACH * _LADDER[-1] + 1))


def _computed(width: int, low: int, high: int) -> list[int]:
    """Intrinsic plus time value for distances within reach, the latter on straight lines between g's eighths."""
    values: list[int] = []
    distance = low
    while distance <= high:
        if distance < 0:  # the time value grows towards the money
            eighth = min((-8 * distance - 1) // width, LAST_EIGHTH)
            end = min(high + 1, -(eighth * width // 8))
            sign, intrinsic = -1, 0
        else:
            eighth = min(8 * distance // width, LAST_EIGHTH)
            end = min(high + 1, -(-(eighth + 1) * width // 8)) if eighth < LAST_EIGHTH else high + 1
            sign, intrinsic = 1, 1 << 20
        here, slope = TIME_VALUE[eighth], TIME_VALUE[eighth + 1] - TIME_VALUE[eighth]
        first = here * width + slope * (8 * sign * distance - eighth * width) + intrinsic * distance + (1 << 19)
        values += _ramp(first, 8 * sign * slope + intrinsic, end - distance)
        distance = end
    return values


def _ramp(first: int, step: int, count: int) -> list[int]:
    if step == 0:
        return [first >> 20] * count
    return [value >> 20 for value in range(first, first + step * count, step)]

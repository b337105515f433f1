"""How long it will still take: a range that says how little is known. Pure.

The walk goes from the newest day backwards, and older days are smaller (2,840 contracts a day in 2017, 8,778 in 2024:
design §7), so that days of the past minutes foretell too much; the trend of their sizes is part of the estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import fmean, linear_regression

EVIDENCE = 8  # saved days; with fewer nothing is said
_TREND = 64  # saved days before a trend of their sizes is believed
_GROUPS = 6


@dataclass(frozen=True, slots=True)
class Finish:
    """A saved day: when (seconds of running, pauses left out) and how many bytes the vendor sent."""

    at: float
    bytes: int


def time_left(finishes: Sequence[Finish], days_left: int, now: float) -> tuple[float, float] | None:
    """Seconds, at least and at most, that `days_left` more days will take; None while there is too little evidence.

    `finishes` are the latest ones, oldest first, and `now` is on their clock: a run that stands still grows longer.
    """
    known = len(finishes)
    if known < EVIDENCE or days_left <= 0:
        return None
    mean = (finishes[-1].at - finishes[0].at) / (known - 1)
    doubt = 1 / sqrt(known)
    costs = [*_group_costs(finishes), mean * (1 - doubt), mean * (1 + doubt)]
    stalled = (now - finishes[0].at) / known
    change = _size_change(finishes, days_left)
    low, high = min(costs) * min(1.0, change), max(*costs, stalled) * max(1.0, change)
    return low * days_left, high * days_left


def _group_costs(finishes: Sequence[Finish]) -> list[float]:
    """Seconds per day in stretches of at least eight days: transfers end in bursts, single gaps mean nothing."""
    groups = min(_GROUPS, len(finishes) // EVIDENCE)
    edges = [round(index * (len(finishes) - 1) / groups) for index in range(groups + 1)]
    return [(finishes[end].at - finishes[start].at) / (end - start) for start, end in pairwise(edges)]


def _size_change(finishes: Sequence[Finish], days_left: int) -> float:
    """How the days still to come may compare in size with those just saved, by the trend; 1.0 while none is known."""
    if len(finishes) < _TREND:
        return 1.0
    sizes = [finish.bytes for finish in finishes]
    slope, intercept = linear_regression(range(len(sizes)), sizes)
    expected = intercept + slope * (len(sizes) + days_left / 2)
    return min(1.5, max(0.3, expected / (fmean(sizes) or 1.0)))

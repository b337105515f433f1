"""How much and how long: what saved days foretell, and what is published where there are none. Pure.

Every answer is a range, "at least … at most". A symbol about which nothing is known gets no number.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from math import exp, log, sqrt
from statistics import median

from thetabulk.model import Dataset
from thetabulk.plan.datasets import grid_of

ENOUGH = 8
"""So many saved days are evidence; fewer are none."""

_SHRINKING, _GROWING = (1 / 1.6, 1.05), (0.95, 1.6)
"""Per year into the past and into the future. SPXW grew by half a year from 2013 to 2019, SPY shrank by 4 % a year from
2019 to 2025 (thetadata-v3.md §3.4)."""

_CONTRACTS: dict[str, tuple[tuple[date, int], ...]] = {
    "QQQ": ((date(2017, 6, 15), 2_840), (date(2024, 1, 2), 8_778)),
    "SPY": (
        (date(2014, 7, 2), 2_956), (date(2017, 6, 15), 4_588), (date(2019, 1, 2), 7_020), (date(2021, 12, 15), 9_860),
        (date(2022, 1, 3), 9_528), (date(2024, 1, 2), 7_950),
    ),
    "SPXW": ((date(2024, 1, 2), 14_044),),
    "SPX": ((date(2024, 1, 2), 6_556),),
    "NDX": ((date(2024, 1, 2), 6_413),),
    "IWM": ((date(2024, 1, 2), 4_520),),
    "DIA": ((date(2024, 1, 2), 3_648),),
    "RUT": ((date(2024, 1, 2), 1_350),),
    "VIX": ((date(2024, 1, 2), 1_058),),
}  # fmt: skip
"""Contracts of the whole chain on a day, counted by one project with a live Terminal (§3.4)."""

_DAILY_CHANGE = 1.3  # between two such counts a day may have so many times more or fewer
_QUOTE_ROW_BYTES = (82.0, 87.0)  # §3.4
_CONTRACT_BYTES = {"option/eod": (120.0, 280.0), "option/open_interest": (45.0, 70.0)}  # §3.4; eod twice before 2022
_STORED_SHARE = {
    ("option/quote", "parquet", "double"): (1 / 16, 1 / 12),
    ("option/quote", "parquet", "decimal"): (1 / 19, 1 / 14),
    ("option/quote", "csv.zst", ""): (1 / 8, 1 / 5),
    ("option/eod", "parquet", ""): (1 / 6, 1 / 3.5),
    ("option/open_interest", "parquet", ""): (1 / 8, 1 / 4),
}
"""Stored bytes per byte of CSV: performance.md §D for quotes, thetadata-v3.md §3.4 for the two reports."""

_UNKNOWN_SHARE = {"parquet": (1 / 19, 1 / 2.5), "csv.zst": (1 / 10, 1 / 2.5), "csv": (1.0, 1.0)}
_STREAM_BYTES_PER_S = (12e6, 20e6)  # one request; several share the account, at worst without any gain (§3.2, §3.3)
_REPORTS_PER_S = (0.2, 1.8)  # whole-chain end of day, sustained over days (§3.2)


@dataclass(frozen=True, slots=True)
class Range:
    """At least and at most."""

    low: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.high + other.high)

    def times(self, low: float, high: float) -> "Range":
        return Range(self.low * low, self.high * high)


NOTHING = Range(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Past:
    """A saved day: its sizes as stored and as received, and when it was saved."""

    day: date
    stored_bytes: int
    vendor_bytes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Foretold:
    """What the days still to come will take; `source` says from what it is known."""

    stored_bytes: Range
    seconds: Range
    source: str


def from_saved_days(past: Sequence[Past], todo: Sequence[date], *, launch_gap_s: float) -> Foretold | None:
    """What the collection's own days say; None if they are too few.

    A day is expected to lie between the smallest and the largest of the eight saved days nearest to it, wider by what
    chains have been seen to grow or shrink over the years between.
    """
    if len(past) < ENOUGH:
        return None
    known = sorted(past, key=lambda one: one.day)
    stored, vendor = NOTHING, NOTHING
    for day in todo:
        near = _nearest(known, day)
        drift = _drift(near, day)
        sizes = [one.stored_bytes for one in near]
        stored += Range(min(sizes), max(sizes)).times(*drift)
        sizes = [one.vendor_bytes for one in near]
        vendor += Range(min(sizes), max(sizes)).times(*drift)
    pace = _seconds_per_byte(past)
    low = max(vendor.low * pace.low, len(todo) * launch_gap_s)
    seconds = Range(low, max(low, vendor.high * pace.high))
    return Foretold(stored, seconds, f"from {len(past)} saved days of this collection")


def from_published(
    dataset: Dataset, symbol: str, todo: Sequence[date], *, file_format: str, prices: str, streams: int,
    launch_gap_s: float,
) -> Foretold | None:  # fmt: skip
    """What others have measured of this symbol's whole chain; None where nobody is known to have."""
    counted = _CONTRACTS.get(symbol)
    per_contract = _vendor_bytes_per_contract(dataset)
    if counted is None or per_contract is None:
        return None
    contracts = NOTHING
    for day in todo:
        contracts += _contracts_on(counted, day)
    vendor = contracts.times(per_contract.low, per_contract.high)
    stored = vendor.times(*_share(dataset, file_format, prices))
    slow, fast = _STREAM_BYTES_PER_S
    low, high = vendor.low / (fast * streams), vendor.high / slow
    if dataset.interval_ms is None:
        low, high = max(low, len(todo) / _REPORTS_PER_S[1]), max(high, len(todo) / _REPORTS_PER_S[0])
    low = max(low, len(todo) * launch_gap_s)
    years = " and ".join(sorted({str(day.year) for day, _ in (counted[0], counted[-1])}))
    return Foretold(stored, Range(low, max(low, high)), f"from published sizes of {symbol} ({years})")


def _nearest(known: Sequence[Past], day: date) -> Sequence[Past]:
    """The eight saved days around a day."""
    at = bisect_left(known, day, key=lambda one: one.day)
    start = max(0, min(at - ENOUGH // 2, len(known) - ENOUGH))
    return known[start : start + ENOUGH]


def _drift(near: Sequence[Past], day: date) -> tuple[float, float]:
    first, last = near[0].day, near[-1].day
    if first <= day <= last:
        return 1.0, 1.0
    return _growth((day - (first if day < first else last)).days)


def _growth(days: int) -> tuple[float, float]:
    """The factors by which chains may differ so many days later, or (negative) earlier."""
    low, high = _SHRINKING if days < 0 else _GROWING
    years = abs(days) / 365
    return low**years, high**years


def _seconds_per_byte(past: Sequence[Past]) -> Range:
    """From the times at which days were saved: whole seconds, several at once, with pauses and nights in between."""
    finished = sorted(past, key=lambda one: one.at)
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(finished)]
    longest = 10 * median(gaps) + 60
    running = [(gap, one.vendor_bytes) for gap, one in zip(gaps, finished[1:], strict=True) if gap <= longest]
    seconds, received = sum(gap for gap, _ in running), max(1, sum(size for _, size in running))
    doubt = 1 / sqrt(len(running))
    return Range(max(0.0, seconds * (1 - doubt) - 1) / received, (seconds * (1 + doubt) + 1) / received)


def _contracts_on(counted: Sequence[tuple[date, int]], day: date) -> Range:
    (first, oldest), (last, newest) = counted[0], counted[-1]
    if day < first:
        return _with_doubt(oldest).times(*_growth((day - first).days))
    if day > last:
        return _with_doubt(newest).times(*_growth((day - last).days))
    for (start, before), (end, after) in pairwise(counted):
        if start <= day <= end:
            way = (day - start) / (end - start)
            return _with_doubt(exp(log(before) + way * (log(after) - log(before))))
    return _with_doubt(oldest)


def _with_doubt(contracts: float) -> Range:
    return Range(contracts / _DAILY_CHANGE, contracts * _DAILY_CHANGE)


def _vendor_bytes_per_contract(dataset: Dataset) -> Range | None:
    if dataset.name in _CONTRACT_BYTES:
        return Range(*_CONTRACT_BYTES[dataset.name])
    grids = grid_of(dataset, half_day=False)
    if dataset.name != f"option/quote/{dataset.interval}" or not grids:
        return None
    low, high = _QUOTE_ROW_BYTES
    return Range(min(grids) * low, max(grids) * high)


def _share(dataset: Dataset, file_format: str, prices: str) -> tuple[float, float]:
    name = dataset.name.removesuffix(f"/{dataset.interval}")
    for how in (prices, ""):
        if (name, file_format, how) in _STORED_SHARE:
            return _STORED_SHARE[name, file_format, how]
    return _UNKNOWN_SHARE[file_format]

"""Premiums in whole numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.simulator.calendar import SESSIONS
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.pricing import base_width, call_values, put_values, smiling_width
from thetabulk.simulator.ticks import HALF_SPREADS, PriceTexts
from thetabulk.simulator.underlying import MINUTES, underlying

widths = st.integers(8, 60_000)
distances = st.integers(-200_000, 200_000)


@given(widths, distances, st.integers(1, 300))
def test_a_call_gains_with_the_underlying_and_never_more_than_it(width: int, low: int, span: int) -> None:
    """So that whoever sees the underlying lower never bids above who sees it higher asks."""
    values = call_values(width, low, low + span)
    assert len(values) in (0, span + 1)
    assert all(0 <= after - before <= 1 for before, after in pairwise(values))
    assert all(value >= max(distance, 0) for distance, value in enumerate(values, low))


@given(widths, distances, st.integers(1, 60))
def test_a_put_and_a_call_agree(width: int, low: int, span: int) -> None:
    """Call less put is the distance, to a unit of rounding."""
    calls = call_values(width, low, low + span) or [0] * (span + 1)
    puts = put_values(width, low, low + span) or [0] * (span + 1)
    assert all(abs(call - put - (low + step)) <= 1 for step, (call, put) in enumerate(zip(calls, puts, strict=True)))


@given(widths, distances, st.integers(0, 40), st.integers(0, 40))
def test_a_value_does_not_depend_on_what_else_is_asked_for(width: int, at: int, before: int, after: int) -> None:
    """Tables and direct computation give the same numbers."""
    alone = call_values(width, at, at) or [0]
    wide = call_values(width, at - before, at + after) or [0] * (before + after + 1)
    assert wide[before] == alone[0]


def test_time_and_distance_make_a_premium() -> None:
    """A month of QQQ at 400 dollars and 21 % is about 23 dollars wide; low strikes are dearer than high ones."""
    width = base_width(40_000, 2_100, 30)
    assert 2_300 <= width <= 2_500
    assert base_width(40_000, 2_100, 0) < width < base_width(40_000, 2_100, 365)
    assert smiling_width(width, 40_000, 35_000) > smiling_width(width, 40_000, 45_000)


def test_a_price_stands_on_its_tick() -> None:
    """Five cents below three dollars and ten from there for an index; pennies for an ETF; asks are never zero."""
    index, etf = PriceTexts(INSTRUMENTS["SPX"], 200), PriceTexts(INSTRUMENTS["QQQ"], 400)
    assert list(dict.fromkeys(index.bids))[58:62] == [b"2.90", b"2.95", b"3.00", b"3.10"]
    assert index.asks[61] == b"3.10"
    assert etf.bids[123] == etf.asks[123] == b"1.23"
    assert etf.asks[0] == b"0.01"
    assert etf.bids[-HALF_SPREADS[-1]] is etf.none


def test_the_underlying_moves_on_from_where_it_stood() -> None:
    """A day opens within a gap of last night's close and ends on its own."""
    quotes = underlying(1, "QQQ")
    for number in range(110, 3900, 97):
        path = quotes.path(number)
        assert len(path) == MINUTES
        assert abs(path[0] - quotes.before(number)) < quotes.before(number) // 25
        assert quotes.closes[number] in path
        assert max(path) - min(path) < path[0] // 6


def test_related_roots_move_together() -> None:
    """SPXW and SPX have one underlying, XSP a tenth of it."""
    assert underlying(1, "SPX").closes == underlying(1, "SPXW").closes
    pairs = zip(underlying(1, "XSP").closes, underlying(1, "SPX").closes, strict=True)
    assert all(99 * large < 1_000 * small < 101 * large for small, large in pairs)


def test_no_level_leaves_the_tables() -> None:
    """`highest` is above everything that the walk can reach."""
    for symbol, instrument in INSTRUMENTS.items():
        assert 0 < min(underlying(7, symbol).closes) <= max(underlying(7, symbol).closes) < instrument.highest
        assert len(underlying(7, symbol).closes) == len(SESSIONS)

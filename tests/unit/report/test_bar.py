"""The bar: a cell is full only if its days are."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.report.bar import KINDS, cells, percent

DAYS = st.dictionaries(st.sampled_from(KINDS), st.integers(0, 100_000))


@given(DAYS, st.integers(len(KINDS), 200))
def test_the_bar_is_as_wide_as_asked(days: dict[str, int], width: int) -> None:
    """Cells add up, in the order of the kinds, and every kind that is there can be seen."""
    shared = cells(days, width)
    assert sum(length for _, length in shared) == width
    assert [kind for kind, _ in shared] == [kind for kind in KINDS if days.get(kind)] or not any(days.values())
    assert all(length > 0 for _, length in shared)


def test_a_bar_with_a_day_left_is_not_full() -> None:
    """2,011 of 2,012 days saved: the last cell stays open."""
    assert cells({"saved": 2_011, "left": 1}, 40) == [("saved", 39), ("left", 1)]


def test_a_failure_is_not_done() -> None:
    """Failed days have their own cells, however few they are."""
    assert cells({"saved": 1_000, "failed": 1}, 20) == [("saved", 19), ("failed", 1)]


def test_a_hundred_percent_is_said_only_at_the_end() -> None:
    """Rounded down, never up."""
    assert percent(2_011, 2_012) == "99 %"
    assert percent(2_012, 2_012) == "100 %"
    assert percent(0, 0) == "–"

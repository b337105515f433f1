"""How long it will still take."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.report.estimate import EVIDENCE, Finish, time_left


def steady(days: int, seconds_each: float = 10.0, size: int = 40_000_000) -> list[Finish]:
    """Days that all take the same time."""
    return [Finish(seconds_each * (index + 1), size) for index in range(days)]


def test_without_evidence_nothing_is_said() -> None:
    """Seven saved days are luck, eight are a first idea."""
    assert time_left(steady(EVIDENCE - 1), 100, 70.0) is None
    assert time_left(steady(EVIDENCE), 100, 80.0) is not None
    assert time_left(steady(EVIDENCE), 0, 80.0) is None


def test_more_evidence_narrows_the_range() -> None:
    """The truth (1,000 s) is inside, and the range shrinks from days to days."""
    widths = []
    for days in (8, 32, 128):
        found = time_left(steady(days), 100, days * 10.0)
        assert found is not None
        low, high = found
        assert low < 1_000 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)


def test_bursts_of_finishes_do_not_count_as_speed() -> None:
    """Four transfers that end together, every 40 s, are a day each 10 s."""
    bursts = [Finish(40.0 * (1 + index // 4), 40_000_000) for index in range(32)]
    found = time_left(bursts, 100, 320.0)
    assert found is not None
    assert 500 < found[0] < 1_000 < found[1] < 2_000


def test_a_run_that_stands_still_takes_longer() -> None:
    """Ten minutes without a day raise the upper end, the lower one stays."""
    going, standing = time_left(steady(16), 100, 160.0), time_left(steady(16), 100, 760.0)
    assert going is not None
    assert standing is not None
    assert standing[1] > 2 * going[1]
    assert standing[0] == going[0]


def test_shrinking_days_shorten_the_lower_end() -> None:
    """Older days are smaller: with a clear trend the range reaches below what the past days took."""
    shrinking = [Finish(10.0 * index, 80_000_000 - 200_000 * index) for index in range(128)]
    level = time_left(steady(128), 200, 1_280.0)
    found = time_left(shrinking, 200, 1_280.0)
    assert level is not None
    assert found is not None
    assert found[0] < 0.6 * level[0]


@given(
    st.lists(st.tuples(st.floats(0, 600), st.integers(0, 10**9)), min_size=EVIDENCE, max_size=300),
    st.integers(1, 5_000),
)
def test_the_range_is_always_a_range(days: list[tuple[float, int]], left: int) -> None:
    """0 ≤ low ≤ high for any history."""
    at, finishes = 0.0, []
    for seconds, size in days:
        at += seconds
        finishes.append(Finish(at, size))
    found = time_left(finishes, left, at)
    assert found is not None
    assert 0 <= found[0] <= found[1]

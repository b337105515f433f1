"""How much and how long: ranges, and none without evidence."""

from datetime import UTC, date, datetime, timedelta

import pytest

from thetabulk.plan.datasets import dataset
from thetabulk.plan.evidence import Past, Range, from_published, from_saved_days

START = datetime(2026, 11, 20, tzinfo=UTC)
FIRST = date(2020, 1, 1)


def saved(count: int, *, seconds: float = 10, size: int = 1_000) -> list[Past]:
    """Days saved one after the other, the newest first, as a run does it."""
    return [
        Past(FIRST + timedelta(days=count - number), size, 10 * size, START + timedelta(seconds=seconds * number))
        for number in range(count)
    ]


def published(symbol: str, *days: date, name: str = "option/quote/1m", file_format: str = "csv") -> Range:
    found = from_published(
        dataset(name), symbol, days, file_format=file_format, prices="double", streams=4, launch_gap_s=0
    )
    assert found is not None
    return found.stored_bytes


@pytest.mark.parametrize(("day", "megabytes"), [(date(2017, 6, 15), 92), (date(2024, 1, 2), 285)])
def test_the_published_sizes_of_qqq_are_met(day: date, megabytes: int) -> None:
    """92 MB of CSV a day in 2017, 285 MB in 2024; the range is honest, and no wider than twice."""
    found = published("QQQ", day)
    assert found.low < megabytes * 1e6 < found.high < 2 * found.low


def test_parquet_is_a_twelfth_to_a_sixteenth() -> None:
    """As measured on real and synthetic days with double prices."""
    csv = published("QQQ", FIRST)
    parquet = published("QQQ", FIRST, file_format="parquet")
    assert parquet.low == pytest.approx(csv.low / 16)
    assert parquet.high == pytest.approx(csv.high / 12)


def test_a_day_far_from_any_count_is_less_certain() -> None:
    """Between two counts, before the first, and after the last."""
    near, before, after = (published("QQQ", day) for day in (date(2017, 6, 15), date(2013, 6, 15), date(2030, 1, 2)))
    assert before.high / before.low > 2 * near.high / near.low
    assert after.high > 10 * near.high


def test_reports_are_small() -> None:
    """1.14 MB of end-of-day CSV and 0.52 MB of open interest for QQQ on 2024-01-02."""
    for name, size in (("option/eod", 1.14e6), ("option/open_interest", 0.52e6)):
        found = published("QQQ", date(2024, 1, 2), name=name)
        assert found.low < size < found.high


def test_nothing_is_said_about_unknown_symbols() -> None:
    """No number is better than an invented one."""
    assert (
        from_published(
            dataset("option/quote/1m"), "AAPL", [FIRST], file_format="csv", prices="double", streams=4, launch_gap_s=0
        )
        is None
    )


def test_eight_saved_days_are_evidence_and_seven_are_not() -> None:
    """With equal sizes and steady gaps the range holds the truth on both sides."""
    todo = [FIRST + timedelta(days=4)] * 100
    assert from_saved_days(saved(7), todo, launch_gap_s=0) is None
    found = from_saved_days(saved(8), todo, launch_gap_s=0)
    assert found is not None
    assert found.stored_bytes == Range(100_000, 100_000)
    assert found.seconds.low < 1_000 < found.seconds.high
    assert found.source == "from 8 saved days of this collection"


def test_nights_between_runs_are_no_work() -> None:
    """Half of the days saved a day later: the pace is that of the hours in which something was saved."""
    first, second = saved(20)[:10], saved(20)[10:]
    late = [Past(one.day, one.stored_bytes, one.vendor_bytes, one.at + timedelta(days=1)) for one in second]
    found = from_saved_days([*first, *late], [FIRST] * 10, launch_gap_s=0)
    assert found is not None
    assert found.seconds.high < 200


def test_days_saved_within_one_second_have_at_least_the_launch_gap() -> None:
    """The ledger keeps whole seconds; no pace is infinite."""
    found = from_saved_days(saved(9, seconds=0), [FIRST] * 100, launch_gap_s=0.15)
    assert found is not None
    assert found.seconds.low == pytest.approx(15)
    assert found.seconds.high >= found.seconds.low

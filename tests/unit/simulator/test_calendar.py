"""The simulator's own exchange calendar."""

from datetime import date

import pytest

from thetabulk.simulator.calendar import (
    CLOSED,
    EARLY,
    SESSIONS,
    closing_second,
    holidays,
    is_session,
    number_at_or_before,
    schedule,
    session_number,
    sessions_between,
)


@pytest.mark.parametrize("day", ["2012-10-29", "2012-10-30", "2018-12-05", "2022-06-20", "2025-01-09", "2024-03-29"])
def test_the_exchange_was_closed(day: str) -> None:
    """Sandy, two mournings, a first Juneteenth and a Good Friday."""
    assert not is_session(date.fromisoformat(day))
    assert session_number(date.fromisoformat(day)) is None


@pytest.mark.parametrize("day", ["2021-12-31", "2019-11-11", "2021-06-18", "2015-07-02"])
def test_the_exchange_was_open(day: str) -> None:
    """Days that rules of thumb close: a New Year on a Saturday, Veterans Day, the years before Juneteenth."""
    assert is_session(date.fromisoformat(day))


def test_no_closure_is_a_weekend_and_none_is_also_an_early_close() -> None:
    """The table has no idle entries."""
    assert all(day.weekday() < 5 for day in CLOSED | EARLY)
    assert not CLOSED & EARLY


def test_a_year_has_about_252_sessions() -> None:
    """As many as the exchange counts: 252 in 2024, 250 in 2012 with Sandy and its leap day."""
    assert len(sessions_between(date(2024, 1, 1), date(2024, 12, 31))) == 252
    assert len(sessions_between(date(2012, 1, 1), date(2012, 12, 31))) == 250


def test_numbers_count_sessions() -> None:
    """A weekend belongs to the Friday before it."""
    friday = session_number(date(2024, 8, 2))
    assert friday is not None
    assert number_at_or_before(date(2024, 8, 4)) == friday
    assert SESSIONS[friday + 1] == date(2024, 8, 5)


def test_rows_of_the_calendar_endpoints() -> None:
    """The samples of the OpenAPI file: an early close, a holiday, an ordinary day; and a weekend."""
    assert schedule(date(2024, 12, 24)) == ("early_close", "09:30:00", "13:00:00")
    assert schedule(date(2025, 12, 25)) == ("full_close", "", "")
    assert schedule(date(2024, 8, 2)) == ("open", "09:30:00", "16:00:00")
    assert schedule(date(2024, 8, 3))[0] == "weekend"
    assert [row[0] for row in holidays(2026)] == [
        date(2026, month, day)
        for month, day in ((1, 1), (1, 19), (2, 16), (4, 3), (5, 25), (6, 19), (7, 3), (9, 7), (11, 26), (11, 27),
                           (12, 24), (12, 25))
    ]  # fmt: skip


def test_some_trade_a_quarter_of_an_hour_longer() -> None:
    """16:00 and 16:15, on half-days 13:00 and 13:15."""
    usual, half = date(2024, 8, 2), date(2024, 11, 29)
    assert [closing_second(day, late=late) // 60 for day in (usual, half) for late in (False, True)] == [
        960, 975, 780, 795,
    ]  # fmt: skip

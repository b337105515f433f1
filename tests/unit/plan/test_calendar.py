"""The trading days: the shipped table, and what happens after its end."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from thetabulk.plan import calendar as calendar_module
from thetabulk.plan.calendar import NEW_YORK, Calendar, Table, generate, read_table, table_text


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar.load()


@pytest.fixture
def short(tmp_path: Path) -> Calendar:
    """A calendar whose table ends in 2026, with a folder to keep the rest in."""
    whole = Calendar.load().table
    return Calendar(
        Table(whole.source, whole.first, date(2026, 12, 31), whole.closed, whole.half_days),
        tmp_path / "cache" / "sessions.json",
    )


def test_the_shipped_table_is_what_pandas_market_calendars_says() -> None:
    """Over its whole range, sessions and half-days alike."""
    shipped = Calendar.load().table
    fresh = generate(shipped.last.year)
    assert (shipped.first, shipped.last) == (date(2012, 1, 1), date(2027, 12, 31))
    assert shipped.sessions() == fresh.sessions()
    assert shipped.half_days == fresh.half_days


@pytest.mark.parametrize("day", ["2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09", "2024-07-04", "2024-08-03"])
def test_one_off_closures_holidays_and_weekends_are_no_sessions(calendar: Calendar, day: str) -> None:
    """Hurricane Sandy and two days of mourning are the traps of a fixed calendar (thetadata-v3.md §5.7)."""
    assert not calendar.is_session(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2012-06-01", "2024-11-11", "2024-10-14", "2024-11-29"])
def test_days_on_which_only_banks_rest_are_sessions(calendar: Calendar, day: str) -> None:
    """Veterans Day and Columbus Day are open; so is a half-day."""
    assert calendar.is_session(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "half"),
    [("2024-11-29", True), ("2024-12-24", True), ("2024-07-03", True), ("2024-12-31", False), ("2021-12-24", False)],
)
def test_early_closes_are_known(calendar: Calendar, day: str, half: bool) -> None:
    """The day after Thanksgiving, and the eves; not an eve that is itself the observed holiday."""
    assert calendar.is_half_day(date.fromisoformat(day)) is half


def test_the_founding_range_has_2012_sessions(calendar: Calendar) -> None:
    """2016-08-04 to 2024-08-02, the range the predecessor was built for."""
    assert calendar.count_between(date(2016, 8, 4), date(2024, 8, 2)) == 2_012
    assert len(calendar.sessions(date(2016, 8, 4), date(2024, 8, 2))) == 2_012


def test_neighbours_step_over_what_is_closed(calendar: Calendar) -> None:
    """Over a weekend, a holiday, and the two days of Sandy."""
    assert calendar.next(date(2012, 10, 26)) == date(2012, 10, 31)
    assert calendar.previous(date(2012, 10, 31)) == date(2012, 10, 26)
    assert calendar.previous(date(2024, 8, 4)) == date(2024, 8, 2)
    assert calendar.next(date(2024, 7, 3)) == date(2024, 7, 5)


def test_before_its_first_day_a_calendar_knows_nothing(calendar: Calendar) -> None:
    """No sessions, and no previous one."""
    assert calendar.sessions(date(2000, 1, 1), date(2011, 12, 31)) == []
    assert not calendar.is_session(date(2011, 12, 30))
    with pytest.raises(ValueError, match="no session before"):
        calendar.previous(date(2012, 1, 3))


@pytest.mark.parametrize(
    ("now", "settled"),
    [
        ("2024-08-02T23:59:00-04:00", "2024-08-01"),
        ("2024-08-03T01:59:59-04:00", "2024-08-01"),
        ("2024-08-03T02:00:00-04:00", "2024-08-02"),
        ("2024-08-05T12:00:00-04:00", "2024-08-02"),
        ("2024-08-06T05:59:59+00:00", "2024-08-02"),
        ("2024-08-06T06:00:00+00:00", "2024-08-05"),
        ("2024-03-10T03:00:00-04:00", "2024-03-08"),  # clocks go forward: 02:00 does not exist
        ("2024-07-05T09:00:00-04:00", "2024-07-03"),
    ],
)
def test_a_session_is_settled_at_two_in_the_morning_of_the_next_day(calendar: Calendar, now: str, settled: str) -> None:
    """In New York, wherever the laptop is; over a weekend it is Friday's for three days."""
    assert calendar.last_settled(datetime.fromisoformat(now)) == date.fromisoformat(settled)


def test_a_time_without_a_zone_is_refused(calendar: Calendar) -> None:
    """It could be anybody's two o'clock."""
    with pytest.raises(ValueError, match="zone"):
        calendar.last_settled(datetime(2024, 8, 3, 2, 0))  # noqa: DTZ001


def test_settled_sessions_end_with_the_last_settled(calendar: Calendar) -> None:
    """They begin with the calendar, ascending."""
    settled = calendar.settled(datetime(2024, 8, 3, 2, 0, tzinfo=NEW_YORK))
    assert (settled[0], settled[-1]) == (date(2012, 1, 3), date(2024, 8, 2))
    assert settled == sorted(settled)


def test_within_its_table_a_calendar_needs_no_pandas() -> None:
    """Half a second at every start otherwise."""
    program = (
        "import sys; from datetime import date; from thetabulk.plan.calendar import Calendar;"
        "calendar = Calendar.load(); calendar.sessions(date(2012, 1, 1), date(2027, 12, 31));"
        "calendar.next(date(2026, 12, 31)); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_after_the_end_of_its_table_the_library_is_asked_and_the_answer_is_kept(
    short: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: the next calendar reads what was kept."""
    assert short.is_session(date(2027, 1, 4))
    assert short.next(date(2026, 12, 31)) == date(2027, 1, 4)
    assert short.cache is not None
    assert read_table(short.cache) == short.table
    monkeypatch.setattr(calendar_module, "generate", lambda year: pytest.fail("asked again"))
    again = Calendar(Table("", date(2012, 1, 1), date(2026, 12, 31), frozenset(), frozenset()), short.cache)
    assert again.is_half_day(date(2027, 11, 26))
    assert not again.is_session(date(2027, 12, 24))


def test_a_damaged_cache_is_written_anew(short: Calendar) -> None:
    """It is only a copy."""
    assert short.cache is not None
    short.cache.parent.mkdir()
    short.cache.write_text('{"first": "2012-01-01"}')
    assert short.is_session(date(2027, 1, 4))
    assert read_table(short.cache) == short.table


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """The answer is the same, only later."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    whole = Calendar.load().table
    table = Table(whole.source, whole.first, date(2026, 12, 31), whole.closed, whole.half_days)
    assert Calendar(table, tmp_path / "cache" / "sessions.json").is_session(date(2027, 1, 4))


@pytest.mark.parametrize("cut", [0, 1, 100, 400, -1, -20])
def test_a_table_that_was_changed_is_not_believed(tmp_path: Path, cut: int) -> None:
    """Cut anywhere, or with a day more, its checksum is wrong."""
    text = table_text(Calendar.load().table)
    path = tmp_path / "sessions.json"
    path.write_text(text[:cut].rstrip("\n}"))
    assert read_table(path) is None
    changed = json.loads(text)
    changed["closed"]["2024"] += " 08-02"
    path.write_text(json.dumps(changed))
    assert read_table(path) is None


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    """What was written is what is read."""
    path = tmp_path / "sessions.json"
    table = Calendar.load().table
    path.write_text(table_text(table))
    assert read_table(path) == table


def test_counting_agrees_with_listing(calendar: Calendar) -> None:
    """For ranges that begin and end anywhere, also backwards."""
    start = date(2020, 1, 1)
    for first in range(0, 60, 7):
        for last in range(0, 60, 5):
            ends = start + timedelta(days=first), start + timedelta(days=last)
            assert calendar.count_between(*ends) == len(calendar.sessions(*ends))


def test_a_clock_in_utc_is_as_good(calendar: Calendar) -> None:
    """In winter New York's two o'clock is seven in UTC."""
    assert calendar.last_settled(datetime(2024, 12, 6, 6, 59, tzinfo=UTC)) == date(2024, 12, 4)
    assert calendar.last_settled(datetime(2024, 12, 6, 7, 0, tzinfo=UTC)) == date(2024, 12, 5)

"""Facts about this machine, judged."""

from datetime import UTC, datetime, timedelta

import pytest

from thetabulk.assembly.doctor import machine
from thetabulk.config import DoctorConfig
from thetabulk.fetch.client import Answer
from thetabulk.report.findings import Level

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)


def dated(text: str) -> Answer:
    return Answer(200, b"", {"date": text}, 0.1)


@pytest.mark.parametrize(
    ("date", "level"),
    [
        ("Sat, 21 Nov 2026 14:00:30 GMT", Level.OK),
        ("Sat, 21 Nov 2026 15:00:00 +0100", Level.OK),
        ("Sat, 21 Nov 2026 14:01:30 GMT", Level.WARN),
        ("Sat, 21 Nov 2026 09:00:00 GMT", Level.WARN),
        ("Thu, 01 Jan 1970 00:00:00 -0000", Level.WARN),
        ("yesterday", Level.OK),
        ("", Level.OK),
    ],
)
def test_the_clock_is_held_against_the_terminals(date: str, level: Level) -> None:
    """A minute is allowed; what is no date says nothing."""
    assert machine.clock_finding(dated(date), DoctorConfig(), NOW, ()).level is level


def test_files_from_tomorrow_are_local_times_and_from_next_week_a_wrong_clock() -> None:
    """exFAT keeps local times, up to 14 hours off."""
    for ahead, level in ((timedelta(hours=14), Level.OK), (timedelta(days=7), Level.WARN)):
        assert machine.clock_finding(None, DoctorConfig(), NOW, [NOW - ahead, NOW + ahead]).level is level


@pytest.mark.parametrize(
    ("zone", "level"),
    [
        ("", Level.OK), ("UTC", Level.OK), ("Europe/Berlin", Level.OK), (":America/New_York", Level.OK),
        ("CET-1CEST,M3.5.0,M10.5.0/3", Level.OK), ("EST5EDT", Level.OK), ("/etc/localtime", Level.OK),
        ("Europe/Atlantis", Level.WARN), ("America/Argentina/Nowhere", Level.WARN),
    ],
)  # fmt: skip
def test_only_a_name_that_looks_like_a_zone_and_is_none_is_told(zone: str, level: Level) -> None:
    """POSIX rules and paths are fine."""
    assert machine.zone_finding({"TZ": zone}).level is level


@pytest.mark.parametrize(
    ("after_s", "keep_awake", "level"),
    [(None, True, Level.UNKNOWN), (0.0, False, Level.OK), (900.0, True, Level.OK), (900.0, False, Level.WARN)],
)
def test_sleep_is_told_only_where_it_can_hurt(after_s: float | None, level: Level, *, keep_awake: bool) -> None:
    """A download keeps the machine awake by itself."""
    assert machine.sleep_finding(after_s, keep_awake=keep_awake).level is level


def test_proxies_count_only_while_there_is_no_connection() -> None:
    """The Terminal that is connected needs none; an empty variable is none; NO_PROXY leads nowhere."""
    env = {"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost", "HTTP_PROXY": ""}
    assert machine.detour_finding(env, connected=True).level is Level.OK
    found = machine.detour_finding(env, connected=False)
    assert (found.level, "https_proxy=http://proxy:3128:" in found.text) == (Level.WARN, True)
    assert machine.detour_finding({"NO_PROXY": "*"}, connected=False).text == "none in the environment"


@pytest.mark.parametrize(("limit", "level"), [(None, Level.OK), (256, Level.OK), (127, Level.WARN)])
def test_the_limit_that_macos_ships_is_enough(limit: int | None, level: Level) -> None:
    """256 open files."""
    assert machine.descriptors_finding(limit, DoctorConfig()).level is level

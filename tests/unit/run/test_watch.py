"""What is the matter with a run, told from its events alone."""

import pytest

from tests.unit.run.world import ASKED, DAYS, QQQ, saved
from thetabulk.config import IncidentConfig
from thetabulk.events import (
    AttemptFailed,
    BreakerChanged,
    BytesReceived,
    ChunkReached,
    Event,
    Paused,
    Resumed,
    RunFinished,
    RunStarted,
    ShardFinished,
    ShardStarted,
    Slowed,
    Stopping,
)
from thetabulk.model import Empty, Failed, Refused, Shard
from thetabulk.run.watch import Matter, Watch

SETTINGS = IncidentConfig()
STARTED = RunStarted(
    "download", "s", (QQQ,), DAYS[-1], DAYS[0], 600, 0, 600, 50, "standard", True, 4, (3, 12), "terminal", "url"
)
SHARDS = [Shard(QQQ, day) for day in DAYS]


class Seen:
    """A watch, and the days that are left."""

    def __init__(self, *events: Event, managed: bool = False) -> None:
        self.left = 100
        self.watch = Watch(SETTINGS, days_left=lambda: self.left, managed=managed)
        for event in (STARTED, *events):
            self.watch.hear(event, 0.0)

    def hear(self, now: float, *events: Event) -> None:
        for event in events:
            self.watch.hear(event, now)

    def cause(self, now: float) -> str:
        matter = self.watch.matter(now)
        return matter.cause if matter else ""

    def matter(self, now: float) -> Matter:
        found = self.watch.matter(now)
        assert found is not None
        return found


def failed(number: int, kind: str = "incomplete") -> ShardFinished:
    return ShardFinished(Failed(SHARDS[number], ASKED, kind, "the same lacking answer twice"))


def refused(number: int) -> ShardFinished:
    return ShardFinished(Refused(SHARDS[number], ASKED, "requires a value subscription"))


def test_a_run_that_saves_days_is_well() -> None:
    """For hours."""
    seen = Seen()
    for number in range(60):
        seen.hear(number * 600.0, ShardStarted(SHARDS[number]), BytesReceived(SHARDS[number], 1))
        seen.hear(number * 600.0 + 100, ShardFinished(saved(SHARDS[number])))
        assert seen.cause(number * 600.0 + 300) == ""
    assert seen.watch.last_saved == SHARDS[59]


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("DriveGone", "drive-gone"), ("DiskFull", "disk-full"), ("SessionTaken", "session-taken"),
        ("NotConnected", "not-connected"), ("TerminalUnavailable", "terminal-absent"), ("Restarting", "restarting"),
    ],
)  # fmt: skip
def test_every_pause_is_an_incident(cause: str, told: str) -> None:
    """Also one before the run has begun; it is over when the pause is."""
    watch = Watch(SETTINGS, days_left=lambda: 0)
    watch.hear(Paused(cause, "what", "hint", "looks again", 60.0), 10.0)
    matter = watch.matter(10.0)
    assert matter is not None
    assert (matter.cause, matter.stuck, matter.what) == (told, True, "what")
    assert (matter.next, matter.due) == ("looks again", 70.0)
    assert matter.you
    watch.hear(Resumed(cause, 5.0), 15.0)
    assert watch.matter(15.0) is None


def test_a_taken_session_names_the_suspects_or_says_that_there_are_none_here() -> None:
    """Three at most: the block has to fit on a screen."""
    seen = Seen(Paused("SessionTaken", "taken", suspects=tuple(f"pid {number}" for number in range(9))))
    assert [line for line in seen.matter(0.0).you if "pid" in line] == [f"on this machine: pid {n}" for n in range(3)]
    alone = Seen(Paused("SessionTaken", "taken")).matter(0.0)
    assert "nothing on this machine looks like one: look at your other machines" in alone.you
    assert any("Python library" in line for line in alone.you)


def test_the_breaker_says_whether_anybody_is_there() -> None:
    """It is one incident from the first opening until it is closed, whatever it probes meanwhile."""
    seen = Seen(BreakerChanged("open", "connection refused", 8.0, absent=True))
    assert (seen.cause(1.0), seen.matter(1.0).due) == ("terminal-absent", 8.0)
    seen.hear(9.0, BreakerChanged("probing", "connection refused", 8.0, absent=True))
    assert seen.cause(9.0) == "terminal-absent"
    seen.hear(10.0, BreakerChanged("open", "HTTP 500: oops", 16.0))
    assert (seen.cause(10.0), seen.matter(10.0).what) == ("answers-bad", "every request fails: HTTP 500: oops")
    seen.hear(20.0, BreakerChanged("closed", "", 0.0))
    assert seen.cause(20.0) == ""


@pytest.mark.parametrize("ends", [failed, refused])
def test_days_that_end_alike_are_told_at_the_fifth(ends: object) -> None:
    """Incident 2: every contract was refused with the same error, for an hour, and nobody was told."""
    seen = Seen()
    for number in range(4):
        seen.hear(10.0 * number, ends(number))  # type: ignore[operator]
        assert seen.cause(10.0 * number) == ""
    seen.hear(50.0, ends(4))  # type: ignore[operator]
    assert seen.cause(50.0) == "days-fail-alike"
    seen.hear(60.0, ShardFinished(saved(SHARDS[9])))
    assert seen.cause(60.0) == ""


@pytest.mark.parametrize(
    ("end", "coming", "never"),
    [
        (failed, "goes on with the other days", "asks again"),
        (lambda number: failed(number, "cut"), "asks again at the end", "account"),
        (refused, "asks small questions: is it these days, or the account?", "asks again"),
    ],
    ids=["incomplete", "cut", "refused"],
)
def test_days_that_end_alike_say_what_really_comes_next(end: object, coming: str, never: str) -> None:
    """Lacking answers are not asked for again, nor are refusals; and these are for the account's owner, not for us."""
    matter = Seen(*(end(number) for number in range(5))).matter(0.0)  # type: ignore[operator]
    assert coming in matter.next
    assert never not in matter.next
    assert ("report it" in matter.you[0]) == (end is not refused)


def test_days_that_fail_in_different_ways_are_not_alike() -> None:
    """And a day without data is no failure."""
    seen = Seen()
    for number in range(20):
        seen.hear(1.0, failed(number, "cut" if number % 2 else "day"))
    assert seen.cause(1.0) == ""
    for number in range(4):
        seen.hear(2.0, failed(number))
    seen.hear(2.0, ShardFinished(Empty(SHARDS[30], ASKED)), failed(5))
    assert seen.cause(2.0) == ""


def test_silence_is_told_long_before_a_request_times_out() -> None:
    """Incident 3: a first byte may take fifteen minutes until it is given up; a person hears after four."""
    seen = Seen()
    seen.hear(100.0, ShardStarted(SHARDS[0]), ShardStarted(SHARDS[1]))
    assert seen.cause(339.0) == ""
    assert seen.cause(341.0) == "no-byte"
    seen.hear(350.0, BytesReceived(SHARDS[0], 10))
    assert seen.cause(351.0) == ""
    seen.hear(360.0, *(AttemptFailed(SHARDS[number], 1, "cut", "cut", 1.0, last=False) for number in (0, 1)))
    assert seen.cause(800.0) == ""


def test_no_day_saved_for_a_quarter_of_an_hour_is_an_incident_while_days_are_wanted() -> None:
    """Though bytes come, and days without data too; a pause does not count."""
    seen = Seen()
    seen.hear(800.0, ShardFinished(Empty(SHARDS[0], ASKED)))
    assert seen.cause(899.0) == ""
    assert (seen.cause(900.0), seen.matter(900.0).stuck) == ("no-day-saved", False)
    seen.left = 0
    assert seen.cause(900.0) == ""
    seen.left = 1
    seen.hear(1_000.0, Paused("DriveGone", "gone"))
    seen.hear(5_000.0, Resumed("DriveGone", 4_000.0))
    assert seen.cause(5_800.0) == ""
    assert seen.cause(5_900.0) == "no-day-saved"


def test_slow_answers_are_told_with_their_numbers() -> None:
    """What comes next depends on whether we may restart it."""
    slowed = Slowed(1_000_000.0, 12_000_000.0, 4.0, 0.3)
    for managed, coming in ((False, "goes on, slowly"), (True, "restarts the Terminal between two days")):
        matter = Seen(slowed, managed=managed).matter(1.0)
        assert (matter.cause, matter.stuck, matter.next) == ("slow", False, coming)
        assert "1.00 MB/s, and it was 12.00" in matter.what
    seen = Seen(slowed, Slowed(12e6, 12e6, 0.3, 0.3, over=True))
    assert seen.cause(1.0) == ""


def test_what_is_weightier_is_told() -> None:
    """A pause before an outage, an outage before the rest."""
    seen = Seen(Slowed(1.0, 9.0, 9.0, 1.0))
    assert seen.cause(1_000.0) == "no-day-saved"
    seen.hear(1_000.0, *(failed(number) for number in range(5)))
    assert seen.cause(1_000.0) == "days-fail-alike"
    seen.hear(1_000.0, BreakerChanged("open", "refused", 8.0))
    assert seen.cause(1_000.0) == "answers-bad"
    seen.hear(1_000.0, Paused("DiskFull", "full"))
    assert seen.cause(1_000.0) == "disk-full"


def test_a_run_that_has_not_begun_or_is_over_has_nothing_the_matter() -> None:
    """What it does not do, it need not do."""
    watch = Watch(SETTINGS, days_left=lambda: 9)
    assert watch.matter(10_000.0) is None
    for end in (Stopping("SIGINT", 0), RunFinished(0, (), {})):
        seen = Seen(end)
        assert seen.cause(10_000.0) == ""


def test_events_that_say_nothing_about_health_change_nothing() -> None:
    """A chunk is reached."""
    seen = Seen(ChunkReached(QQQ, 1, 2, DAYS[0], DAYS[9]))
    assert seen.cause(10.0) == ""

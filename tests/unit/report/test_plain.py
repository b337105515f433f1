"""Plain lines: what a pipe, a log or a dumb terminal gets."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO, StringIO, TextIOWrapper

from tests.unit.report.events_of_a_run import STATUS_ROW, failed, run_started, saved, shard
from thetabulk.events import (
    AttemptFailed,
    BytesReceived,
    ChunkReached,
    DriveBusy,
    Event,
    Incident,
    LimitChanged,
    Notice,
    RunFinished,
    ShardFinished,
)
from thetabulk.report.plain import PlainScreen


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def told(events: Iterable[tuple[float, Event]], *, quiet: bool = False, verbose: bool = False) -> list[str]:
    """The lines written for these events, each at its second."""
    clock, stream = Clock(), StringIO()
    with PlainScreen(stream, clock, opening="download QQQ", quiet=quiet, verbose=verbose) as screen:
        for at, event in events:
            clock.seconds = at
            screen.emit(event)
    return stream.getvalue().splitlines()


RUN: list[tuple[float, Event]] = [
    (0.1, run_started(source="simulator")),
    (0.2, ChunkReached(shard(0).collection, 1, 2, shard(0).day, shard(49).day)),
    (1.0, BytesReceived(shard(0), 40_000_000)),
    (2.0, ShardFinished(saved(0))),
    (3.0, AttemptFailed(shard(1), 1, "cut", "the connection was cut", 2.0, last=False)),
    (4.0, LimitChanged(6, "goodput rose")),
    (5.0, ShardFinished(failed(1))),
    (12.0, BytesReceived(shard(2), 40_000_000)),
    (13.0, Notice("the drive is slow", "warning")),
    (20.0, RunFinished(3, (STATUS_ROW,), {})),
]


def test_a_slow_drive_is_blamed_beside_the_speed() -> None:
    """Once in a sentence, and in every line of progress until it is over."""
    run = [*RUN[:-1], (14.0, DriveBusy(0.93)), (30.0, Notice("a")), (31.0, DriveBusy(0.1, over=True))]
    lines = told([*run, (50.0, Notice("b")), RUN[-1]])
    assert "the drive is what we wait for, not the line: it is busy 93 % of the time" in lines
    progress = [line for line in lines if line.startswith("[")]
    assert [line.endswith(", the drive is the brake") for line in progress] == [False, False, True, False]
    assert "the drive keeps up again" in lines


def test_a_run_is_told_line_by_line() -> None:
    """Who and what once, then what is notable, and every ten seconds how far it is."""
    lines = told(RUN)
    assert lines[:10] == [
        "download QQQ …",
        "SIMULATED: no real market data",
        "download QQQ option/quote/1m · 2016-08-04 … 2024-08-02",
        "store /Volumes/T7/options · keeping this machine awake",
        "tier standard (assumed) · workers 3–12 (account allows 4)",
        "100 of 112 days to do, 12 done before",
        "chunk 1/2 · 2024-08 … 2024-06",
        "[0 s] 0 of 100 days (0 %) · 0 B/s",
        "QQQ 2024-08-01 failed (stalled): no byte for 180 s",
        "[12 s] 1 of 100 days (1 %) · 1 saved · 1 failed · 6.72 MB/s",
    ]
    assert lines[10] == "the drive is slow"
    assert lines[12] == "finished, but days failed (exit code 3)"


def test_nothing_in_it_steers_a_terminal() -> None:
    """No control codes, even if a message from elsewhere brings some."""
    lines = told([(0.0, Notice("\x1b[31mred\x07 alert\r"))])
    assert lines == ["download QQQ …", " [31mred  alert"]


def test_progress_comes_at_most_every_ten_seconds() -> None:
    """A hundred thousand events make no hundred thousand lines."""
    events: list[tuple[float, Event]] = [(0.0, run_started())]
    events += [(index / 100, BytesReceived(shard(0), 1_000)) for index in range(10_000)]
    progress = [line for line in told(events) if line.startswith("[")]
    assert len(progress) == 9


def test_verbose_tells_the_details_too() -> None:
    """Attempts and limits."""
    more = set(told(RUN, verbose=True)) - set(told(RUN))
    assert more == {
        "QQQ 2024-08-01: attempt 1 failed (the connection was cut), again in 2 s",
        "up to 6 at once now: goodput rose",
    }


def test_quiet_leaves_warnings_and_the_last_word() -> None:
    """What somebody who asked for quiet still wants to know."""
    lines = told(RUN, quiet=True)
    assert lines[:2] == ["QQQ 2024-08-01 failed (stalled): no byte for 180 s", "the drive is slow"]
    assert lines[3] == "finished, but days failed (exit code 3)"


def test_a_run_that_ends_with_an_error_has_no_last_word() -> None:
    """The error is told elsewhere; a summary would look like an end."""
    assert told([(0.0, run_started())])[-1] == "100 of 112 days to do, 12 done before"


def test_a_stream_without_unicode_gets_ascii() -> None:
    """A cron job's locale is no reason to die of an en dash."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="ascii")
    clock: Callable[[], float] = Clock()
    with PlainScreen(stream, clock, opening="download QQQ") as screen:
        screen.emit(run_started())
    stream.flush()
    assert b"workers 3-12 (account allows 4)" in raw.getvalue()


def test_an_incident_is_told_once_and_its_end() -> None:
    """As a block, also to somebody who asked for quiet; looks that find the same are no news."""
    since = datetime(2024, 8, 2, 14, 2, tzinfo=UTC)
    began = Incident("began", "not-connected", True, "no servers", since, 0.0, 9, "looks again", 5.0, ("wait",))
    found_again = replace(began, state="changed", next_s=10.0, lasted_s=5.0)
    other = replace(began, state="changed", cause="session-taken", what="UNVERIFIED", lasted_s=15.0)
    ended = replace(other, state="ended", lasted_s=60.0, next="", you=())
    for quiet in (False, True):
        lines = told([(1.0, began), (6.0, found_again), (16.0, other), (61.0, ended)], quiet=quiet)
        assert lines[not quiet :] == [
            f"STUCK since {since.astimezone():%H:%M}, for 0 s · 9 days wait",
            "what  no servers",
            "next  in 5 s: looks again",
            "you   wait",
            f"STUCK since {since.astimezone():%H:%M}, for 15 s · 9 days wait",
            "what  UNVERIFIED",
            "next  in 5 s: looks again",
            "you   wait",
            "over after 1 min 0 s: UNVERIFIED",
        ]

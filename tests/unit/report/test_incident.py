"""An incident's block: what a person reads who comes by."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.events import Incident
from thetabulk.report.incident import block, over

SINCE = datetime(2025, 12, 11, 19, 51, tzinfo=UTC)
TAKEN = Incident(
    "began", "session-taken", True,
    "the session was taken over (HTTP 478: Invalid session ID. This can occur if more than one terminal is running.)",
    SINCE, 0.0, 1204, "one small request, and none before; goes on by itself", 600.0,
    ("stop the other login of this account", "on this machine: pid 4242, since 2025-12-07 08:00 UTC: java -jar T.jar"),
)  # fmt: skip


def test_everything_is_in_one_block() -> None:
    """What, since when, how many days, what comes next and when, and what to do."""
    assert block(TAKEN, 80, told_s=123.0) == [
        f"STUCK since {SINCE.astimezone():%H:%M}, for 2 min 3 s · 1,204 days wait",
        "what  the session was taken over (HTTP 478: Invalid session ID. This can occur",
        "      if more than one terminal is running.)",
        "next  in 7 min 57 s: one small request, and none before; goes on by itself",
        "you   stop the other login of this account",
        "      on this machine: pid 4242, since 2025-12-07 08:00 UTC: java -jar T.jar",
    ]


def test_what_limps_is_not_called_stuck() -> None:
    """And without a time for what comes next, or days that wait, none is made up."""
    slow = replace(TAKEN, stuck=False, what="slow", days_left=0, next="goes on", next_s=0.0, you=())
    assert block(slow, 80) == [f"SLOW since {SINCE.astimezone():%H:%M}, for 0 s", "what  slow", "next  goes on"]


def test_the_end_is_one_line() -> None:
    """With how long it was."""
    ended = replace(TAKEN, state="ended", what="the drive is not there", lasted_s=725.0)
    assert over(ended) == "over after 12 min 5 s: the drive is not there"


def test_what_is_not_over_is_not_called_so() -> None:
    """Ctrl-C while the drive is away."""
    stopped = replace(TAKEN, state="stopped", what="the drive is not there", lasted_s=8.0)
    assert over(stopped) == "stopped after 8 s; still: the drive is not there"


@given(st.integers(60, 200), st.text(max_size=2_000), st.lists(st.text(max_size=500), max_size=20))
def test_no_words_from_elsewhere_break_the_block(width: int, what: str, you: list[str]) -> None:
    """At most 24 lines, none too wide, none that steers the terminal."""
    lines = block(replace(TAKEN, what=what, next=what, you=tuple(you)), width)
    assert len(lines) <= 1 + 3 + 3 + 5 * 3
    assert max(map(len, lines)) <= width
    assert all(line.isprintable() for line in lines)

"""The progress of a check: now and then a line, or one line drawn again and again."""

import io

from thetabulk.report.checking import Checking, sentence


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(*, live: bool = False, quiet: bool = False, every_s: float = 4.0) -> str:
    """What a check of five files writes, one every four seconds."""
    stream, clock = io.StringIO(), Clock()
    with Checking(stream, clock, live=live, quiet=quiet) as checking:
        for file in range(6):
            checking.tell(file, 5, file * 10**9, 5 * 10**9)
            clock.now += every_s
    return stream.getvalue()


def test_a_log_gets_a_line_every_ten_seconds() -> None:
    """With what is done, how fast, and how long it will still take; no control codes."""
    assert told() == "3 of 5 files · 3.00 GB of 5.00 GB · 250 MB/s · 6–11 s left\n"


def test_a_terminal_gets_one_line_that_is_gone_at_the_end() -> None:
    """Drawn over itself, never wider than 79 columns."""
    drawn = told(live=True)
    assert drawn.endswith("\r\x1b[K")
    assert "\n" not in drawn
    assert max(map(len, drawn.split("\r\x1b[K"))) < 80


def test_quiet_is_quiet() -> None:
    """Nothing at all, and nothing for a check that is over at once."""
    assert told(quiet=True) == ""
    assert told(quiet=True, live=True) == ""
    assert told(every_s=0.1) == ""


def test_nothing_is_foretold_at_the_start() -> None:
    """The first second is no evidence."""
    assert sentence(1, 5, 10, 50, 0.5) == "1 of 5 files · 10 B of 50 B"

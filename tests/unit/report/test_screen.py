"""Which way of telling is taken, and that the live one lives."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import pytest

from tests.unit.report.events_of_a_run import STATUS_ROW, failed, run_started, saved
from thetabulk.config import ScreenConfig
from thetabulk.events import RunFinished, ShardFinished
from thetabulk.report.jsonl import JsonScreen
from thetabulk.report.live import LiveScreen
from thetabulk.report.plain import PlainScreen
from thetabulk.report.screen import choose, open_screen


@pytest.mark.parametrize(
    ("config", "env", "is_terminal", "width", "kind"),
    [
        (ScreenConfig(), {"TERM": "xterm-256color"}, True, 80, "live"),
        (ScreenConfig(), {}, True, 60, "live"),
        (ScreenConfig(), {}, False, 80, "plain"),
        (ScreenConfig(), {}, True, 59, "plain"),
        (ScreenConfig(), {"TERM": "dumb"}, True, 80, "plain"),
        (ScreenConfig(), {"NO_COLOR": "1"}, True, 80, "plain"),
        (ScreenConfig(), {"NO_COLOR": ""}, True, 80, "live"),
        (ScreenConfig(quiet=True), {}, True, 80, "plain"),
        (ScreenConfig(json=True), {}, True, 80, "json"),
        (ScreenConfig(json=True, quiet=True), {}, False, 80, "json"),
    ],
)
def test_the_screen_fits_who_is_looking(
    config: ScreenConfig, env: dict[str, str], is_terminal: bool, width: int, kind: str
) -> None:
    """Control codes go only to a terminal that is wide, not dumb, and wants them."""
    assert choose(config, env, is_terminal=is_terminal, width=width) == kind


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def opened(config: ScreenConfig, stderr: StringIO) -> object:
    """A screen for these settings."""
    now: Callable[[], float] = lambda: 0.0  # noqa: E731 - a clock that stands still
    return open_screen(
        config,
        {},
        opening="download QQQ",
        stdout=StringIO(),
        stderr=stderr,
        now=now,
        clock=lambda: datetime(2024, 8, 3, tzinfo=UTC),
    )


def test_each_kind_is_opened() -> None:
    """A terminal, a pipe, a program."""
    assert isinstance(opened(ScreenConfig(), Terminal()), LiveScreen)
    assert isinstance(opened(ScreenConfig(), StringIO()), PlainScreen)
    assert isinstance(opened(ScreenConfig(json=True), Terminal()), JsonScreen)


def test_the_live_screen_draws_at_once_and_ends_with_the_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is there before the first event; a failure stays readable; at the end only the summary is left."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with LiveScreen(stream, lambda: 0.0, opening="download QQQ") as screen:
        assert "download QQQ …" in stream.getvalue()
        screen.emit(run_started())
        screen.emit(ShardFinished(saved(0)))
        screen.emit(ShardFinished(failed(1)))
        screen.emit(RunFinished(3, (STATUS_ROW,), {}))
        assert "1 saved · 1 failed" in stream.getvalue()
    assert "\x1b[33mQQQ 2024-08-01 failed (stalled): no byte for 180 s\x1b[0m\n" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("`thetabulk status --gaps` tells which and why")

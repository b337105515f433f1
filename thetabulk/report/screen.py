"""Which way of telling fits: a live screen, plain lines, or JSON."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TextIO

from thetabulk.config import ScreenConfig
from thetabulk.events import Event

_NARROW = 60


class Screen(Protocol):
    """Enter it as early as possible, send it every event, and leave it to have the last word told."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def emit(self, event: Event) -> None: ...


def choose(config: ScreenConfig, env: Mapping[str, str], *, is_terminal: bool, width: int) -> str:
    """`json`, `live` or `plain`: control codes go only to a terminal that is wide, not dumb, and wants them."""
    if config.json:
        return "json"
    plain = (
        config.quiet
        or not is_terminal
        or width < _NARROW
        or bool(env.get("NO_COLOR"))
        or env.get("TERM", "").lower() in ("dumb", "unknown")
    )
    return "plain" if plain else "live"


def open_screen(
    config: ScreenConfig,
    env: Mapping[str, str],
    *,
    opening: str,
    stdout: TextIO,
    stderr: TextIO,
    now: Callable[[], float],
    clock: Callable[[], datetime],
) -> Screen:
    """A screen that is not yet entered. JSON goes to `stdout`, everything for people to `stderr`.

    `opening` is said until the first event, `now` is a monotonic clock in seconds, `clock` the time in UTC.
    """
    width = _width(stderr)
    kind = choose(config, env, is_terminal=stderr.isatty(), width=width)
    if kind == "json":
        from thetabulk.report.jsonl import JsonScreen

        return JsonScreen(stdout, clock)
    if kind == "plain":
        from thetabulk.report.plain import PlainScreen

        return PlainScreen(
            stderr, now, opening=opening, quiet=config.quiet, verbose=config.verbose, width=min(80, width)
        )
    from thetabulk.report.live import LiveScreen

    return LiveScreen(stderr, now, opening=opening, refresh_per_s=config.refresh_per_s)


def _width(stream: TextIO) -> int:
    with suppress(OSError, ValueError):  # not a terminal, or not even a file
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80

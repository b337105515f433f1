"""Bugs on purpose, each with a name, put into a child process before it runs: a harness that never goes red proves
nothing. The package itself is never touched."""
from collections.abc import Callable

BUGS: dict[str, Callable[[], None]] = {}


def plant(name: str) -> None:
    BUGS[name]()

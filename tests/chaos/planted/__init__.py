"""Bugs on purpose, each with a name: a harness that never goes red proves nothing.

They are put into a child process before its command runs (`child.Order.bugs`); the package itself is never touched.
`tests/chaos/test_planted.py` says which test has to see which.
"""

from collections.abc import Callable
from unittest.mock import patch

Bug = Callable[[], None]
BUGS: dict[str, Bug] = {}


def bug(plant: Bug) -> Bug:
    """Makes the function's name the bug's; calling it plants the bug into this process."""
    BUGS[plant.__name__] = plant
    return plant


def put(target: str, value: object) -> None:
    """Replaces what has this dotted name, for as long as the process lives."""
    patch(target, value).start()


def plant(name: str) -> None:
    from tests.chaos.planted import drive, memory  # noqa: F401 - they fill BUGS

    BUGS[name]()

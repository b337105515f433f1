"""Keeps this machine awake while a download runs."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_awake(wanted: bool) -> Iterator[bool]:
    """Whether the system agreed. Never an error: a server has nobody to ask."""
    if not wanted:
        yield False
        return
    from wakepy import keep

    with keep.running(on_fail="pass") as mode:
        yield bool(mode.active)

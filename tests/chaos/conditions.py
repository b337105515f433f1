"""Surroundings for a child process: smaller scales and fewer threads, so that a sweep is short and complete.

None of these is a bug, and none changes what is promised.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from tests.chaos.planted import put


def one_thread() -> None:
    """What blocks, runs in the loop's own thread: strace counts calls for each thread, and so none is missed."""

    def here(loop: Any, _: object, work: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        done: asyncio.Future[Any] = loop.create_future()
        try:
            done.set_result(work(*args))
        except Exception as error:  # noqa: BLE001 - it is handed to whoever awaits it
            done.set_exception(error)
        return done

    put("asyncio.BaseEventLoop.run_in_executor", here)


def small_blocks() -> None:
    """A file of some kilobytes is written in several pieces, as one of many megabytes is."""
    put("thetabulk.store.disk.BLOCK_BYTES", 4_096)
    put("thetabulk.store.part.BLOCK_BYTES", 4_096)


def early_compaction() -> None:
    """A ledger of a few lines is compacted as one of a thousand is."""
    put("thetabulk.ledger.journal.COMPACT_LINES", 4)


def one_identity() -> None:
    """Every store made has the same name, so that the lock's file has, too."""
    put("thetabulk.assembly.clock.new_id", lambda: "00000000-0000-4000-8000-000000000000")


def one_moment() -> None:
    """The clock stands still, so that what is named after the time has the same name every time."""
    put("thetabulk.assembly.clock.now", lambda: datetime(2025, 1, 6, 12, tzinfo=UTC))


class _Unlisted(AbstractContextManager["_Unlisted"], Iterator["os.DirEntry[str]"]):
    """What `os.scandir` gives, without the days' files."""

    def __init__(self, entries: Any) -> None:
        self._entries = entries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._entries.close()

    def __next__(self) -> "os.DirEntry[str]":
        while (entry := next(self._entries)).name.endswith(".parquet"):
            pass
        return entry  # type: ignore[no-any-return]


def days_are_not_listed() -> None:
    """No folder lists the days' files, though each is there for whoever knows its name: macOS on exFAT has been seen
    to leave entries out."""
    listdir, scandir = os.listdir, os.scandir
    put("os.listdir", lambda path=".": [name for name in listdir(path) if not name.endswith(".parquet")])
    put("os.scandir", lambda path=".": _Unlisted(scandir(path)))


_ALL: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (one_thread, one_identity, one_moment, small_blocks, early_compaction, days_are_not_listed)
}


def apply(name: str) -> None:
    _ALL[name]()

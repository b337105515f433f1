"""One run at a time for a store: a lock of the operating system here, and one on the drive for other machines.

The system drops them with the process that held them, so a dead owner needs no detective work: nothing is ever decided
by age or by a process number. What is written beside the lock is for the message only.
"""

import errno
import json
import os
import platform
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from thetabulk.errors import StoreBusy
from thetabulk.ledger.disk import Disk
from thetabulk.ledger.record import time_text

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL, errno.ENOTTY}


class Lock:
    """Held from `acquire` (or `with`) to `release`. `directory` is the store's `.thetabulk`, `state` a local folder.

    `notes` says if the drive's file system knows no locks: then only runs on this machine are kept apart.
    """

    def __init__(self, directory: Path, *, state: Path, store: str, since: datetime, disk: Disk) -> None:
        self.notes: list[str] = []
        self._state, self._disk, self._since = state, disk, since
        self._places = (state / f"{store}.lock", directory / "lock")
        self._held: list[tuple[Path, FileLock]] = []

    def acquire(self) -> Self:
        """StoreBusy (exit 9), naming who holds the store; the drive's errors as ours."""
        with self._disk.translated(self._state):
            self._state.mkdir(parents=True, exist_ok=True)
        try:
            for place in self._places:
                with self._disk.translated(place):
                    self._take(place)
        except BaseException:
            self.release()
            raise
        return self

    def release(self) -> None:
        """Never fails: a drive that is gone has let go of its lock by itself."""
        while self._held:
            place, lock = self._held.pop()
            with suppress(OSError):
                _owner_file(place).unlink(missing_ok=True)
            with suppress(OSError):
                lock.release()

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, place: Path) -> None:
        lock = FileLock(place, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout as busy:
            raise StoreBusy(
                f"{_owner(place)} is working on this store", hint="wait for it, or stop it; `thetabulk status` may run"
            ) from busy
        except NotImplementedError:
            self._go_without(place)
        except OSError as error:
            if error.errno not in _NO_LOCKS or place == self._places[0]:
                raise
            self._go_without(place)
        else:
            self._held.append((place, lock))
            self._sign(place)

    def _go_without(self, place: Path) -> None:
        self.notes.append(f"the file system of {place.parent} keeps no locks: do not use the store from two machines")

    def _sign(self, place: Path) -> None:
        """Beside the lock, not in it: Windows lets nobody read a locked file."""
        owner = {"pid": os.getpid(), "host": platform.node(), "since": time_text(self._since)}
        with suppress(OSError):
            _owner_file(place).write_text(f"{json.dumps(owner)}\n", encoding="utf-8")


def keeps_locks(file: Path) -> bool:
    """Whether a second lock on this file, which is made, is refused while the first one is held. Never raises."""
    first, second = FileLock(file), FileLock(file)
    try:
        with first.acquire(blocking=False):
            try:
                second.acquire(blocking=False)
            except Timeout:
                return True
            second.release()
    except (OSError, NotImplementedError):
        pass
    return False


def _owner_file(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _owner(place: Path) -> str:
    try:
        owner = json.loads(_owner_file(place).read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"

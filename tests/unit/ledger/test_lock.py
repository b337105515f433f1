import errno
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.unit.ledger.days import NOON
from tests.unit.store.faulty_os import plain_disk
from thetabulk.errors import NotPermitted, StoreBusy
from thetabulk.ledger import lock as module
from thetabulk.ledger.lock import Lock, keeps_locks


def lock_of(tmp_path: Path, *, state: str = "state", drive: str = "drive", store: str = "aaaa-1") -> Lock:
    (tmp_path / drive).mkdir(exist_ok=True)
    return Lock(tmp_path / drive, state=tmp_path / state, store=store, since=NOON, disk=plain_disk())


def test_a_second_run_is_told_who_holds_the_store(tmp_path: Path) -> None:
    """With the exit code for it."""
    with lock_of(tmp_path):
        with pytest.raises(StoreBusy) as caught:
            lock_of(tmp_path).acquire()
    assert caught.value.exit_code == 9
    assert f"process {os.getpid()} on " in caught.value.what
    assert "2026-11-20T12:00:00Z" in caught.value.what


def test_the_store_is_free_again_afterwards(tmp_path: Path) -> None:
    """Released, or left by an error."""
    with lock_of(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), lock_of(tmp_path):
        raise ZeroDivisionError
    held = lock_of(tmp_path).acquire()
    held.release()
    held.release()
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("other", [{"state": "another machine"}, {"drive": "the drive under another path"}])
def test_the_lock_on_the_drive_and_the_one_on_the_machine_each_suffice(tmp_path: Path, other: dict[str, str]) -> None:
    """A drive shared by two machines, or mounted at two places of one."""
    with lock_of(tmp_path):
        with pytest.raises(StoreBusy):
            lock_of(tmp_path, **other).acquire()
    lock_of(tmp_path, **other).acquire().release()


def test_two_stores_do_not_meet(tmp_path: Path) -> None:
    """Each has its own identity."""
    with lock_of(tmp_path), lock_of(tmp_path, drive="second", store="bbbb-2"):
        pass


def hold_and_die(tmp_path: Path) -> None:
    lock_of(tmp_path).acquire()
    os._exit(9)


def test_a_dead_owner_is_taken_over_at_once(tmp_path: Path) -> None:
    """What it wrote beside the lock is still there, with a process number that may be anybody's by now."""
    process = multiprocessing.get_context("spawn").Process(target=hold_and_die, args=(tmp_path,))
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert (tmp_path / "drive" / "lock.json").exists()
    with lock_of(tmp_path) as lock:
        assert lock.notes == []


def test_an_owner_that_cannot_be_read_is_still_an_owner(tmp_path: Path) -> None:
    """The text is for the message only."""
    with lock_of(tmp_path):
        for path in tmp_path.rglob("*.json"):
            path.write_text("[")
        with pytest.raises(StoreBusy, match="another run"):
            lock_of(tmp_path).acquire()


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> Iterator[None]:
    class Refusing(FileLock):
        def acquire(self, *arguments: Any, **options: Any) -> Any:
            if Path(self.lock_file).name == name:
                raise error
            return super().acquire(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, "FileLock", Refusing)
        yield


@pytest.mark.parametrize("error", [OSError(errno.ENOTSUP, "no locks"), NotImplementedError()])
def test_a_drive_without_locks_is_used_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Some network and user-space file systems have none; the one on the machine still holds."""
    with refusing(monkeypatch, "lock", error), lock_of(tmp_path) as lock:
        assert "no locks" in lock.notes[0]
        with pytest.raises(StoreBusy):
            lock_of(tmp_path).acquire()


def test_a_read_only_drive_says_so_and_lets_go_of_the_machines_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a lock is none."""
    with refusing(monkeypatch, "lock", OSError(errno.EROFS, "read-only")), pytest.raises(NotPermitted):
        lock_of(tmp_path).acquire()
    with lock_of(tmp_path):
        pass


def test_a_file_system_is_seen_to_keep_locks_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second lock is refused here; where the system knows none, or admits both, there are none."""
    assert keeps_locks(tmp_path / "lock")

    class Lax(FileLock):
        def _acquire(self) -> None:
            self._context.lock_file_fd = os.open(self.lock_file, os.O_RDWR | os.O_CREAT)

    class Without(FileLock):
        def _acquire(self) -> None:
            raise OSError(errno.ENOTSUP, "not supported")

    for kind in (Lax, Without):
        monkeypatch.setattr(module, "FileLock", kind)
        assert not keeps_locks(tmp_path / kind.__name__)

"""How long a drive keeps us waiting: whoever waits, and however many at once."""

import os
import threading
from pathlib import Path

import pytest

from thetabulk.store.busy import BusyCalls
from thetabulk.store.disk import Disk


class SlowCalls:
    """A drive whose flush takes three seconds of the test's own clock."""

    def __init__(self) -> None:
        self.now = 100.0

    def fsync(self, descriptor: int) -> None:
        self.now += 3.0
        os.fsync(descriptor)

    def fails(self) -> None:
        self.now += 2.0
        raise OSError("no")

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)


def test_a_flush_counts_and_a_look_at_the_folder_does_not(tmp_path: Path) -> None:
    """Waiting is what the medium takes; the rest is as before."""
    slow = SlowCalls()
    disk = Disk(sleep=lambda _: None, monotonic=lambda: slow.now, calls=slow)
    disk.write_new(tmp_path / "file", b"content")
    assert disk.busy_s() == 3.0
    slow.now += 50
    assert disk.stat(tmp_path / "file").st_size == 7
    assert disk.busy_s() == 3.0
    assert Disk(sleep=lambda _: None).busy_s() == 0.0


def test_an_error_ends_the_wait_too() -> None:
    slow = SlowCalls()
    busy = BusyCalls(lambda: slow.now, slow)
    with pytest.raises(OSError, match="no"):
        busy.timed(slow.fails)()
    slow.now += 50
    assert busy.busy_s() == 2.0


def test_two_that_wait_at_once_wait_once_and_a_wait_that_lasts_is_seen() -> None:
    """It is the drive that is busy, not the threads."""
    now, inside, go = [0.0], threading.Barrier(3), threading.Event()
    busy = BusyCalls(lambda: now[0])

    def call() -> None:
        inside.wait(5)
        go.wait(5)

    threads = [threading.Thread(target=busy.timed(call)) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    now[0] = 4.0
    assert busy.busy_s() == 4.0
    go.set()
    for thread in threads:
        thread.join()
    now[0] = 9.0
    assert busy.busy_s() == 4.0

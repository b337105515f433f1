"""Who supervises, and what is written down about it."""

import os
import sys
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from thetabulk.errors import NotPermitted
from thetabulk.terminal import keeper
from thetabulk.terminal.ownership import Mark, Record, is_ours, mark, read_record, write_record


def test_one_at_a_time(tmp_path: Path) -> None:
    """And the next one when the first has ended."""
    lock = tmp_path / "state" / "25503.lock"
    assert not keeper.is_taken(lock)
    with keeper.turn(lock) as ours:
        assert ours
        assert keeper.is_taken(lock)
        with keeper.turn(lock, patience_s=0.0) as second:
            assert not second
    assert not keeper.is_taken(lock)


def test_who_only_looks_keeps_nobody_from_its_turn(tmp_path: Path) -> None:
    """`terminal status` takes the turn for a moment; a run that begins then shall not go without its Terminal."""
    lock = tmp_path / "25503.lock"
    looks, wanted = Event(), Event()

    def look() -> None:
        with keeper.turn(lock):
            looks.set()
            wanted.wait(20)

    other = Thread(target=look)
    other.start()
    assert looks.wait(20)
    Timer(0.1, wanted.set).start()  # the one below waits by then
    with keeper.turn(lock) as ours:
        assert ours
        assert wanted.is_set()
    other.join()


def test_a_state_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Exit code 6 and the path; no traceback."""
    (tmp_path / "state").write_text("a file, where a folder should be")
    path = tmp_path / "state" / "terminal" / "25503.json"
    with pytest.raises(NotPermitted, match=r"25503\.json cannot be written"):
        write_record(path, Record(Mark(1, 0.0, "token")))
    with pytest.raises(NotPermitted, match=r"25503\.lock cannot be written"), keeper.turn(path.with_suffix(".lock")):
        pass
    with pytest.raises(NotPermitted, match=r"25503\.log cannot be written"):
        keeper.spawn(["true"], {}, "token", path.parent, path.with_suffix(".log"), 1_000)
    assert read_record(path) == Record()


def test_a_process_that_is_gone_is_nobody(tmp_path: Path) -> None:
    """It ended before it could be looked at: its mark fits no process, now or later."""
    child = os.posix_spawn("/bin/true", ["true"], {}) if hasattr(os, "posix_spawn") else 0
    os.waitpid(child, 0)
    gone = mark(child, "token")
    assert gone == Mark(child, 0.0, "token")
    assert not is_ours(gone)


def test_a_second_supervisor_adds_to_the_log_of_the_first(tmp_path: Path) -> None:
    """Two starts at once: nothing that the first has said is lost; a log that is long is put aside."""
    log = tmp_path / "supervisor.log"
    for word in ("first", "second", "third"):
        words = [sys.executable, "-c", f"print({word!r}, flush=True)"]
        assert keeper.spawn(words, dict(os.environ), "canary", tmp_path, log, log_bytes=10).wait(20) == 0
    assert log.read_text() == "third\n"
    assert (tmp_path / "supervisor.log.1").read_text() == "first\nsecond\n"

"""A drive is asked what it can do, by doing it."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thetabulk.store.disk import Disk
from thetabulk.store.drive_test import Means, examine_drive

pytestmark = pytest.mark.skipif(os.name != "posix", reason="played with the calls of POSIX systems")


def means(bytes_at_most: int = 2 << 20, now: Callable[[], float] = time.monotonic) -> Means:
    return Means(bytes_at_most, 1.0, now, lambda _: True)


class Calls:
    """`os` with some calls replaced."""

    def __init__(self, **replaced: Callable[..., Any]) -> None:
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(os, name)


def disk(**replaced: Callable[..., Any]) -> Disk:
    return Disk(sleep=lambda _: None, calls=Calls(**replaced), platform="linux")


def refusing(number: int) -> Callable[..., Any]:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_good_drive_can_do_everything(tmp_path: Path) -> None:
    """This one, and it is left as it was."""
    found = examine_drive(tmp_path / "trial", disk(), means())
    assert (found.sync, found.folder_sync, found.intact, found.replaces, found.locks) == (
        "full", "full", True, True, True,
    )  # fmt: skip
    assert (found.modes, found.case, found.odd_names, found.twins) == (True, True, True, False)
    assert found.written_per_s > 0 < found.read_per_s
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_byte_is_seen(tmp_path: Path) -> None:
    """What comes back from the medium is compared with what was written."""

    def flipped(descriptor: int, size: int) -> bytes:
        block = bytearray(os.read(descriptor, size))
        if len(block) > 1_000:
            block[500] ^= 1
        return bytes(block)

    assert not examine_drive(tmp_path / "trial", disk(read=flipped), means()).intact


def test_a_flush_that_is_not_known_is_degraded(tmp_path: Path) -> None:
    """The call itself is refused: no error, but less of a promise."""
    found = examine_drive(tmp_path / "trial", disk(fsync=refusing(errno.EINVAL)), means())
    assert (found.sync, found.folder_sync, found.intact) == ("degraded", "degraded", True)


@pytest.mark.parametrize(
    ("call", "number"),
    [("fsync", errno.EIO), ("write", errno.ENOSPC), ("replace", errno.EROFS), ("open", errno.EACCES)],
)
def test_what_fails_at_all_is_raised_and_cleaned_up(tmp_path: Path, call: str, number: int) -> None:
    """With the system's own number, which says what it is."""
    with pytest.raises(OSError, match=rf"\[Errno {number}\]"):
        examine_drive(tmp_path / "trial", disk(**{call: refusing(number)}), means())
    assert list(tmp_path.iterdir()) == []


def test_no_more_is_written_than_time_allows(tmp_path: Path) -> None:
    """A slow drive is measured with less."""
    clock = iter([0.0, 0.4, 0.8, 1.2, 1.2, 1.2, 2.2])
    sizes = []

    def write(descriptor: int, content: memoryview) -> int:
        taken = os.write(descriptor, content)
        sizes.append(taken)
        return taken

    found = examine_drive(tmp_path / "trial", disk(write=write), means(1 << 30, lambda: next(clock)))
    assert sum(size for size in sizes if size > 1_000) == 3 << 20
    assert found.written_per_s == pytest.approx((3 << 20) / 1.2)


def test_a_limit_on_the_size_of_files_is_seen(tmp_path: Path) -> None:
    """FAT32 ends at 4 GiB; the trial makes a hole, so that nothing of that size is written."""

    def truncate(descriptor: int, size: int) -> None:
        if size > 4_294_967_295:
            raise OSError(errno.EFBIG, "File too large")
        os.ftruncate(descriptor, size)

    found = examine_drive(tmp_path / "trial", disk(ftruncate=truncate), means())
    if not found.sparse:
        pytest.skip("this file system keeps no holes: large files are not tried")
    assert found.large_files is False
    assert examine_drive(tmp_path / "trial", disk(), means()).large_files is True


def test_nothing_large_is_tried_where_holes_take_room(tmp_path: Path) -> None:
    """exFAT would write out 4 GiB (measured, reliability.md §3)."""
    asked = []

    def truncate(descriptor: int, size: int) -> None:
        asked.append(size)
        os.write(descriptor, b"\0" * size)

    found = examine_drive(tmp_path / "trial", disk(ftruncate=truncate), means())
    assert (found.sparse, found.large_files) == (False, None)
    assert max(asked) < 16 << 20


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Neither used nor removed, if it was not ours."""
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "probe").write_text("somebody's")
    with pytest.raises(OSError, match="exists"):
        examine_drive(tmp_path / "trial", disk(), means())
    assert (tmp_path / "trial" / "probe").read_text() == "somebody's"

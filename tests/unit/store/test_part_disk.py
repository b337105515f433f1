"""The platforms' differences, with fakes in place of macOS and Windows."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.store.faulty_os import FaultyOs, no_sleep, plain_disk
from thetabulk.store.disk import Disk

FULL, BARRIER, NOCACHE = 51, 85, 48


class Control:
    """macOS's fcntl: remembers the commands, refuses those it is told to."""

    def __init__(self, refused: dict[int, int]) -> None:
        self.refused, self.commands = refused, list[int]()

    def __call__(self, descriptor: int, command: int, argument: int) -> None:
        self.commands.append(command)
        if command in self.refused:
            raise OSError(self.refused[command], "refused")


def mac(calls: FaultyOs, **refused: int) -> tuple[Disk, Control]:
    numbers = {"full": FULL, "barrier": BARRIER, "nocache": NOCACHE}
    control = Control({numbers[name]: number for name, number in refused.items()})
    return Disk(sleep=no_sleep, calls=calls, control=control, platform="darwin"), control


def test_the_mac_empties_the_drives_own_cache() -> None:
    """fsync does not do that there, F_FULLFSYNC does (Apple's manual)."""
    calls = FaultyOs()
    disk, control = mac(calls)
    assert disk.sync(0) == "full"
    assert control.commands == [FULL]
    assert calls.calls == []


def test_on_exfat_the_mac_falls_back_step_by_step(tmp_path: Path) -> None:
    """ENOTTY is what exFAT answers there (restic #4016); what is left is called degraded."""
    descriptor = os.open(tmp_path / "x", os.O_CREAT | os.O_WRONLY)
    calls = FaultyOs()
    disk, control = mac(calls, full=errno.ENOTTY)
    assert disk.sync(descriptor) == "degraded"
    assert (control.commands, calls.calls) == ([FULL, BARRIER], [])
    disk, control = mac(calls, full=errno.ENOTTY, barrier=errno.ENOTSUP)
    assert disk.sync_content(descriptor) == "degraded"
    assert control.commands == [FULL, BARRIER]
    assert calls.calls in (["fdatasync"], ["fsync"])
    os.close(descriptor)


@pytest.mark.parametrize("refused", [{"full": errno.EIO}, {"full": errno.ENOTTY, "barrier": errno.EIO}])
def test_a_sync_that_failed_is_never_followed_by_another(refused: dict[str, int]) -> None:
    """After an error the next sync may succeed over lost pages."""
    calls = FaultyOs()
    disk, control = mac(calls, **refused)
    with pytest.raises(OSError, match="refused"):
        disk.sync(0)
    assert len(control.commands) == len(refused)
    assert calls.calls == []


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_sync_is_degraded_not_broken(number: int) -> None:
    """Reading back is then what stands behind the file."""
    disk = Disk(sleep=no_sleep, calls=FaultyOs(at=1, error=OSError(number, "no")), platform="linux")
    assert disk.sync(0) == "degraded"


def test_the_cache_is_past_only_where_that_is_known(tmp_path: Path) -> None:
    """On macOS F_NOCACHE is asked for, and nothing is claimed."""
    (tmp_path / "x").write_bytes(b"abc")
    assert plain_disk().digest(tmp_path / "x")[1:] == (3, hasattr(os, "posix_fadvise"))
    disk, control = mac(FaultyOs())
    assert disk.digest(tmp_path / "x")[1:] == (3, False)
    assert control.commands == [NOCACHE]
    disk, _ = mac(FaultyOs(), nocache=errno.ENOTTY)
    assert disk.digest(tmp_path / "x")[1:] == (3, False)
    refusing = FaultyOs(at=1, named="posix_fadvise", error=OSError(errno.EINVAL, "no"))
    assert Disk(sleep=no_sleep, calls=refusing, platform="linux").digest(tmp_path / "x")[2] is False


def sharing(times: int, winerror: int = 32) -> Callable[..., None]:
    """os.replace of Windows, with somebody holding the target for the first so many calls."""
    left = [times]

    def replace(source: Path, target: Path) -> None:
        if left[0] > 0:
            left[0] -= 1
            error = PermissionError(errno.EACCES, "in use")
            error.winerror = winerror  # type: ignore[attr-defined, unused-ignore]
            raise error
        os.replace(source, target)  # noqa: PTH105

    return replace


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_scanner_on_windows_gets_five_seconds_to_let_go(tmp_path: Path, winerror: int) -> None:
    """Pauses from 50 ms to 1 s, together at most 5 s; then the error is told."""
    slept: list[float] = []
    calls = FaultyOs()
    disk = Disk(sleep=slept.append, calls=calls, platform="win32")
    (tmp_path / "a").write_bytes(b"new")
    calls.instead["replace"] = sharing(3, winerror)
    disk.replace(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert slept == [0.05, 0.1, 0.2]
    slept.clear()
    calls.instead["replace"] = sharing(1000, winerror)
    with pytest.raises(PermissionError):
        disk.replace(tmp_path / "b", tmp_path / "c")
    assert 4 < sum(slept) <= 5
    assert max(slept) == 1.0


def test_every_other_error_of_a_rename_is_told_at_once(tmp_path: Path) -> None:
    """Waiting helps only against somebody who holds the file."""
    slept: list[float] = []
    calls = FaultyOs()
    calls.instead["replace"] = sharing(1, winerror=87)
    with pytest.raises(PermissionError):
        Disk(sleep=slept.append, calls=calls, platform="win32").replace(tmp_path / "a", tmp_path / "b")
    assert slept == []


def test_windows_has_no_sync_for_folders(tmp_path: Path) -> None:
    """There is no handle for one in Python; the rename is journalled by NTFS."""
    calls = FaultyOs()
    assert Disk(sleep=no_sleep, calls=calls, platform="win32").sync_folder(tmp_path) == "full"
    assert calls.calls == []


def test_short_writes_are_continued(tmp_path: Path) -> None:
    """The system may take less than it is given."""
    with FaultyOs() as calls:
        calls.instead["write"] = lambda descriptor, content: os.write(descriptor, content[:7])
        disk = Disk(sleep=no_sleep, calls=calls)
        descriptor = disk.create(tmp_path / "x")
        disk.write(descriptor, bytes(range(100)))
        calls.instead["write"] = lambda descriptor, content: 0
        with pytest.raises(OSError, match="nothing more"):
            disk.write(descriptor, b"x")
    assert (tmp_path / "x").read_bytes() == bytes(range(100))


def test_removing_takes_the_twin_and_nothing_else(tmp_path: Path) -> None:
    """macOS leaves `._x` beside `x` on exFAT; a twin of a foreign file is not ours."""
    for name in ("x.part", "._x.part", "._y.part"):
        (tmp_path / name).touch()
    plain_disk().remove(tmp_path / "x.part")
    plain_disk().remove(tmp_path / "x.part")
    assert [path.name for path in tmp_path.iterdir()] == ["._y.part"]


def test_a_small_file_is_read_back_before_it_replaces_the_old_one(tmp_path: Path) -> None:
    """A write that the system reports as done, and that was not, is found."""
    target = tmp_path / "thetabulk.json"
    target.write_bytes(b"old")
    calls = FaultyOs()
    calls.instead["write"] = lambda descriptor, content: os.write(descriptor, b"X" * len(content))
    with pytest.raises(OSError, match="read back"):
        Disk(sleep=no_sleep, calls=calls).write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["thetabulk.json"]


def test_a_small_file_and_its_name_are_both_made_durable(tmp_path: Path) -> None:
    """Sync, read back, rename, sync of the folder."""
    calls = FaultyOs()
    Disk(sleep=no_sleep, calls=calls, platform="linux").write_file(tmp_path / "x", b"new")
    assert " ".join(calls.calls) == (
        "unlink unlink open write fsync close open read read close replace open fsync close"
    )


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    """Neither for writing nor for reading nor when facts are asked."""
    (tmp_path / "real").write_bytes(b"real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    disk = plain_disk()
    for act in (disk.create, disk.open_append, disk.read, disk.digest, disk.file_facts):
        with pytest.raises(OSError, match=r"link|exists|plain"):
            act(tmp_path / "link")
    assert (tmp_path / "real").read_bytes() == b"real"


def test_reserved_room_is_really_taken(tmp_path: Path) -> None:
    """Random bytes, all of them, and nothing left of a reserve that did not fit."""
    disk = plain_disk()
    disk.occupy(tmp_path / "reserve", 2_500_000)
    assert (tmp_path / "reserve").stat().st_size == 2_500_000
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 2_500_000
    with FaultyOs(at=3, named="write", error=OSError(errno.ENOSPC, "full")) as calls:
        with pytest.raises(OSError, match="full"):
            Disk(sleep=no_sleep, calls=calls).occupy(tmp_path / "reserve", 5_000_000)
    assert list(tmp_path.iterdir()) == []

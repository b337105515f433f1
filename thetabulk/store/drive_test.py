"""What a drive can do, found out by doing it: the way to know drives and systems that we have never seen
(reliability.md §4.6). Everything happens in one folder of its own, which is gone afterwards.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from thetabulk.store.disk import BLOCK_BYTES, Disk

LARGEST_BYTES = 4_294_967_295
"""FAT32 can hold no larger file."""

_REFUSED = (errno.EFBIG, errno.ENOSPC, errno.EINVAL, errno.EPERM)
_GRAIN_NS = (1_000_000_000, 2_000_000_000)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What was seen. `sync` and `folder_sync` are "full" or "degraded" (disk.py). `intact`: what was read back is what
    was written; `past_cache`: the system agreed to read it from the medium. `large_files` is None where it could not be
    tried without writing 4 GiB. `written_per_s` and `read_per_s` are bytes a second, 0 if nothing was measured.
    """

    sync: str
    folder_sync: str
    replaces: bool
    intact: bool
    past_cache: bool
    locks: bool
    modes: bool
    case: bool
    odd_names: bool
    twins: bool
    grain_s: float
    sparse: bool
    large_files: bool | None
    written_per_s: float
    read_per_s: float


@dataclass(frozen=True, slots=True)
class Means:
    """What a test may use: so many bytes and seconds for measuring, a monotonic clock, and a trial of locks on a file
    (the ledger's, who knows how locks are taken here)."""

    bytes_at_most: int
    seconds_at_most: float
    now: Callable[[], float]
    locks: Callable[[Path], bool]


def examine_drive(folder: Path, disk: Disk, means: Means) -> Abilities:
    """Tries everything in `folder`, which must not exist yet; its parent must.

    OSError says what could not be done at all: create, write, flush, rename. The folder is removed in any case.
    """
    if _exists(folder):
        raise FileExistsError(errno.EEXIST, "it exists already", str(folder))
    try:
        disk.make_folder(folder)
        return _abilities(folder, disk, means)
    finally:
        _clear(folder, disk)


def _abilities(folder: Path, disk: Disk, means: Means) -> Abilities:
    file = folder / "probe"
    written, sha256, sync, write_s = _write(file, disk, means)
    began = means.now()
    found, size, past_cache = disk.digest(file)
    read_s = means.now() - began
    sparse = _sparse(folder / "sparse", disk)
    return Abilities(
        sync=sync, folder_sync=disk.sync_folder(folder), replaces=_replaces(folder, disk),
        intact=(found, size) == (sha256, written), past_cache=past_cache, locks=means.locks(folder / "lock"),
        modes=_modes(file), case=not _exists(folder / "PROBE"), odd_names=_odd_names(folder, disk),
        twins=_exists(folder / "._probe"), grain_s=_grain_s(file), sparse=sparse,
        large_files=_large_files(folder / "large", disk) if sparse else None,
        written_per_s=written / write_s if write_s > 0 else 0.0, read_per_s=size / read_s if read_s > 0 else 0.0,
    )  # fmt: skip


def _write(file: Path, disk: Disk, means: Means) -> tuple[int, str, str, float]:
    """Random bytes, which no drive can compress: how many, their hash, how they were flushed, in how many seconds."""
    written, running, block = 0, hashlib.sha256(), os.urandom(BLOCK_BYTES)
    descriptor = disk.create(file)
    try:
        began = means.now()
        while written < means.bytes_at_most and (written == 0 or means.now() - began < means.seconds_at_most):
            disk.write(descriptor, block)
            running.update(block)
            written += len(block)
        sync = disk.sync(descriptor)
        seconds = means.now() - began
    finally:
        disk.close(descriptor)
    return written, running.hexdigest(), sync, seconds


def _replaces(folder: Path, disk: Disk) -> bool:
    """Whether a rename over a file leaves the new one there, and nothing else."""
    old, new = folder / "old", folder / "new"
    disk.write_new(old, b"old")
    disk.write_new(new, b"new")
    disk.replace(new, old)
    return disk.read(old) == b"new" and not _exists(new)


def _modes(file: Path) -> bool:
    """Whether permissions can be taken away: exFAT and FAT ignore that silently (measured)."""
    try:
        file.chmod(0o600)
        return file.stat().st_mode & 0o777 == 0o600
    except OSError:
        return False


def _odd_names(folder: Path, disk: Disk) -> bool:
    """Whether a colon and a final dot, which Windows forbids, are kept as they are."""
    try:
        for name in ("a:b", "dot."):
            disk.write_new(folder / name, b"")
            if folder / name not in folder.iterdir():
                return False
    except OSError:
        return False
    return True


def _grain_s(file: Path) -> float:
    """How finely times of files are kept: 2 s on FAT, 1 s on some exFAT, else less."""
    base = 1_700_000_001_234_567_800
    os.utime(file, ns=(base, base))
    kept = file.stat().st_mtime_ns
    if kept == base:
        return 1e-9
    return next((grain / 1e9 for grain in _GRAIN_NS if kept == base // grain * grain), abs(base - kept) / 1e9)


def _sparse(file: Path, disk: Disk) -> bool:
    """Whether a hole takes no room. FAT and exFAT write it out, so that nothing large may be tried there."""
    size = 4 * BLOCK_BYTES
    try:
        _truncated(file, disk, size)
        blocks: int = getattr(file.stat(), "st_blocks", size)  # Windows does not say, and need not be tried
    except OSError:
        return False
    return blocks * 512 < size // 2


def _large_files(file: Path, disk: Disk) -> bool:
    try:
        _truncated(file, disk, LARGEST_BYTES + 2)
    except OSError as error:
        if error.errno in _REFUSED:
            return False
        raise
    return True


def _truncated(file: Path, disk: Disk, size: int) -> None:
    descriptor = disk.create(file)
    try:
        disk.truncate(descriptor, size)
    finally:
        disk.close(descriptor)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _clear(folder: Path, disk: Disk) -> None:
    """By the names that are there now: some file systems have changed them."""
    with suppress(OSError):
        for file in list(folder.iterdir()):
            with suppress(OSError):
                disk.remove(file)
        disk.remove_folder(folder)

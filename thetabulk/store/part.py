"""Whole file or no file: scratch, sync, read back, rename (the commit protocol of reliability.md §4.3, steps 1 to 9).

Step 10, the ledger's line, is the caller's, and only after `commit` has returned.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Literal, Self

from thetabulk.errors import AttemptError, NotPermitted
from thetabulk.store.disk import BLOCK_BYTES, Sync
from thetabulk.store.layout import TMP
from thetabulk.store.volume import Volume

Readback = Literal["cache-bypassed", "cached", "off"]
_JOURNALLED = {"ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs"}
"""Only here may reading back be switched off: exFAT and FAT keep no journal, and of an unknown one we know nothing."""

_BYPASSABLE = _JOURNALLED | {"ext2", "exfat", "vfat", "msdos", "ntfs3", "hfsplus"}
"""Where dropping the cached pages leaves only the medium to read from. Behind FUSE another process has a cache too."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A file that lies whole under its final name; `sha256`, `bytes` and `mtime_ns` are the file's."""

    sha256: str
    bytes: int
    mtime_ns: int
    sync: Sync
    readback: Readback


class Part:
    """A scratch file on the store's own drive. A binary file for whoever writes it (pyarrow, zstandard, a plain loop).

    Leaving the `with` block without a commit removes it, whatever happened. Errors of the drive come as ours.
    """

    def __init__(
        self, volume: Volume, name: PurePosixPath, *, readback: bool = True,
        tell: Callable[[Committed], None] | None = None,
    ) -> None:  # fmt: skip
        """`name` is store-relative (`layout.part_name`); `tell` hears of the commit, in the thread that commits.
        DriveGone if the store is not where it was opened."""
        self._volume, self._disk = volume, volume.disk
        self._readback = readback
        self._tell = tell
        self.path = volume.path(name)
        self._pending = bytearray()
        self._running = hashlib.sha256()
        self._size = 0
        self.closed = False
        self._error: BaseException | None = None
        self._committed = False
        volume.check()
        volume.folder(name.parent)
        with self._volume.translated(self.path):
            self._descriptor: int | None = self._disk.create(self.path)
        try:
            volume.confirm(name, self._descriptor)  # or else not a byte of it is written
        except BaseException:
            self.abort()
            raise
        self._disk.bypass_cache(self._descriptor)  # macOS: what was never cached is read back from the drive

    def write(self, content: bytes | bytearray | memoryview) -> int:
        view = memoryview(content).cast("B")
        if self._error is not None:
            raise self._error  # a writer that tidies up after an error must not hide it behind another
        if self.closed:
            raise ValueError("write to a closed part")
        self._size += len(view)
        self._pending += view
        if len(self._pending) >= BLOCK_BYTES:
            self._drain()
        return len(view)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing: only a commit makes anything durable."""

    def close(self) -> None:
        """The writer is done: the file at `path` is all there for whoever wants to read it. Still to be committed."""
        if not self.closed:
            self._drain()
            self.closed = True

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """The path, for whoever reads a closed part again; errors of the drive come as ours."""
        with self._volume.translated(self.path):
            yield self.path

    @property
    def sha256(self) -> str:
        """Of what has been written, once it is closed."""
        return self._running.hexdigest()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return not self.closed

    def seekable(self) -> bool:
        return False

    def commit(self, target: PurePosixPath) -> Committed:
        """Under its final name, whole, or not at all. An old file there stays until the new one replaces it.

        AttemptError (kind read-back) if the drive gives back other bytes; DriveGone, DiskFull, NotPermitted as the
        drive says. After an error the scratch is gone and nothing is tried twice, a sync least of all.
        """
        final = self._volume.path(target)
        try:
            if self._error is not None:
                raise self._error
            self.close()
            with self._volume.translated(self.path):
                sync = self._settle()
                readback = self._read_back(sync)
            self._volume.check()
            with self._volume.held(target.parent) as folder, self._volume.translated(final):
                self._disk.replace(self.path, final, folder)
                for changed in self._changed_folders(final.parent):
                    if self._disk.sync_folder(changed) == "degraded":
                        sync = "degraded"
                facts = self._disk.file_facts(final, folder)
        except BaseException:
            self.abort()
            raise
        if facts is None or facts[0] != self._size:
            raise AttemptError(f"{final} changed while it was put in place", kind="read-back")
        self._committed = True
        committed = Committed(self._running.hexdigest(), self._size, facts[1], sync, readback)
        if self._tell is not None:
            self._tell(committed)
        return committed

    def abort(self) -> None:
        """Remove the scratch, if it can be: what a pulled drive keeps is removed by the next run."""
        self.closed = True
        self._pending.clear()
        with suppress(OSError):
            self._let_go()
        with suppress(OSError):
            self._disk.remove(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if not self._committed:
            self.abort()

    def _changed_folders(self, target: Path) -> tuple[Path, ...]:
        """What a rename has to have written before it counts. Without a journal it is two writes, and if a power cut
        keeps the first alone, both names lead to the same clusters: fsck then empties one of the files (measured,
        tests/chaos: power cuts on exFAT)."""
        return (target,) if self._volume.filesystem in _JOURNALLED else (target, self.path.parent)

    def _drain(self) -> None:
        assert self._descriptor is not None  # let go only by an abort or a commit: both close the part before
        block = bytes(self._pending)
        self._pending.clear()
        self._running.update(block)
        try:
            with self._volume.translated(self.path):
                self._disk.write(self._descriptor, block)
        except BaseException as error:
            self._error = error
            self.abort()
            raise

    def _settle(self) -> Sync:
        if self._descriptor is None:
            raise ValueError("the part is over")
        sync = self._disk.sync(self._descriptor)
        self._let_go()
        return sync

    def _let_go(self) -> None:
        """Close at most once: after an error the number may already belong to another file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._disk.close(descriptor)

    def _read_back(self, sync: Sync) -> Readback:
        if not self._readback and sync == "full" and self._volume.filesystem in _JOURNALLED:
            return "off"
        found, size, bypassed = self._disk.digest(self.path)
        if (found, size) != (self._running.hexdigest(), self._size):
            raise AttemptError("the drive gave back other bytes than were written", kind="read-back")
        return "cache-bypassed" if bypassed and self._volume.filesystem in _BYPASSABLE else "cached"


def remove_stale_parts(volume: Volume) -> int:
    """Delete the scratch files of dead runs, and say how many. Only for whoever holds the store's lock."""
    folder = volume.path(TMP)
    with volume.translated(folder):
        if folder.is_symlink():
            raise NotPermitted(f"{folder} is a symbolic link", hint="remove it; a store holds none")
        files = list(folder.iterdir()) if folder.is_dir() else []
        parts = [file for file in files if file.suffix == ".part" and not file.name.startswith("._")]
        for part in parts:
            volume.disk.remove(part)
    return len(parts)

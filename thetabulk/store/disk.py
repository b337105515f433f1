"""The few calls on which "saved" rests, with what each platform makes of them (reliability.md §4.1, §4.3).

They raise plain OSErrors; `translated` says around which file. Nothing here ever tries a sync a second time: after an
error the kernel may have dropped the pages, and the next sync would succeed over lost data (PostgreSQL's "fsyncgate").
"""

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from thetabulk.store.busy import BusyCalls
from thetabulk.store.faults import translated

Sync = Literal["full", "degraded"]
"""`full`: the system says that it is on the medium. `degraded`: it promises less, and reading back has to do."""

BLOCK_BYTES: Final = 1_048_576
_UNSUPPORTED = {errno.ENOTTY, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_F_FULLFSYNC, _F_BARRIERFSYNC, _F_NOCACHE = 51, 85, 48  # <sys/fcntl.h> of macOS; Python knows them only there
_SHARING = {5, 32, 33}  # Windows: a scanner or indexer holds the file; 155 of 4000 replaces met it (zarr-python #4358)
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final[int] = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_CAN_HOLD: Final = {os.open, os.stat, os.rename} <= os.supports_dir_fd  # not on Windows

if sys.platform == "win32":
    _control = None
else:
    from fcntl import fcntl as _control


class Disk:
    """`calls` is `os`, or a fake of it that fails on cue; `sleep` and `monotonic` are given because only the assembly
    has a clock. Without the latter nobody knows how long the drive keeps us waiting (`busy_s`)."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float] | None = None,
        calls: Any = os,
        control: Callable[[int, int, int], object] | None = _control,
        platform: str = sys.platform,
    ) -> None:
        self.platform = platform
        self._busy = BusyCalls(monotonic, calls) if monotonic is not None else None
        self._os = self._busy or calls
        self._control = self._busy.timed(control) if self._busy and control else control
        self._sleep = sleep

    def busy_s(self) -> float:
        """For how long somebody has waited for the drive, in all."""
        return self._busy.busy_s() if self._busy is not None else 0.0

    def create(self, path: Path) -> int:
        """A descriptor for a file that was not there; FileExistsError if it was, as a file or as a link."""
        descriptor: int = self._os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666)
        return descriptor

    def open_append(self, path: Path) -> int:
        """A descriptor whose writes go to the end of the file, whoever else has written; created if missing."""
        descriptor: int = self._os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK | _BINARY, 0o666)
        return descriptor

    def write(self, descriptor: int, content: bytes | bytearray | memoryview) -> None:
        """All of it: the system may take less than it is given."""
        view = memoryview(content).cast("B")
        while view:
            taken = self._os.write(descriptor, view)
            if taken <= 0:
                raise OSError(errno.EIO, "nothing more is taken")
            view = view[taken:]

    def sync(self, descriptor: int) -> Sync:
        """To the medium, as far as the platform has a word for it."""
        return self._sync(descriptor, self._os.fsync)

    def sync_content(self, descriptor: int) -> Sync:
        """The same without the time stamps, where that is cheaper: for the ledger's appends."""
        return self._sync(descriptor, getattr(self._os, "fdatasync", self._os.fsync))

    def _sync(self, descriptor: int, plain: Callable[[int], None]) -> Sync:
        if self.platform == "darwin" and self._control is not None:
            # fsync does not empty the drive's own cache there; the fall-backs are libuv's
            if _supported(self._control, descriptor, _F_FULLFSYNC, 0):
                return "full"
            if not _supported(self._control, descriptor, _F_BARRIERFSYNC, 0):
                _supported(plain, descriptor)
            return "degraded"
        return "full" if _supported(plain, descriptor) else "degraded"

    def sync_folder(self, folder: Path) -> Sync:
        """Makes the folder's names durable. Windows has no such call, and journals the rename itself."""
        if self.platform == "win32":
            return "full"
        with _link_told(folder), self._opened(folder, _FOLDER) as descriptor:
            return self.sync(descriptor)

    def close(self, descriptor: int) -> None:
        """Its error counts: a full or over-quota file system may say so only here."""
        self._os.close(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        self._os.ftruncate(descriptor, size)

    @contextmanager
    def held(self, root: Path, relative: PurePosixPath) -> Iterator[int | None]:
        """A descriptor of the folder below the root, reached level by level; ELOOP for a link on the way. What is done
        with it is done in that folder, whatever its path leads to meanwhile. None where there is no such thing."""
        if self.platform == "win32" or not _CAN_HOLD:
            yield None
            return
        descriptor = self._os.open(root, _FOLDER | _NO_LINK | _BINARY)
        for name in relative.parts:
            descriptor = self._step_into(descriptor, name, root / relative)
        with self._closed_after(descriptor):
            yield descriptor

    def _step_into(self, outer: int, name: str, path: Path) -> int:
        """The folder of this name in the one that is open, which is closed, whatever happens."""
        with ExitStack() as stack:
            with _link_told(path), self._closed_after(outer):
                inner: int = self._os.open(name, _FOLDER | _NO_LINK | _BINARY, dir_fd=outer)
                stack.callback(self._abandon, inner)
            stack.pop_all()
        return inner

    def _abandon(self, descriptor: int) -> None:
        with suppress(OSError):
            self._os.close(descriptor)

    def same(self, one: int | None, other: int | None) -> bool:
        """Whether two descriptors are of one file or folder; nothing can be said (True) where there are none."""
        return one is None or other is None or os.path.samestat(self._os.fstat(one), self._os.fstat(other))

    def is_in(self, folder: int | None, name: str, descriptor: int) -> bool:
        """Whether an open file is the one of this name in the folder; True where no folder can be held."""
        if folder is None:
            return True
        try:
            found = self._os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, self._os.fstat(descriptor))

    def replace(self, source: Path, target: Path, folder: int | None = None) -> None:
        """Atomic rename over whatever is there; into the `folder` that is held, if there is one. On Windows other
        programs get up to 5 s to let go of the target."""
        if folder is not None:
            self._os.replace(source, target.name, dst_dir_fd=folder)
            return
        for pause_s in _PAUSES_S:
            try:
                self._os.replace(source, target)
                return
            except OSError as error:
                if getattr(error, "winerror", None) not in _SHARING:
                    raise
            self._sleep(pause_s)
        self._os.replace(source, target)

    def make_folder(self, folder: Path) -> bool:
        """One level; its name is made durable. False if it was there already."""
        try:
            self._os.mkdir(folder)
        except FileExistsError:
            return False
        self.sync_folder(folder.parent)
        return True

    def remove(self, path: Path) -> None:
        """The file if it is there, and the `._` twin that macOS leaves beside a file of ours on exFAT."""
        for one in (path, path.with_name(f"._{path.name}")):
            with suppress(FileNotFoundError):
                self._os.unlink(one)

    def remove_folder(self, folder: Path) -> None:
        self._os.rmdir(folder)

    def stat(self, path: Path) -> os.stat_result:
        facts: os.stat_result = self._os.stat(path)
        return facts

    def device(self, path: Path) -> int:
        """The number of the file system that the path leads to now."""
        return self.stat(path).st_dev

    def file_facts(self, path: Path, folder: int | None = None) -> tuple[int, int] | None:
        """(size, mtime in ns) of a plain file at this very path (or of its name in the `folder` that is held), None if
        there is none; ELOOP for anything else.

        By exact path, never from a listing: macOS lists only a part of some exFAT folders (reliability.md §4.1).
        """
        try:
            facts = self._os.lstat(path) if folder is None else self._os.lstat(path.name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.ELOOP, "not a plain file", str(path))
        return facts.st_size, facts.st_mtime_ns

    def read(self, path: Path) -> bytes:
        """A whole small file. Opened only for as long: an open file cannot be replaced on Windows."""
        with self._opened(path, os.O_RDONLY) as descriptor:
            return b"".join(self._blocks(descriptor))

    def digest(self, path: Path) -> tuple[str, int, bool]:
        """(sha256, bytes, True if the system agreed to read past its cache).

        Cached pages would prove nothing: a flipped byte on the medium was seen only after POSIX_FADV_DONTNEED
        (measured, reliability.md §3).
        """
        running, size = hashlib.sha256(), 0
        with self._opened(path, os.O_RDONLY) as descriptor:
            bypassed = self.bypass_cache(descriptor)
            for block in self._blocks(descriptor):
                running.update(block)
                size += len(block)
        return running.hexdigest(), size, bypassed

    def bypass_cache(self, descriptor: int) -> bool:
        """Drop what the system has cached of a synced file. On macOS the effect is not known, so it never counts."""
        if self.platform == "darwin" and self._control is not None:
            with suppress(OSError):
                self._control(descriptor, _F_NOCACHE, 1)
            return False
        advise = getattr(self._os, "posix_fadvise", None)
        if advise is None:
            return False
        try:
            advise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            return False
        return True

    def write_new(self, path: Path, content: bytes) -> None:
        """A small file, synced and read back; what a dead run left under this name goes first.

        EIO if other bytes came back. Not durable as a name: `replace` and `sync_folder` are the caller's.
        """
        self.remove(path)
        with self._created(path) as descriptor:
            self.write(descriptor, content)
            self.sync(descriptor)
        if self.read(path) != content:
            self.remove(path)
            raise OSError(errno.EIO, "what was read back is not what was written", str(path))

    def occupy(self, path: Path, size: int) -> None:
        """A file of that size that takes up as much room: written out, and random, because some file systems keep
        holes and some compress."""
        self.remove(path)
        block = os.urandom(min(BLOCK_BYTES, size))
        with self._created(path) as descriptor:
            for done in range(0, size, BLOCK_BYTES):
                self.write(descriptor, block[: size - done])
            self.sync(descriptor)

    def write_file(self, path: Path, content: bytes) -> None:
        """Whole file or no file: the old content stays until the new one is proven."""
        scratch = path.with_name(f"{path.name}.new")
        self.write_new(scratch, content)
        self.replace(scratch, path)
        self.sync_folder(path.parent)

    def translated(self, path: Path) -> AbstractContextManager[None]:
        return translated(path, platform=self.platform)

    def _blocks(self, descriptor: int) -> Iterator[bytes]:
        while block := self._os.read(descriptor, BLOCK_BYTES):
            yield block

    @contextmanager
    def _created(self, path: Path) -> Iterator[int]:
        """The file goes again if anything fails, closing it included."""
        descriptor = self.create(path)
        try:
            with self._closed_after(descriptor):
                yield descriptor
        except BaseException:
            with suppress(OSError):
                self.remove(path)
            raise

    @contextmanager
    def _opened(self, path: Path, flags: int) -> Iterator[int]:
        descriptor = self._os.open(path, flags | _NO_LINK | _BINARY)
        with self._closed_after(descriptor):
            yield descriptor

    @contextmanager
    def _closed_after(self, descriptor: int) -> Iterator[None]:
        """Closed at the end, whose error counts, or after an error, which counts more than that of closing."""
        try:
            yield
        except BaseException:
            with suppress(OSError):
                self._os.close(descriptor)
            raise
        self._os.close(descriptor)


@contextmanager
def _link_told(folder: Path) -> Iterator[None]:
    """A link that is met where a folder is opened: Linux calls it no folder, macOS ELOOP."""
    try:
        yield
    except NotADirectoryError as error:
        raise OSError(errno.ELOOP, "no plain folder", str(folder)) from error


def _supported(call: Callable[..., object], *arguments: int) -> bool:
    """Calls it. False if the file system does not know such a thing; every other error is raised."""
    try:
        call(*arguments)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return False
    return True

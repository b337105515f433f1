"""What the operating system's refusals mean for a run: one table (reliability.md §4.5, §6).

The number decides, never the text: texts are translated with the machine's language.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thetabulk.errors import DiskFull, DriveGone, NotPermitted, ThetabulkError

_BY_ERRNO: dict[str, type[ThetabulkError]] = {
    "EIO": DriveGone,
    "ENODEV": DriveGone,
    "ENXIO": DriveGone,  # macOS: "Device not configured", what a pulled drive says (cryfs #447)
    "ENOTCONN": DriveGone,  # Linux: the process behind a FUSE drive is gone
    "ECONNABORTED": DriveGone,  # and what the call gets that was waiting for it just then (tests/chaos: unplug)
    "ESTALE": DriveGone,
    "EBADMSG": DriveGone,  # ext4 over a device that lost its end
    "ENOSPC": DiskFull,
    "EDQUOT": DiskFull,
    "EROFS": NotPermitted,
    "EACCES": NotPermitted,
    "EPERM": NotPermitted,
    "ELOOP": NotPermitted,  # O_NOFOLLOW met a symbolic link
    "EMFILE": ThetabulkError,
    "ENFILE": ThetabulkError,
    "EFBIG": ThetabulkError,  # FAT32: 4 GiB less one byte
}
_BY_WINERROR: dict[int, type[ThetabulkError]] = {
    5: NotPermitted,
    19: NotPermitted,  # write protected
    21: DriveGone,  # not ready
    31: DriveGone,  # a device does not function
    32: NotPermitted,  # in use by another program
    33: NotPermitted,
    39: DiskFull,
    55: DriveGone,
    64: DriveGone,
    112: DiskFull,
    433: DriveGone,  # no such device
    1117: DriveGone,  # I/O error
    1167: DriveGone,  # not connected
}
_MANY_BYTES = 67_108_864
NUMBERS = {getattr(errno, name): kind for name, kind in _BY_ERRNO.items() if hasattr(errno, name)}


def classify_oserror(error: OSError) -> type[ThetabulkError] | None:
    """Which of our errors it is, or None: the table has no row for it (a missing file, for one)."""
    winerror = getattr(error, "winerror", None)
    if winerror in _BY_WINERROR:
        return _BY_WINERROR[winerror]
    return NUMBERS.get(error.errno or 0)


@contextmanager
def translated(path: Path, *, platform: str = sys.platform) -> Iterator[None]:
    """OSErrors of the block leave as ours, with the path and what to do. None slips through: what the table does not
    know ends the run with exit code 1."""
    try:
        yield
    except OSError as error:
        raise describe(error, path, platform) from error


def describe(error: OSError, path: Path, platform: str = sys.platform) -> ThetabulkError:
    """The error as a person should read it; `path` is told unless the error names a file itself."""
    kind = classify_oserror(error) or ThetabulkError
    where = error.filename if isinstance(error.filename, str) else path
    reason = error.strerror or str(error) or type(error).__name__
    text = _TEXTS.get(kind) or _BY_NUMBER.get(error.errno or 0, "cannot be used")
    if error.errno == errno.ENOSPC and not takes_files(Path(where), is_refused=True):
        return no_more_files(where, reason)
    return kind(f"{where}: {text} ({reason})", hint=_hint(error, kind, platform))


def no_more_files(where: str | Path, reason: str) -> DiskFull:
    return DiskFull(
        f"{where}: the drive has no room for more files ({reason})",
        hint="bytes are free, but a file system holds so many files and no more: remove or move some",
    )


def takes_files(path: Path, *, spare: int = 0, is_refused: bool = False) -> bool:
    """Whether there is room for a file, and for `spare` more, as far as the file system counts them (inodes). FAT and
    exFAT do not: their folders are believed full only if a file `is_refused` while many bytes are free."""
    if sys.platform == "win32":
        return True
    try:
        while not path.exists() and path != path.parent:
            path = path.parent
        found = os.statvfs(path)
    except OSError:
        return True
    if not found.f_files:
        return not is_refused or found.f_bavail * found.f_frsize < _MANY_BYTES
    return found.f_favail > spare


_TEXTS: dict[type[ThetabulkError], str] = {
    DriveGone: "the drive does not answer",
    DiskFull: "the drive is full",
    NotPermitted: "not permitted",
}
_BY_NUMBER = {
    errno.EMFILE: "no more files can be opened",
    errno.ENFILE: "no more files can be opened on this machine",
    errno.EFBIG: "a file of this size does not fit on the drive",
}


def _hint(error: OSError, kind: type[ThetabulkError], platform: str) -> str:
    if kind is DriveGone:
        return "plug the drive in again, then `thetabulk resume`; what was saved so far is safe"
    if kind is DiskFull:
        return "free some space; the run goes on by itself, or with `thetabulk resume`"
    if error.errno == errno.EROFS or getattr(error, "winerror", None) == 19:
        return "the drive is read-only: look for a write-protect switch; macOS mounts NTFS drives read-only"
    if error.errno == errno.ELOOP:
        return "a symbolic link is in the way; a store holds none"
    if getattr(error, "winerror", None) in {32, 33}:
        return "another program keeps the file open: a virus scanner, an indexer or a viewer"
    if kind is NotPermitted and platform == "darwin":
        return "System Settings > Privacy & Security > Files and Folders: let your terminal use removable volumes"
    if kind is NotPermitted:
        return "look at who owns the folder, and whether you may write there"
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return "too many open files: fewer --workers, or a higher `ulimit -n`"
    if error.errno == errno.EFBIG:
        return "the file system cannot hold so large a file (FAT32 ends at 4 GiB); exFAT can"
    return ""

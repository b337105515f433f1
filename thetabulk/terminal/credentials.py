"""The credentials file: what can be said about it without knowing what it says.

Line 1 is an e-mail address, line 2 a password (thetadata-v3.md §4.1). Only line ends are looked for, in a buffer that
is wiped; nothing of the content is kept, returned, logged or put into an error (reliability.md §8).
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAME = "creds.txt"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LOOKED_AT_BYTES = 1_024  # an address and a password are shorter; no more is ever read
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BLANK = frozenset(b" \t\r\v\f\0")
_NEW_LINE = ord("\n")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Facts about a file. `kind` is file, missing, link, other (a folder, a device) or unreadable.

    `lines` counts those that are not blank, up to three. `mode` is None where the system has none (Windows).
    """

    path: Path
    kind: str
    lines: int = 0
    mode: int | None = None

    @property
    def private(self) -> bool:
        """Whether nobody but the owner may do anything with it, as far as its mode says."""
        return self.mode is None or not self.mode & OTHERS


def examine(path: Path, *, posix: bool = os.name == "posix") -> Credentials:
    """Never raises, and never says why a file cannot be read but that it cannot."""
    try:
        facts = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Credentials(path, "missing")
    except OSError:
        return Credentials(path, "unreadable")
    mode = stat.S_IMODE(facts.st_mode) if posix else None
    if stat.S_ISLNK(facts.st_mode):
        return Credentials(path, "link", mode=mode)
    if not stat.S_ISREG(facts.st_mode):
        return Credentials(path, "other", mode=mode)
    try:
        return Credentials(path, "file", _count_lines(path), mode)
    except OSError:
        return Credentials(path, "unreadable", mode=mode)


def _count_lines(path: Path) -> int:
    """Lines with anything in them, 3 for more than two."""
    buffer = bytearray(_LOOKED_AT_BYTES)
    descriptor = os.open(path, os.O_RDONLY | _NO_LINK | getattr(os, "O_BINARY", 0))
    try:
        with os.fdopen(descriptor, "rb", buffering=0) as stream:
            size = stream.readinto(buffer)
        return _lines_in(buffer, size)
    finally:
        buffer[:] = bytes(len(buffer))


def _lines_in(buffer: bytearray, size: int) -> int:
    lines, filled = 0, False
    for place in range(size):
        if buffer[place] == _NEW_LINE:
            lines += filled
            filled = False
        elif buffer[place] not in _BLANK:
            filled = True
    return min(lines + filled, 3)

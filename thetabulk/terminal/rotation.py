"""A Terminal's log, kept by us: redacted line by line, rotated by size, and never in the way of who writes it."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from thetabulk.redaction import INSTEAD, without_accounts

LINE_BYTES = 16_384
"""A longer line is cut into lines of this length: a program gone wild cannot fill the memory."""

_SESSION = re.compile(r"(session[ _-]?(?:id|token|key)?[\"']?\s*[=:]\s*[\"']?)[\w-]{8,}", re.IGNORECASE)


def redacted(line: str) -> str:
    """A line of the Terminal without tokens, passwords, addresses and session ids, and without what would steer the
    screen of its reader."""
    plain = "".join(letter if letter.isprintable() else " " for letter in line)
    return _SESSION.sub(rf"\g<1>{INSTEAD}", without_accounts(plain))


class RotatingLog:
    """Lines go to `path`; when it holds `most_bytes`, it becomes `path.1`, that `path.2`, up to `keep` of them.

    Only the owner may read them. A full disk or a folder without permission loses lines; nothing is raised: a Terminal
    must not stand still because its log cannot be written. How many were `lost` is said where they would stand.
    """

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._keep = keep
        self._stream: BinaryIO | None = None
        self._size = 0
        self.lost = 0

    def write(self, line: str) -> None:
        """One line, without its end."""
        missing = f"(thetabulk: {self.lost} lines could not be written)\n" if self.lost else ""
        text = f"{missing}{line}\n".encode("utf-8", "replace")
        try:
            if self._stream is not None and self._size + len(text) > self._most_bytes and self._size:
                self._rotate()
            if self._stream is None:
                self._open()
            assert self._stream is not None
            self._stream.write(text)
            self._size += len(text)
            self.lost = 0
        except OSError:
            self.lost += 1
            self.close()

    def close(self) -> None:
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()
            self._stream = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._stream = os.fdopen(descriptor, "ab", buffering=0)
        self._size = self._stream.seek(0, os.SEEK_END)

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep, 0, -1):
            older = _generation(self._path, number)
            newer = _generation(self._path, number - 1)
            with suppress(FileNotFoundError):
                newer.replace(older)
        if not self._keep:
            self._path.unlink(missing_ok=True)


def _generation(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path


def last_lines(path: Path, count: int, *, block_bytes: int = 65_536) -> list[str]:
    """The last lines of a log, the newest last; [] if there is none. Only its end is read."""
    found: list[str] = []
    for file in (path, _generation(path, 1)):
        try:
            with file.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                start = max(0, size - max(block_bytes, count * 400))
                stream.seek(start)
                lines = stream.read().decode("utf-8", "replace").splitlines()[1 if start else 0 :]
        except OSError:
            continue
        found = lines[-(count - len(found)) :] + found if count > len(found) else found
    return found

"""A disk that writes down everything that is written to it: the log from which power cuts are made.

A file system in user space with one file, `disk`, for a loop device to lie on. Writes and flushes go to a log in their
order, and so do marks: what is written to the file `mark` is known to have been promised at that moment
(`python -m tests.chaos.blocklog MOUNTPOINT IMAGE LOG`). It stands in for dm-log-writes, which few kernels have.

A crash state is the image with all writes up to the last flush before the cut, and any of the later ones, or a part of
one, in units of 512 bytes: that is what a drive owes nobody.
"""

import errno
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

SECTOR_BYTES = 512
_HEAD = struct.Struct("<cQI")  # kind, offset, length; W with its bytes, F without, M with a mark's text


@dataclass(frozen=True, slots=True)
class Record:
    kind: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Lie:
    """A drive to which a flush means nothing. Its cache was emptied of the first `arrived` records; of the writes since
    then the share `lost` is lost, and half as many are torn."""

    arrived: int
    lost: float


def read_log(log: Path) -> list[Record]:
    return list(_records(log.read_bytes()))


def _records(content: bytes) -> Iterator[Record]:
    place = 0
    while place < len(content):
        kind, offset, length = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        yield Record(kind.decode(), offset, content[place : place + length])
        place += length


def crash_state(base: bytes, records: list[Record], cut: int, rng: Random, lie: Lie | None = None) -> bytearray:
    """What may lie on the drive if the power goes just before `records[cut]`."""
    flushed = max((number for number in range(cut) if records[number].kind == "F"), default=-1)
    if lie is not None:
        flushed = lie.arrived - 1
    lost = 0.4 if lie is None else lie.lost
    image = bytearray(base)
    for number in range(cut):
        record = records[number]
        if record.kind != "W":
            continue
        start, end = 0, len(record.content)
        if number > flushed:
            chance = rng.random()
            if chance < lost:
                continue
            if chance < 1.5 * lost:  # torn: some sectors of it, from any one to any other
                sectors = len(record.content) // SECTOR_BYTES
                first = rng.randrange(sectors) if sectors else 0
                start, end = first * SECTOR_BYTES, rng.randint(first, sectors) * SECTOR_BYTES
        image[record.offset + start : record.offset + end] = record.content[start:end]
    return image


def marks_before(records: list[Record], cut: int) -> list[str]:
    return [record.content.decode() for record in records[:cut] if record.kind == "M"]


def start(mountpoint: Path, image: Path, log: Path, flip: Path | None = None) -> "subprocess.Popen[bytes]":
    """The daemon, in a process of its own: a file system that waits for itself waits for ever.

    If there is a file `flip`, the next write with which a Parquet file begins (up to 128 KiB at once) is stored as the
    file says, which is then removed: `bit N` changes one bit, that of byte N; `zeros` stores zeros instead; `stale`
    stores nothing, and what lay there before stays. A file `log` with the suffix `.slow` holds how many bytes a second
    the disk reads and writes from now on.
    """
    command = [sys.executable, "-m", "tests.chaos.blocklog", str(mountpoint), str(image), str(log), str(flip or "")]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)


class _Disk:
    """The calls of the file system: one disk, and a place for marks."""

    use_ns = True

    def __init__(self, image: str, log: str, flip: str) -> None:
        self._disk = os.open(image, os.O_RDWR)
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._flip = Path(flip) if flip else None
        self._slow = Path(log).with_suffix(".slow")

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        sizes = {"/disk": os.fstat(self._disk).st_size, "/mark": 0}
        if path == "/":
            return {"st_mode": 0o40755, "st_nlink": 2}
        if path not in sizes:
            import mfusepy

            raise mfusepy.FuseOSError(errno.ENOENT)
        return {"st_mode": 0o100644, "st_nlink": 1, "st_size": sizes[path]}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", "disk", "mark"]

    def open(self, path: str, flags: int) -> int:
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._take_its_time(size)
        return os.pread(self._disk, size, offset) if path == "/disk" else b""

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        if path == "/mark":
            self._note(b"M", 0, data)
        else:
            self._take_its_time(len(data))
            os.pwrite(self._disk, self._spoiled(data), offset)
            self._note(b"W", offset, data)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._note(b"F")
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def _take_its_time(self, count: int) -> None:
        if self._slow.exists():
            time.sleep(count / float(self._slow.read_text()))

    def _note(self, kind: bytes, offset: int = 0, content: bytes = b"") -> None:
        os.write(self._log, _HEAD.pack(kind, offset, len(content)) + content)

    def _spoiled(self, data: bytes) -> bytes:
        """What is stored instead of this write."""
        if self._flip is None or not data.startswith(b"PAR1") or not self._flip.exists():
            return data
        how, _, number = self._flip.read_text().partition(" ")
        self._flip.unlink()
        if how != "bit":
            return bytes(len(data)) if how == "zeros" else b""
        place = int(number) % len(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _serve(mountpoint: str, image: str, log: str, flip: str) -> None:
    import mfusepy

    disk = type("Disk", (_Disk, mfusepy.Operations), {})(image, log, flip)
    mfusepy.FUSE(disk, mountpoint, foreground=True, nothreads=True, big_writes=True, direct_io=bool(flip))


if __name__ == "__main__":
    _serve(*sys.argv[1:])

"""A disk that writes down everything that is written to it: the log from which power cuts are made.

A file system in user space with one file, `disk`, for a loop device to lie on. Writes and flushes go to a log in their
order, and so do marks: what is written to the file `mark` is known to have been promised at that moment
(`python -m tests.chaos.blocklog MOUNTPOINT IMAGE LOG`). It stands in for dm-log-writes, which few kernels have.

A crash state is the image with all writes up to the last flush before the cut, and any of the later ones, or a part of
one, in units of 512 bytes: that is what a drive owes nobody.
"""

import os
import struct
import subprocess
import sys
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


def read_log(log: Path) -> list[Record]:
    return list(_records(log.read_bytes()))


def _records(content: bytes) -> Iterator[Record]:
    place = 0
    while place < len(content):
        kind, offset, length = _HEAD.unpack_from(content, place)
        place += _HEAD.size
        yield Record(kind.decode(), offset, content[place : place + length])
        place += length


def crash_state(base: bytes, records: list[Record], cut: int, rng: Random) -> bytearray:
    """What may lie on the drive if the power goes just before `records[cut]`."""
    flushed = max((number for number in range(cut) if records[number].kind == "F"), default=-1)
    image = bytearray(base)
    for number in range(cut):
        record = records[number]
        if record.kind != "W":
            continue
        start, end = 0, len(record.content)
        if number > flushed:
            chance = rng.random()
            if chance < 0.4:
                continue
            if chance < 0.6:  # torn: some sectors of it, from any one to any other
                sectors = len(record.content) // SECTOR_BYTES
                first = rng.randrange(sectors) if sectors else 0
                start, end = first * SECTOR_BYTES, rng.randint(first, sectors) * SECTOR_BYTES
        image[record.offset + start : record.offset + end] = record.content[start:end]
    return image


def marks_before(records: list[Record], cut: int) -> list[str]:
    return [record.content.decode() for record in records[:cut] if record.kind == "M"]


def start(mountpoint: Path, image: Path, log: Path) -> "subprocess.Popen[bytes]":
    """The daemon, in a process of its own: a file system that waits for itself waits for ever."""
    command = [sys.executable, "-m", "tests.chaos.blocklog", str(mountpoint), str(image), str(log)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)


def _serve(mountpoint: str, image: str, log: str) -> None:
    import mfusepy

    disk, written = os.open(image, os.O_RDWR), open(log, "ab", buffering=0)  # noqa: SIM115 - as long as the process

    def note(kind: bytes, offset: int = 0, content: bytes = b"") -> None:
        written.write(_HEAD.pack(kind, offset, len(content)) + content)

    class Recorder(mfusepy.Operations):  # type: ignore[misc]
        use_ns = True

        def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
            if path == "/":
                return {"st_mode": 0o40755, "st_nlink": 2}
            if path not in ("/disk", "/mark"):
                raise mfusepy.FuseOSError(2)
            size = os.fstat(disk).st_size if path == "/disk" else 0
            return {"st_mode": 0o100644, "st_nlink": 1, "st_size": size}

        def readdir(self, path: str, fh: int) -> list[str]:
            return [".", "..", "disk", "mark"]

        def open(self, path: str, flags: int) -> int:
            return 0

        def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
            return os.pread(disk, size, offset) if path == "/disk" else b""

        def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
            if path == "/mark":
                note(b"M", 0, data)
            else:
                os.pwrite(disk, data, offset)
                note(b"W", offset, data)
            return len(data)

        def truncate(self, path: str, length: int, fh: int | None = None) -> int:
            return 0

        def fsync(self, path: str, datasync: int, fh: int) -> int:
            note(b"F")
            return 0

        def flush(self, path: str, fh: int) -> int:
            return 0

    mfusepy.FUSE(Recorder(), mountpoint, foreground=True, nothreads=True, big_writes=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])

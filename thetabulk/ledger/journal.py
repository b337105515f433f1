"""The ledger on the drive: append, flush, compact. One line an outcome, written once and synced before it counts.

A whole-file rewrite for every day would cost hours over a long job; an append with its sync costs 2.4 ms (measured,
performance.md §E). Two generations always exist after the first compaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from threading import Lock as Mutex
from types import TracebackType
from typing import Any, Self

from thetabulk.errors import DiskFull, DriveGone, ThetabulkError
from thetabulk.ledger import payload
from thetabulk.ledger.disk import Disk
from thetabulk.ledger.memory import Damaged, Memory, live_lines, load
from thetabulk.ledger.payload import ContractList
from thetabulk.ledger.record import NewerRecord, from_line, to_line
from thetabulk.model import Boundary, Collection, Entry, Job, Outcome, Shard
from thetabulk.wording import counted

NAME = "ledger.jsonl"
COMPACT_LINES = 1_000
"""A ledger shorter than this is not worth a compaction, however much of it is superseded."""


class Ledger:
    """The memory of outcomes. Reading needs no lock and disturbs no writer; writing needs the store's lock.

    After an error of the drive the ledger is closed: how much of the line arrived is not known, and a second sync would
    lie. Open it again: what is on the drive decides. Only a full drive, undone, leaves it open.
    """

    def __init__(self, directory: Path, disk: Disk, reserve_bytes: int = 0) -> None:
        self.path = directory / NAME
        self.notes: list[str] = []
        self._previous = directory / f"{NAME}.1"
        self._reserve, self._reserve_bytes = directory / "reserve", reserve_bytes
        self._disk = disk
        self._memory = Memory()
        self._descriptor: int | None = None
        self._device = 0
        self._size = 0
        self._broken: ThetabulkError | None = None
        self._mutex = Mutex()

    @classmethod
    def open(cls, directory: Path, *, write: bool, disk: Disk, reserve_bytes: int = 0) -> Self:
        """Read the ledger in the store's `.thetabulk`; with `write`, mend and compact it, and be ready to append.

        `notes` says what was odd. NewerRecord (exit 2) if a newer thetabulk wrote in it and we are to write; DriveGone,
        DiskFull, NotPermitted as the drive says. `reserve_bytes` of the drive are kept for the ledger alone.
        """
        ledger = cls(directory, disk, reserve_bytes)
        with disk.translated(ledger.path):
            ledger._start(write=write)
        return ledger

    @property
    def days(self) -> dict[Shard, Entry]:
        return self._memory.days

    @property
    def boundaries(self) -> dict[tuple[Collection, str], Boundary]:
        """By collection and kind; a revoked one is in none."""
        return self._memory.boundaries

    @property
    def jobs(self) -> dict[str, Job]:
        return self._memory.jobs

    @property
    def contracts(self) -> dict[tuple[str, date], ContractList]:
        return self._memory.contracts

    @property
    def profile(self) -> dict[str, Any]:
        """What the vendor's answers look like, as `doctor --probe` found it; {} if it never ran."""
        return self._memory.profile

    @property
    def damaged(self) -> list[Damaged]:
        """Lines that were set aside. Their days are in no other list here: ask the drive."""
        return self._memory.damaged

    @property
    def usable(self) -> bool:
        """False after an error of the drive: open it again."""
        return self._broken is None

    def record(self, outcome: Outcome, at: datetime) -> Entry:
        """Append the outcome; when this returns it is on the drive. A file must have been committed before."""
        self._append("day", at, payload.outcome_payload(outcome))
        return self.days[outcome.shard]

    def record_boundary(self, boundary: Boundary, at: datetime) -> None:
        self._append("boundary", at, payload.boundary_payload(boundary))

    def record_job(self, job: Job, at: datetime) -> None:
        self._append("job", at, payload.job_payload(job))

    def record_contracts(self, listed: ContractList, at: datetime) -> None:
        self._append("contracts", at, payload.contracts_payload(listed))

    def record_profile(self, profile: Mapping[str, Any], at: datetime) -> None:
        """`profile` replaces the one before; its names must not be those of every record (kind, v, seq, at, crc)."""
        self._append("profile", at, dict(profile))

    def refill_reserve(self) -> bool:
        """Take the reserve again, after the drive was full. False if there is no room for it yet."""
        if not self._reserve_bytes:
            return True
        with suppress(OSError):
            if self._reserve.stat().st_size >= self._reserve_bytes:
                return True
        try:
            with self._disk.translated(self._reserve):
                self._disk.occupy(self._reserve, self._reserve_bytes)
        except DiskFull:
            return False
        return True

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with self._disk.translated(self.path):
                self._disk.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, *, write: bool) -> None:
        content = self._load()
        if not write:
            return
        try:
            self._prepare(content)
        except BaseException:
            with suppress(ThetabulkError):
                self.close()
            raise

    def _load(self) -> bytes:
        """What is on the drive: the ledger, or, if there is nothing to be read from it, the generation before."""
        content = self._content(self.path)
        self._memory = load(content)
        if self._memory.lines + self._memory.newer_lines == 0 and (before := self._content(self._previous)):
            self._memory = load(before)
            self.notes.append(
                f"{NAME} was {'unreadable' if content else 'missing'}: went back to the generation before it, "
                "so days saved since are found on the drive again"
            )
            content = before
        self._tell()
        return content

    def _content(self, path: Path) -> bytes:
        with suppress(FileNotFoundError):
            return self._disk.read(path)
        return b""

    def _tell(self) -> None:
        memory = self._memory
        if memory.torn_bytes:
            self.notes.append(f"the last line is torn ({memory.torn_bytes} bytes), and does not count")
        if memory.damaged:
            lines = ", ".join(str(one.line) for one in memory.damaged[:10])
            bad = counted(len(memory.damaged), "damaged line")
            self.notes.append(f"{bad} set aside (line {lines}): their days are looked at")
        if memory.newer_lines:
            self.notes.append(f"skipped: {counted(memory.newer_lines, 'line')} of a newer thetabulk")
        if memory.out_of_order:
            late = counted(memory.out_of_order, "line", "is", "are")
            self.notes.append(f"{late} out of order; the newest of each day counts")

    def _prepare(self, content: bytes) -> None:
        """Make the file agree with the memory, then open it. Nothing is written if a newer thetabulk was here."""
        memory = self._memory
        if memory.newer_lines:
            raise NewerRecord("the ledger was written by a newer thetabulk", hint="update this one")
        good = content[: memory.good_bytes]
        found = self._content(self.path)
        if not found.startswith(good):  # gone back to the generation before
            if found:
                self._disk.replace(self.path, self.path.with_name(f"{NAME}.damaged"))
            self._disk.write_file(self.path, good)
        elif memory.lines > COMPACT_LINES and memory.superseded * 2 > memory.lines:
            good = self._compact(good)
        descriptor = self._open()
        if self._size > len(good):
            self._cut(descriptor, len(good))
        self.refill_reserve()

    def _compact(self, content: bytes) -> bytes:
        """Only what counts, beside the old file; then the old one steps back, and the new one takes its place.

        Between the two renames there is no ledger: the old one, as the generation before, is the one that counts.
        """
        kept = live_lines(content, self._memory)
        fresh = self.path.with_name(f"{NAME}.new")
        try:
            with self._disk.translated(fresh):
                self._disk.write_new(fresh, kept)
        except DiskFull:
            self.notes.append("no room to compact the ledger; it goes on as it is")
            return content
        self._disk.replace(self.path, self._previous)
        self._disk.replace(fresh, self.path)
        self._disk.sync_folder(self.path.parent)
        self._memory.lines = len(self._memory.kept)
        return kept

    def _open(self) -> int:
        is_new = not self.path.exists()
        self._descriptor = descriptor = self._disk.open_append(self.path)
        if is_new:
            self._disk.sync_content(descriptor)
            self._disk.sync_folder(self.path.parent)
        self._size = self.path.stat().st_size
        self._device = self._disk.device(self.path)
        return descriptor

    def _append(self, kind: str, at: datetime, fields: dict[str, Any]) -> None:
        with self._mutex:
            if self._broken is not None:
                raise type(self._broken)(f"the ledger is closed since: {self._broken.what}", hint=self._broken.hint)
            if self._descriptor is None:
                raise ThetabulkError("the ledger is open for reading only")
            line = to_line(kind, self._memory.last_seq + 1, at, fields)
            record = from_line(line)
            self._write(self._descriptor, line)
            self._size += len(line)
            self._memory.apply(record)

    def _write(self, descriptor: int, line: bytes) -> None:
        with self._closing_on_error():
            self._still_there()
            full = self._put(descriptor, line)
            if full is not None:
                self._release_reserve()
                full = self._put(descriptor, line)
            if full is None:
                self._sync(descriptor)
        if full is not None:
            raise full

    def _put(self, descriptor: int, line: bytes) -> DiskFull | None:
        """The line is written; or the drive is full, and the file is as it was before."""
        try:
            with self._disk.translated(self.path):
                self._disk.write(descriptor, line)
        except DiskFull as error:
            self._cut(descriptor, self._size)
            return error
        return None

    def _sync(self, descriptor: int) -> None:
        try:
            with self._disk.translated(self.path):
                self._disk.sync_content(descriptor)
        except DiskFull:
            self._release_reserve()  # so that there is room when the ledger is opened again
            raise

    def _still_there(self) -> None:
        """A drive unmounted lazily takes writes and syncs through an old descriptor, and keeps none (measured)."""
        with self._disk.translated(self.path):
            try:
                device = self._disk.device(self.path)
            except (FileNotFoundError, NotADirectoryError):
                device = -1
        if device != self._device:
            raise DriveGone(f"{self.path} is not there any more", hint="was the drive unplugged?")

    def _cut(self, descriptor: int, size: int) -> None:
        """Not synced: if a crash brings the tail back, the next start cuts it again."""
        with self._disk.translated(self.path):
            self._disk.truncate(descriptor, size)
        self._size = size

    def _release_reserve(self) -> None:
        with self._disk.translated(self._reserve):
            self._disk.remove(self._reserve)

    @contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._broken = error if isinstance(error, ThetabulkError) else ThetabulkError("a write was interrupted")
            with suppress(ThetabulkError):
                self.close()
            raise

"""What the ledger's lines add up to. Pure: bytes in, memory out, and a word about every line that was not good."""

import gc
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from thetabulk.ledger import payload
from thetabulk.ledger.payload import ContractList
from thetabulk.ledger.record import DamagedRecord, NewerRecord, Record, from_line, pieces
from thetabulk.model import Boundary, Collection, Entry, Job, Shard

_FIELD = re.compile(rb'"(dataset|selection|symbol|day)":"([^"\\]*)"')


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that cannot be trusted; `shard` is the day that it seems to speak of, to be checked on the drive."""

    line: int
    text: str
    shard: Shard | None


@dataclass
class Memory:
    """The newest record of everything; `live` has the sequence number of each, but of days, whose entries have theirs.
    `lines` counts the good lines."""

    days: dict[Shard, Entry] = field(default_factory=dict)
    boundaries: dict[tuple[Collection, str], Boundary] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    contracts: dict[tuple[str, date], ContractList] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    damaged: list[Damaged] = field(default_factory=list)
    live: dict[Hashable, int] = field(default_factory=dict)
    lines: int = 0
    newer_lines: int = 0
    out_of_order: int = 0
    last_seq: int = 0
    good_bytes: int = 0  # the length up to the end of the last whole line: what follows is torn
    torn_bytes: int = 0

    @property
    def superseded(self) -> int:
        return self.lines - len(self.kept)

    @property
    def kept(self) -> set[int]:
        """The sequence numbers of the records that count."""
        return {*self.live.values(), *(entry.seq for entry in self.days.values())}

    def apply(self, record: Record) -> None:
        """Remember the record, unless a later one is known. KeyError, TypeError, ValueError if it is no such record."""
        match record.kind:
            case "day":
                self._day(record)
            case "boundary":
                self._boundary(record)
            case "job":
                self._job(record)
            case "contracts":
                self._contracts(record)
            case "profile":
                self._profile(record)
            case _:  # not ours to understand, nor to lose
                self._is_newest(("unknown", record.seq), record.seq)
        self.lines += 1
        self.out_of_order += record.seq <= self.last_seq
        self.last_seq = max(self.last_seq, record.seq)

    def _day(self, record: Record) -> None:
        outcome = payload.outcome_of(record.payload)
        known = self.days.get(outcome.shard)
        if known is None or record.seq >= known.seq:
            self.days[outcome.shard] = Entry(outcome, record.at, record.seq)
            if self.damaged:
                self.damaged = [one for one in self.damaged if one.shard != outcome.shard]

    def _boundary(self, record: Record) -> None:
        boundary = payload.boundary_of(record.payload)
        key = boundary.collection, boundary.kind
        if self._is_newest(("boundary", *key), record.seq):
            self.boundaries[key] = boundary
            if boundary.day is None:
                del self.boundaries[key]

    def _job(self, record: Record) -> None:
        job = payload.job_of(record.payload)
        if self._is_newest(("job", job.id), record.seq):
            self.jobs[job.id] = job

    def _contracts(self, record: Record) -> None:
        listed = payload.contracts_of(record.payload)
        if self._is_newest(("contracts", listed.symbol, listed.day), record.seq):
            self.contracts[listed.symbol, listed.day] = listed

    def _profile(self, record: Record) -> None:
        if self._is_newest("profile", record.seq):
            self.profile = record.payload

    def set_aside(self, number: int, line: bytes) -> None:
        """Remember a bad line. What older lines say of its day counts no longer: the drive is asked."""
        shard = _shard_in(line)
        self.damaged.append(Damaged(number, line.decode("ascii", errors="backslashreplace"), shard))
        if shard is not None:
            self.days.pop(shard, None)

    def _is_newest(self, key: Hashable, seq: int) -> bool:
        newest = seq >= self.live.get(key, 0)
        if newest:
            self.live[key] = seq
        return newest


def load(content: bytes) -> Memory:
    """Read a whole ledger. Never fails: bad lines are set aside, a torn tail is measured, newer lines are counted."""
    memory = Memory(good_bytes=content.rfind(b"\n") + 1)
    memory.torn_bytes = len(content) - memory.good_bytes
    with _nothing_collected():
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            for piece, record in _records(line):
                if isinstance(record, NewerRecord):
                    memory.newer_lines += 1
                elif isinstance(record, DamagedRecord) or not _applied(memory, record):
                    memory.set_aside(number, piece)
    return memory


def live_lines(content: bytes, memory: Memory) -> bytes:
    """The content of a compacted ledger: the lines that still count, in their order, byte for byte."""
    wanted = memory.kept
    kept = []
    for line in content[: memory.good_bytes].split(b"\n"):
        found = _records(line)
        kept += [piece for piece, record in found if isinstance(record, Record) and record.seq in wanted]
    return b"".join(piece + b"\n" for piece in kept)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """All that is made here stays, and has no cycles: to look through it again and again took a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _applied(memory: Memory, record: Record) -> bool:
    try:
        memory.apply(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


def _records(line: bytes) -> list[tuple[bytes, Record | DamagedRecord | NewerRecord]]:
    """The line's record; of a damaged line, those that can be made out in it."""
    record = _record(line)
    if isinstance(record, DamagedRecord):
        return [(piece, _record(piece)) for piece in pieces(line)]
    return [(line, record)]


def _record(line: bytes) -> Record | DamagedRecord | NewerRecord:
    try:
        return from_line(line)
    except (DamagedRecord, NewerRecord) as error:
        return error


def _shard_in(line: bytes) -> Shard | None:
    found = {name.decode(): value.decode(errors="replace") for name, value in _FIELD.findall(line)}
    try:
        return payload.shard_of(found)
    except (KeyError, ValueError):
        return None

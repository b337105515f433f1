"""`export`: the vendor's CSV of saved days, byte for byte."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from thetabulk.assembly import clock, stores
from thetabulk.assembly.statuses import reason
from thetabulk.assembly.stores import Store
from thetabulk.assembly.wishes import collections_of
from thetabulk.config import Resolved
from thetabulk.errors import StoreDamaged, UsageError
from thetabulk.model import Collection, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset
from thetabulk.plan.planner import standing
from thetabulk.store.body import Body
from thetabulk.store.layout import encode_symbol
from thetabulk.store.weighing import stored_body

_NAMED = 3  # so many saved days before and after are named
_REPAIR = "thetabulk verify --repair fetches it again"


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: one day (`first` only), or a range; into `target` (a file, or a folder for a range), or out."""

    first: date
    last: date
    one_day: bool
    target: Path | None = None
    force: bool = False


@dataclass(slots=True)
class Exported:
    """What was written where, and what should be said; `gaps` are about days that are neither saved nor empty."""

    files: list[dict[str, object]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export(resolved: Resolved, order: Order, write: Callable[[bytes], object]) -> Exported:
    """Hands the days of the settings' collection to `write`, or writes them into files. Takes no lock.

    UsageError if a day is not saved, or a file is in the way; StoreDamaged if what is stored is not what was received.
    """
    path, note = stores.locate(resolved)
    [collection] = collections_of(resolved.config.job)
    done, calendar = Exported(notes=[note] if note else []), Calendar.load()
    with stores.opened(path, resolved.config.store, write=False) as store:
        if order.one_day:
            days = [one_day(store, collection, order.first, calendar)]
        else:
            days, done.gaps = days_between(store, collection, order.first, order.last, calendar)
        if order.target is None:
            to_stream(store, days, write)
            return done
        targets = [order.target] if order.one_day else _files_in(store, order.target, days)
        refuse_occupied(targets, force=order.force)
        for saved, target in zip(days, targets, strict=True):
            size = to_file(store, saved, target, force=order.force)
            done.files.append({"day": saved.shard.day.isoformat(), "file": str(target), "bytes": size})
    return done


def one_day(store: Store, collection: Collection, day: date, calendar: Calendar) -> Saved:
    """The day's record. UsageError with the reason and the nearest saved days if it is not saved."""
    entry = store.ledger.days.get(Shard(collection, day))
    if entry is not None and isinstance(entry.outcome, Saved):
        return entry.outcome
    raise UsageError(f"{collection} {day} is not saved: {_why(store, collection, day, calendar)}",
                     hint=_near(store, collection, day))  # fmt: skip


def days_between(
    store: Store, collection: Collection, first: date, last: date, calendar: Calendar
) -> tuple[list[Saved], list[str]]:
    """The saved days of a range, oldest first, and sentences about sessions that are neither saved nor empty.

    UsageError if no day of the range is saved."""
    if first > last:
        raise UsageError(f"the range ends before it begins: from {first} to {last}")
    saved: list[Saved] = []
    gaps: list[str] = []
    for day in calendar.sessions(first, min(last, calendar.last_settled(clock.now()))):
        entry = store.ledger.days.get(Shard(collection, day))
        if entry is not None and isinstance(entry.outcome, Saved):
            saved.append(entry.outcome)
        elif standing(Shard(collection, day), store.ledger.days, store.boundaries) != "empty":
            gaps.append(f"{collection} {day} is not saved: {_why(store, collection, day, calendar)}")
    if not saved:
        raise UsageError(
            f"no day of {collection} from {first} to {last} is saved", hint=_near(store, collection, first)
        )
    return saved, gaps


def to_stream(store: Store, days: Sequence[Saved], write: Callable[[bytes], object]) -> None:
    """One day as it is. Several: one after the other, a header only where it differs from the one before. StoreDamaged,
    after the bytes are out, if they are not those that were received."""
    header = b""
    for number, saved in enumerate(days):
        pieces = _proven(store, saved)
        if number:
            header, pieces = _without_header(pieces, header)
        elif len(days) > 1:
            header, pieces = _with_header(pieces)
        last = b""
        for piece in pieces:
            write(piece)
            last = piece or last
        if number < len(days) - 1 and not last.endswith(b"\n"):
            write(b"\n")


def to_file(store: Store, saved: Saved, target: Path, *, force: bool) -> int:
    """Whole file or no file. Returns its size. UsageError if it is there already (unless `force`), or if its folder is
    not; StoreDamaged, and no file, if the bytes are not those that were received."""
    refuse_occupied([target], force=force)
    disk, scratch = store.volume.disk, target.with_name(f".{target.name}.{os.getpid()}.part")
    size = 0
    with disk.translated(target):
        descriptor = disk.create(scratch)
    try:
        try:
            for piece in _proven(store, saved):
                with disk.translated(target):
                    disk.write(descriptor, piece)
                size += len(piece)
            with disk.translated(target):
                disk.sync(descriptor)
        finally:
            with disk.translated(target):
                disk.close(descriptor)
        refuse_occupied([target], force=force)
        with disk.translated(target):
            disk.replace(scratch, target)
            disk.sync_folder(target.parent)
    finally:
        with suppress(OSError):
            disk.remove(scratch)
    return size


def refuse_occupied(targets: Iterable[Path], *, force: bool) -> None:
    """UsageError if a file is there that we would write over, or a folder is not there that should hold it."""
    for target in targets:
        if not target.parent.is_dir():
            raise UsageError(f"the folder {target.parent} does not exist", hint="make it first")
        if target.is_dir():
            raise UsageError(f"{target} is a folder", hint="-o names a file for one day, a folder for a range")
        if target.exists() and not force:
            raise UsageError(f"{target} exists already", hint="--force overwrites it")


def _files_in(store: Store, folder: Path, days: Sequence[Saved]) -> list[Path]:
    """`QQQ-2024-08-02.csv` of each day, in a folder that is made if only it is missing."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="-o names a folder for a range")
    if not folder.parent.is_dir():
        raise UsageError(f"the folder {folder.parent} does not exist", hint="make it first")
    with store.volume.disk.translated(folder):
        store.volume.disk.make_folder(folder)
    return [folder / f"{encode_symbol(saved.shard.symbol)}-{saved.shard.day}.csv" for saved in days]


def _proven(store: Store, saved: Saved) -> Iterator[bytes]:
    """The pieces of a stored day's body; after the last one StoreDamaged, if they were not what was received."""
    path = store.file_of(saved.shard)
    if store.volume.facts(store.path_of(saved.shard)) is None:
        store.volume.check()
        raise StoreDamaged(f"{path} is gone", hint=_REPAIR)
    body = Body(stored_body(path, dataset(saved.shard.collection.dataset), store.format))
    try:
        with store.volume.translated(path):
            yield from body
    except ValueError as error:
        raise StoreDamaged(f"{path} is damaged: {error}", hint=_REPAIR) from error
    if body.vendor_xxh3 != saved.vendor_xxh3:
        raise StoreDamaged(f"{path} is damaged: it prints another CSV than was received", hint=_REPAIR)


def _with_header(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first line, and all the pieces."""
    start = b""
    for piece in pieces:
        start += piece
        if b"\n" in start:
            break
    return start[: start.find(b"\n") + 1], _chained(start, pieces)


def _without_header(pieces: Iterator[bytes], before: bytes) -> tuple[bytes, Iterator[bytes]]:
    """The first line, and the pieces without it if it is the one before."""
    header, pieces = _with_header(pieces)
    if header != before:
        return header, pieces
    start = next(pieces)
    return header, _chained(start[len(header) :], pieces)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _why(store: Store, collection: Collection, day: date, calendar: Calendar) -> str:
    entry = store.ledger.days.get(Shard(collection, day))
    if entry is not None:
        return f"{standing(Shard(collection, day), store.ledger.days)} ({reason(entry.outcome)})"
    if not calendar.is_session(day):
        return "it is no trading day"
    beyond = standing(Shard(collection, day), store.ledger.days, store.boundaries)
    return "it has not been asked for" if beyond == "pending" else f"{beyond}, beyond the boundary"


def _near(store: Store, collection: Collection, day: date) -> str:
    """The nearest saved days of the collection; if it has none, what the store does hold of the symbol."""
    known = store.ledger.days
    saved = sorted(
        s.day for s, entry in known.items() if s.collection == collection and isinstance(entry.outcome, Saved)
    )
    before = [one for one in saved if one < day][-_NAMED:]
    after = [one for one in saved if one > day][:_NAMED]
    if before or after:
        return f"the nearest saved days are {', '.join(map(str, before + after))}"
    held = sorted({str(s.collection) for s, entry in known.items() if isinstance(entry.outcome, Saved)})
    return f"the store has days of {', '.join(held)}" if held else "nothing is saved in this store yet"

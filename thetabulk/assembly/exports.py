"""`export`: which saved days are wanted, and why a day cannot be had."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from thetabulk.assembly import clock, stores
from thetabulk.assembly.deliveries import refuse_occupied, to_file, to_stream
from thetabulk.assembly.statuses import reason
from thetabulk.assembly.stores import Store
from thetabulk.assembly.wishes import collections_of
from thetabulk.config import Resolved
from thetabulk.errors import UsageError
from thetabulk.model import Collection, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.planner import standing
from thetabulk.store.layout import encode_symbol

_NAMED = 3  # so many saved days before and after are named


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: one `day`, or a range, where an open end is that of the saved days; into `target` (a file, or a
    folder for a range), or out."""

    day: date | None = None
    first: date | None = None
    last: date | None = None
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
        if order.day:
            days = [one_day(store, collection, order.day, calendar)]
        else:
            days, done.gaps = days_between(store, collection, order.first, order.last, calendar)
        if order.target is None:
            to_stream(store, days, write)
            return done
        targets = [order.target] if order.day else _files_in(store, order.target, days)
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
    raise UsageError(
        f"{collection} {day} is not saved: {_why(store, collection, day, calendar)}",
        hint=_near(store, collection, day),
    )


def days_between(
    store: Store, collection: Collection, first: date | None, last: date | None, calendar: Calendar
) -> tuple[list[Saved], list[str]]:
    """The saved days of a range, oldest first, and sentences about sessions that are neither saved nor empty.

    An open end is that of the saved days. UsageError if no day of the range is saved.
    """
    known = _saved_days(store, collection)
    start, end = first or min(known, default=date.max), last or max(known, default=date.min)
    saved: list[Saved] = []
    gaps: list[str] = []
    for day in calendar.sessions(start, min(end, calendar.last_settled(clock.now()))):
        entry = store.ledger.days.get(Shard(collection, day))
        if entry is not None and isinstance(entry.outcome, Saved):
            saved.append(entry.outcome)
        elif standing(Shard(collection, day), store.ledger.days, store.boundaries) != "empty":
            gaps.append(f"{collection} {day} is not saved: {_why(store, collection, day, calendar)}")
    if not saved:
        raise UsageError(
            f"no day of {collection} from {first or '…'} to {last or '…'} is saved",
            hint=_near(store, collection, first or last or date.min),
        )
    return saved, gaps


def _files_in(store: Store, folder: Path, days: Sequence[Saved]) -> list[Path]:
    """`QQQ-2024-08-02.csv` of each day, in a folder that is made if only it is missing."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="-o names a folder for a range")
    if not folder.parent.is_dir():
        raise UsageError(f"the folder {folder.parent} does not exist", hint="make it first")
    with store.volume.disk.translated(folder):
        store.volume.disk.make_folder(folder)
    return [folder / f"{encode_symbol(saved.shard.symbol)}-{saved.shard.day}.csv" for saved in days]


def _why(store: Store, collection: Collection, day: date, calendar: Calendar) -> str:
    entry = store.ledger.days.get(Shard(collection, day))
    if entry is not None:
        return f"{standing(Shard(collection, day), store.ledger.days)} ({reason(entry.outcome)})"
    if not calendar.is_session(day):
        return "it is no trading day"
    beyond = standing(Shard(collection, day), store.ledger.days, store.boundaries)
    return "it has not been asked for" if beyond == "pending" else f"{beyond}, beyond the boundary"


def _near(store: Store, collection: Collection, day: date) -> str:
    """The nearest saved days of the collection; if it has none, what the store does hold."""
    saved = _saved_days(store, collection)
    before = [one for one in saved if one < day][-_NAMED:]
    after = [one for one in saved if one > day][:_NAMED]
    if before or after:
        return f"the nearest saved days are {', '.join(map(str, before + after))}"
    held = sorted({str(s.collection) for s, entry in store.ledger.days.items() if isinstance(entry.outcome, Saved)})
    return f"the store has days of {', '.join(held)}" if held else "nothing is saved in this store yet"


def _saved_days(store: Store, collection: Collection) -> list[date]:
    """Ascending."""
    entries = store.ledger.days.items()
    return sorted(s.day for s, entry in entries if s.collection == collection and isinstance(entry.outcome, Saved))

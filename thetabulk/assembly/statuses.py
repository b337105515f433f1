"""What `status` says: per collection, from the ledger alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from thetabulk.assembly import clock, stores
from thetabulk.assembly.stores import Store
from thetabulk.config import Resolved
from thetabulk.model import Collection, Empty, Entry, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.plan.calendar import NEW_YORK, Calendar
from thetabulk.plan.planner import counts, standing
from thetabulk.wording import counted

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to say about a store. `gaps` is None if they were not asked for; `stale` are sentences about
    collections whose newest saved day is too old."""

    store: Row
    collections: list[Row]
    free_bytes: int
    notes: tuple[str, ...] = ()
    gaps: list[Row] | None = None
    stale: tuple[str, ...] = ()

    def document(self) -> Row:
        """The JSON of design §3; `gaps` only if they were asked for, `stale` only if something is."""
        found: Row = {"store": self.store, "collections": self.collections}
        if self.gaps is not None:
            found["gaps"] = self.gaps
        return found | ({"stale": list(self.stale)} if self.stale else {})


def read_status(resolved: Resolved, *, gaps: bool = False, max_age_days: int | None = None) -> Status:
    """The status of the chosen store. Takes no lock: a run may be writing. UsageError, DriveGone as for every store."""
    path, note = stores.locate(resolved)
    now, calendar = clock.now(), Calendar.load()
    with stores.opened(path, resolved.config.store, write=False) as store:
        free_bytes = store.volume.free_bytes()
        return Status(
            store={"path": str(store.volume.root), "id": store.volume.identity.store, "format": store.format,
                   "free_bytes": free_bytes},
            collections=status_rows(store, calendar, now),
            free_bytes=free_bytes,
            notes=tuple(filter(None, (note, *store.notes))),
            gaps=gap_rows(store, calendar, now) if gaps else None,
            stale=() if max_age_days is None else tuple(_stale(store, now, max_age_days)),
        )  # fmt: skip


def _stale(store: Store, now: datetime, max_age_days: int) -> Iterator[str]:
    """A sentence for every collection whose newest saved day is too old, or that has none."""
    today = now.astimezone(NEW_YORK).date()
    newest: dict[Collection, date | None] = {}
    for job in store.ledger.jobs.values():
        newest |= dict.fromkeys(job.collections)
    for shard, entry in store.ledger.days.items():
        before = newest.setdefault(shard.collection, None)
        if isinstance(entry.outcome, Saved):
            newest[shard.collection] = max(shard.day, before or shard.day)
    if not newest:
        yield "nothing is saved yet"
    for collection, day in sorted(newest.items(), key=lambda pair: pair[0]):
        if day is None:
            yield f"{collection}: no day is saved yet"
        elif (age := (today - day).days) > max_age_days:
            yield f"{collection}: the newest saved day is {day}, {counted(age, 'day')} ago (more than {max_age_days})"


def wanted_days(store: Store, settled: Sequence[date]) -> dict[Collection, list[date]]:
    """Per collection the settled sessions that its jobs want, or, where no job is known, those between its days."""
    days: dict[Collection, set[date]] = {}
    for job in store.ledger.jobs.values():
        for collection in job.collections:
            days.setdefault(collection, set()).update(day for day in settled if job.first <= day <= job.last)
    known: dict[Collection, list[date]] = {}
    for shard in store.ledger.days:
        known.setdefault(shard.collection, []).append(shard.day)
    for collection, some in known.items():
        if collection not in days:
            days[collection] = {day for day in settled if min(some) <= day <= max(some)}
    return {collection: sorted(some) for collection, some in sorted(days.items()) if some}


def status_rows(
    store: Store, calendar: Calendar, now: datetime, *, only: Iterable[Collection] | None = None
) -> list[Row]:
    """The documents of design §3, one per collection."""
    wanted = wanted_days(store, calendar.settled(now))
    chosen = [collection for collection in wanted if only is None or collection in set(only)]
    return [_row(store, collection, wanted[collection]) for collection in chosen]


def _row(store: Store, collection: Collection, days: Sequence[date]) -> Row:
    found = counts(collection, days, store.ledger.days, store.boundaries)
    boundary = next((b for b in store.boundaries if b.collection == collection and b.day is not None), None)
    return {
        "dataset": collection.dataset, "selection": collection.selection, "symbol": collection.symbol,
        "first": days[0].isoformat(), "last": days[-1].isoformat(), "sessions": found.sessions,
        "saved": found.saved, "proven": found.proven, "empty": found.empty, "refused": found.refused,
        "failed": found.failed, "pending": found.pending, "bytes": found.bytes,
        "boundary": {"kind": boundary.kind, "day": str(boundary.day)} if boundary else None,
    }  # fmt: skip


def gap_rows(store: Store, calendar: Calendar, now: datetime, *, only: Iterable[Collection] | None = None) -> list[Row]:
    """Every wanted day that is not proven, newest first, and why (`reason`)."""
    wanted = wanted_days(store, calendar.settled(now))
    rows: list[Row] = []
    for collection, days in wanted.items():
        if only is not None and collection not in set(only):
            continue
        for day in reversed(days):
            shard = Shard(collection, day)
            entry = store.ledger.days.get(shard)
            if not _is_proven(entry):
                outcome = standing(shard, store.ledger.days, store.boundaries)
                beyond = entry is None and outcome != "pending"
                rows.append(
                    {"dataset": collection.dataset, "selection": collection.selection, "symbol": collection.symbol,
                     "day": day.isoformat(), "outcome": outcome,
                     "reason": "beyond the boundary" if beyond else _why(entry)}
                )  # fmt: skip
    return rows


def _is_proven(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.outcome, Saved) and entry.outcome.proof is Proof.FULL


def _why(entry: Entry | None) -> str:
    if entry is None:
        return "not asked for yet"
    return reason(entry.outcome)


def reason(outcome: Outcome) -> str:
    """Why a day is not proven, in words."""
    if isinstance(outcome, Saved):
        known = {Proof.NO_CONTRACT_LIST: "no contract list to compare with", Proof.ACCEPTED: "accepted by hand"}
        return "; ".join(filter(None, [known.get(outcome.proof, ""), *outcome.remarks]))
    if isinstance(outcome, Empty):
        return f"the vendor has no data (asked {outcome.checks} time{'' if outcome.checks == 1 else 's'})"
    if isinstance(outcome, Refused):
        return outcome.message
    assert isinstance(outcome, Failed)
    return f"{outcome.kind}: {outcome.message}"

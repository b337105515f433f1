"""What `status` says: per collection, from the ledger alone."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from thetabulk.assembly.stores import Store
from thetabulk.model import Collection, Empty, Entry, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.planner import counts, standing

Row = dict[str, object]


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
    """Every wanted day that is not proven, newest first, and why."""
    wanted = wanted_days(store, calendar.settled(now))
    rows = []
    for collection, days in wanted.items():
        if only is not None and collection not in set(only):
            continue
        for day in reversed(days):
            shard = Shard(collection, day)
            entry = store.ledger.days.get(shard)
            if not _is_proven(entry):
                outcome, why = standing(shard, store.ledger.days, store.boundaries), _why(entry)
                beyond = entry is None and outcome != "pending"
                rows.append(
                    {"dataset": collection.dataset, "selection": collection.selection, "symbol": collection.symbol,
                     "day": day.isoformat(), "outcome": outcome, "why": "beyond the boundary" if beyond else why}
                )  # fmt: skip
    return rows


def _is_proven(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.outcome, Saved) and entry.outcome.proof is Proof.FULL


def _why(entry: Entry | None) -> str:
    if entry is None:
        return "not asked for yet"
    return _reason(entry.outcome)


def _reason(outcome: Outcome) -> str:
    if isinstance(outcome, Saved):
        known = {Proof.NO_CONTRACT_LIST: "no contract list to compare with", Proof.ACCEPTED: "accepted by hand"}
        return "; ".join(filter(None, [known.get(outcome.proof, ""), *outcome.remarks]))
    if isinstance(outcome, Empty):
        return f"the vendor has no data (asked {outcome.checks} times)"
    if isinstance(outcome, Refused):
        return outcome.message
    assert isinstance(outcome, Failed)
    return f"{outcome.kind}: {outcome.message}"

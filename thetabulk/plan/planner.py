"""What is to be asked for: the sessions wanted, minus those whose outcome stands.

Pure: the sessions come from the calendar, the entries and boundaries from the ledger, `now` from a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from thetabulk.errors import UsageError
from thetabulk.model import Boundary, Collection, Empty, Entry, Failed, Outcome, Proof, Refused, Saved, Shard

EMPTY_ASKED_AGAIN_DAYS = (1, 7, 30)
"""How long after the first Empty of an older day it is asked again (design: Outcomes): false "no data" answers have
been seen to heal within days (field.md §4.5)."""

_KINDS = {Saved: "saved", Empty: "empty", Refused: "refused", Failed: "failed"}
_BEYOND = {"vendor": "empty", "tier": "refused"}  # what a day older than a boundary counts as; the first that applies


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sessions of a range, newest first; `notes` say how it differs from what was typed."""

    days: tuple[date, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`todo` and the keys of `done` are disjoint, and together what was wanted.

    `todo` goes from the newest day back, the collections interleaved. `done` says saved, empty or refused; those in
    `beyond` lie beyond one of `boundaries` and were never asked for. `failed` are those of `todo` that failed last.
    """

    todo: tuple[Shard, ...]
    done: Mapping[Shard, str]
    beyond: frozenset[Shard] = frozenset()
    failed: frozenset[Shard] = frozenset()
    boundaries: tuple[Boundary, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of `done` are saved, empty and refused."""
        kinds = list(self.done.values())
        return {kind: kinds.count(kind) for kind in ("saved", "empty", "refused")}

    def earlier(self, collection: Collection) -> dict[date, str]:
        """What the walk over a collection has to know of earlier runs: the outcomes that stand, and what failed."""
        stands = {shard.day: kind for shard, kind in self.done.items() if shard.collection == collection}
        failed = {shard.day: "failed" for shard in self.failed if shard.collection == collection}
        beyond = {shard.day for shard in self.beyond if shard.collection == collection}
        return {day: kind for day, kind in (stands | failed).items() if day not in beyond}


@dataclass(frozen=True, slots=True)
class Counts:
    """A collection's line in `status`: `sessions` is the sum of all but `proven`, which is a part of `saved`."""

    saved: int = 0
    proven: int = 0
    empty: int = 0
    refused: int = 0
    failed: int = 0
    pending: int = 0
    bytes: int = 0

    @property
    def sessions(self) -> int:
        return self.saved + self.empty + self.refused + self.failed + self.pending


def wanted_sessions(settled: Sequence[date], first: date, last: date | None = None) -> Wanted:
    """The settled sessions from `first` to `last` (None: to the newest).

    `settled` are all of them, ascending (`Calendar.settled`). UsageError for a range that ends before it begins, that
    begins after the last settled session, or that holds no session; it names the nearest.
    """
    newest = settled[-1]
    end = newest if last is None else last
    if last is not None and first > last:
        raise UsageError(f"the range ends before it begins: from {first} to {last}")
    if first > newest:
        raise UsageError(
            f"no session from {first} on is settled yet; a day is saved from 02:00 New York time of the next day on",
            hint=f"the newest settled session is {newest}",
        )
    start, stop = bisect_left(settled, first), bisect_right(settled, end)
    if start == stop:
        nearest = [day.isoformat() for day in (*settled[max(0, start - 1) : start], *settled[stop : stop + 1])]
        raise UsageError(f"there is no trading day from {first} to {end}", hint=f"nearest: {', '.join(nearest)}")
    notes = []
    if end > newest:
        notes.append(f"--to {end} is cut back to {newest}, the newest settled session")
    if first.year < settled[0].year:
        notes.append(f"--from {first} is before the calendar begins; the first session wanted is {settled[start]}")
    return Wanted(tuple(reversed(settled[start:stop])), tuple(notes))


def sessions_old(settled: Sequence[date], day: date) -> int:
    """How many settled sessions are newer than `day`; 0 for the newest."""
    return len(settled) - bisect_right(settled, day)


def is_due(
    entry: Entry | None, *, now: datetime, sessions_old: int, tier: str, recheck: bool, settle_sessions: int
) -> bool:
    """Whether a day has to be asked for (again), by the table of outcomes.

    Saved never. Failed, and a day without an entry, always. Empty in every run while the day is younger than
    `settle_sessions`, later once after each of 1, 7 and 30 days from the first Empty on, and with `recheck`. Refused
    when the tier's text is another one than then, and with `recheck`; a tier that is not known ("") is no other one.
    """
    if entry is None:
        return True
    outcome = entry.outcome
    if isinstance(outcome, Empty):
        return recheck or sessions_old < settle_sessions or _empty_is_due(outcome, entry.at, now)
    if isinstance(outcome, Refused):
        return recheck or tier not in ("", outcome.asked.tier)
    return isinstance(outcome, Failed)


def _empty_is_due(empty: Empty, last_asked: datetime, now: datetime) -> bool:
    first_empty = empty.since or last_asked
    return any(last_asked < first_empty + timedelta(days=days) <= now for days in EMPTY_ASKED_AGAIN_DAYS)


def build_plan(
    wanted: Mapping[Collection, Sequence[date]],
    entries: Mapping[Shard, Entry],
    boundaries: Iterable[Boundary] = (),
    *,
    settled: Sequence[date],
    now: datetime,
    tier: str,
    recheck: bool = False,
    settle_sessions: int = 10,
) -> Plan:
    """Who is to be asked for, and why the others are not.

    `settled` are all settled sessions, ascending. Days beyond a boundary count without being asked, unless with
    `recheck`; what has failed is asked again even there.
    """
    applied = () if recheck else active_boundaries(boundaries, wanted)
    todo: list[Shard] = []
    done: dict[Shard, str] = {}
    beyond: set[Shard] = set()
    for collection, days in wanted.items():
        limits = _limits(collection, applied)
        for day in days:
            shard = Shard(collection, day)
            entry = entries.get(shard)
            kind = "" if entry is None else kind_of(entry.outcome)
            counted_as = _beyond(day, limits)
            age = sessions_old(settled, day)
            if counted_as and kind in ("", "empty", "refused"):
                done[shard] = kind or counted_as
                beyond |= set() if kind else {shard}
            elif is_due(entry, now=now, sessions_old=age, tier=tier, recheck=recheck, settle_sessions=settle_sessions):
                todo.append(shard)
            else:
                done[shard] = kind
    todo.sort(key=lambda shard: shard.day, reverse=True)  # stable: within a day, in the order of the collections
    failed = frozenset(shard for shard in todo if standing(shard, entries) == "failed")
    return Plan(tuple(todo), done, frozenset(beyond), failed, applied)


def active_boundaries(boundaries: Iterable[Boundary], collections: Iterable[Collection]) -> tuple[Boundary, ...]:
    """Of the ledger's records, in its order, those that hold: the last of a collection and kind, unless it revokes."""
    last = {(boundary.collection, boundary.kind): boundary for boundary in boundaries}
    wanted = set(collections)
    return tuple(boundary for boundary in last.values() if boundary.collection in wanted and boundary.day is not None)


def failed_days(
    wanted: Mapping[Collection, Sequence[date]], entries: Mapping[Shard, Entry]
) -> dict[Collection, tuple[date, ...]]:
    """Of what is wanted, the days that failed last (`resume --failed-only`); collections without one are left out."""
    found = {
        collection: tuple(day for day in days if standing(Shard(collection, day), entries) == "failed")
        for collection, days in wanted.items()
    }
    return {collection: days for collection, days in found.items() if days}


def standing(shard: Shard, entries: Mapping[Shard, Entry], boundaries: Iterable[Boundary] = ()) -> str:
    """How a day stands: saved, empty, refused or failed by its entry, else by a boundary, else pending."""
    entry = entries.get(shard)
    if entry is not None:
        return kind_of(entry.outcome)
    return _beyond(shard.day, _limits(shard.collection, boundaries)) or "pending"


def counts(
    collection: Collection,
    days: Iterable[date],
    entries: Mapping[Shard, Entry],
    boundaries: Iterable[Boundary] = (),
) -> Counts:
    """What `status` says about a collection's wanted days: `proven` has proof `full` only, `bytes` are as stored."""
    known = tuple(boundaries)
    shards = [Shard(collection, day) for day in days]
    kinds = [standing(shard, entries, known) for shard in shards]
    outcomes = [entries[shard].outcome for shard in shards if shard in entries]
    saved = [outcome for outcome in outcomes if isinstance(outcome, Saved)]
    return Counts(
        saved=len(saved),
        proven=sum(outcome.proof is Proof.FULL for outcome in saved),
        empty=kinds.count("empty"),
        refused=kinds.count("refused"),
        failed=kinds.count("failed"),
        pending=kinds.count("pending"),
        bytes=sum(outcome.bytes for outcome in saved),
    )


def kind_of(outcome: Outcome) -> str:
    """saved, empty, refused or failed."""
    return _KINDS[type(outcome)]


def _limits(collection: Collection, boundaries: Iterable[Boundary]) -> dict[str, date]:
    """A collection's boundaries as kind -> first served day."""
    active = active_boundaries(boundaries, (collection,))
    return {boundary.kind: boundary.day for boundary in active if boundary.day is not None}


def _beyond(day: date, limits: Mapping[str, date]) -> str:
    """What a day counts as that lies beyond a boundary, else "". Vendor first: it was found while we were served."""
    return next((counted for kind, counted in _BEYOND.items() if kind in limits and day < limits[kind]), "")

"""`verify --repair`: what is damaged is put aside, what is gone is asked for again, what nobody recorded is examined.

Nothing is deleted. The days are fetched by an ordinary run over exactly these days, and looked at again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from thetabulk.assembly import checks, clock
from thetabulk.assembly.checks import Depth, Problem, Report
from thetabulk.assembly.mirrors import bring_day
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.reconciling import adopt, quarantine
from thetabulk.assembly.statuses import reason
from thetabulk.assembly.stores import Store
from thetabulk.config import Resolved
from thetabulk.errors import AccountError, TerminalUnavailable, UsageError
from thetabulk.model import Failed, Proof, Saved, Shard

Fetch = Callable[[Resolved, tuple[Shard, ...], bool], int]
"""A run over these days; True if it is worth waiting for a Terminal. Returns its exit code, or raises what ended it."""


@dataclass(slots=True)
class Mending:
    """What was put in order before anything was fetched. `again` are the days to fetch, as they were found, `lists`
    those that only lack a contract list."""

    again: list[Problem] = field(default_factory=list)
    lists: list[Shard] = field(default_factory=list)
    brought: set[Shard] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def mend(store: Store, report: Report, grids: Grids) -> Mending:
    """Moves damaged files aside, records what is gone, adopts or puts aside what is unknown. Takes unknown files out of
    the report, except those that are no business of this store's."""
    done = Mending(again=[*report.damaged, *report.missing])
    for problem in report.damaged:
        quarantine(store, problem.shard, _saved(store, problem.shard).asked, "damaged", problem.text)
    for problem in report.missing:
        outcome = store.ledger.days[problem.shard].outcome
        if isinstance(outcome, Saved):  # or else it is known since an earlier look
            store.ledger.record(Failed(problem.shard, outcome.asked, "missing", problem.text), clock.now())
    for problem in list(report.unknown):
        if problem.file == str(store.path_of(problem.shard)):
            with store.volume.translated(store.file_of(problem.shard)):
                done.notes.append(adopt(store, problem.shard, grids))
            report.unknown.remove(problem)
    done.lists = [problem.shard for problem in report.unproven if _lacks_list(store, problem.shard)]
    return done


def bring_from(mirror: Store, store: Store, done: Mending) -> None:
    """Copies what was lost from a mirror, verified on both sides; what the mirror does not have is left to the vendor.
    UsageError if it is the mirror of another store."""
    if mirror.volume.identity.store != store.volume.identity.store:
        raise UsageError(f"{mirror.volume.root} is not a mirror of {store.volume.root}")
    for problem in done.again:
        entry = mirror.ledger.days.get(problem.shard)
        if entry is None or not isinstance(entry.outcome, Saved):
            continue
        try:
            brought = bring_day(mirror, store, entry.outcome)
        except ValueError as error:
            done.notes.append(f"{problem.shard}: not from the mirror: {error}")
            continue
        store.ledger.record(brought, clock.now())
        done.brought.add(problem.shard)


def fetch_again(resolved: Resolved, done: Mending, fetch: Fetch) -> int:
    """Asks for the days, and for contract lists that were missing. For lists alone nobody waits, and nothing fails."""
    left = [problem.shard for problem in done.again if problem.shard not in done.brought]
    shards = tuple(dict.fromkeys([*left, *done.lists]))
    if left:
        return fetch(resolved, shards, True)
    if done.lists:
        with suppress(TerminalUnavailable, AccountError, UsageError):
            fetch(resolved, shards, False)
    return 0


def look_again(store: Store, report: Report, done: Mending, depth: Depth, grids: Grids) -> Report:
    """The report after the run: what was fetched is checked as thoroughly, and is then among `repaired`."""
    repaired: list[Problem] = []
    unproven = [after for before in report.unproven if (after := _still_unproven(store, before, done))]
    fresh = Report(
        report.checked, report.bytes, unknown=report.unknown, unproven=unproven, repaired=repaired,
        notes=[*report.notes, *done.notes], left=report.left, earlier=report.earlier,
    )  # fmt: skip
    for problem in done.again:
        entry = store.ledger.days.get(problem.shard)
        if entry is None or not isinstance(entry.outcome, Saved):
            known = isinstance(entry.outcome, Failed) and entry.outcome.kind in checks.LOST if entry else True
            why = "" if known or entry is None else f" ({reason(entry.outcome)})"
            told = problem.text.removesuffix(" yet").removesuffix("; not fetched again")
            fresh.missing.append(replace(problem, text=f"{told}; not fetched again{why}"))
            continue
        kind, text = checks.look_at(store, entry.outcome, depth, grids)
        if kind:
            getattr(fresh, kind).append(replace(problem, text=text))
        if kind in ("", "unproven"):
            repaired.append(problem)
    return fresh


def _still_unproven(store: Store, problem: Problem, done: Mending) -> Problem | None:
    if problem.shard not in done.lists:
        return problem
    saved = _saved(store, problem.shard)
    return None if saved.proof is Proof.FULL else replace(problem, text=reason(saved) or str(saved.proof))


def _saved(store: Store, shard: Shard) -> Saved:
    outcome = store.ledger.days[shard].outcome
    assert isinstance(outcome, Saved)
    return outcome


def _lacks_list(store: Store, shard: Shard) -> bool:
    return _saved(store, shard).proof is Proof.NO_CONTRACT_LIST

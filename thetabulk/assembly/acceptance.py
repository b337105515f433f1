"""`accept`: an incomplete answer that was kept aside becomes the day, because a person says so."""

from datetime import date

from thetabulk.assembly import clock, stores
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.profiles import profile_in
from thetabulk.assembly.statuses import reason
from thetabulk.assembly.stores import Store
from thetabulk.assembly.wishes import collections_of
from thetabulk.config import Resolved
from thetabulk.errors import StoreDamaged, UsageError
from thetabulk.model import Failed, Proof, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset
from thetabulk.plan.planner import kind_of
from thetabulk.store.layout import kept_path
from thetabulk.store.weighing import Weighed, stored_body, weigh_stored


def accept(resolved: Resolved, day: date) -> tuple[Saved, list[str]]:
    """Promotes what was kept aside of that day of the settings' collection, after another look at it: it must still be
    the answer that was kept, and an answer to our request. Returns the record, and what should be said.

    UsageError if nothing is kept; StoreDamaged if it is not what was kept; StoreBusy if a run is writing.
    """
    path, note = stores.locate(resolved)
    [collection] = collections_of(resolved.config.job)
    shard = Shard(collection, day)
    with stores.opened(path, resolved.config.store, write=True) as store:
        stores.refuse_mirror(store.volume.root)
        failed = _kept(store, shard)
        saved = _promoted(store, failed, Grids(Calendar.load(), profile_in(store)))
        store.ledger.record(saved, clock.now())
        return saved, [text for text in (note, *store.notes) if text]


def _kept(store: Store, shard: Shard) -> Failed:
    entry = store.ledger.days.get(shard)
    if entry is None:
        raise UsageError(f"{shard} has not been asked for", hint=_elsewhere(store))
    outcome = entry.outcome
    if isinstance(outcome, Saved):
        raise UsageError(f"{shard} is saved already (proof {outcome.proof})")
    if not isinstance(outcome, Failed) or not outcome.kept:
        raise UsageError(
            f"nothing is kept aside of {shard}: it is {kind_of(outcome)} ({reason(outcome)})", hint=_elsewhere(store)
        )
    return outcome


def _elsewhere(store: Store) -> str:
    outcomes = [entry.outcome for entry in store.ledger.days.values()]
    kept = sorted(str(one.shard) for one in outcomes if isinstance(one, Failed) and one.kept)
    return f"answers are kept aside of: {', '.join(kept[:5])}" if kept else "no answer is kept aside in this store"


def _promoted(store: Store, failed: Failed, grids: Grids) -> Saved:
    """The file in its place, and what is to be recorded of it."""
    shard, aside = failed.shard, kept_path(failed.shard, store.format)  # derived, never read from the ledger
    weighed = _weighed(store, failed, grids)
    source, target = store.volume.path(aside), store.path_of(shard)
    with store.volume.translated(source):
        sha256, size, _ = store.volume.disk.digest(source)
    store.volume.move(aside, target)
    facts = store.volume.facts(target)
    if facts is None or facts[0] != size:
        raise StoreDamaged(f"{store.file_of(shard)} changed while it was put in place")
    return Saved(
        shard, failed.asked, Proof.ACCEPTED, weighed.rows, weighed.contracts, size, facts[1], sha256,
        weighed.vendor_bytes, weighed.vendor_xxh3, weighed.content, weighed.remarks,
    )  # fmt: skip


def _weighed(store: Store, failed: Failed, grids: Grids) -> Weighed:
    """The kept answer, read again: class A of its content rules, and the same content as when it was kept."""
    shard = failed.shard
    aside = kept_path(shard, store.format)
    kind, path = dataset(shard.collection.dataset), store.volume.path(aside)
    if store.volume.facts(aside) is None:
        store.volume.check()
        raise StoreDamaged(f"the answer kept aside of {shard} is gone: {path}", hint="thetabulk resume asks again")
    try:
        with store.volume.translated(path):
            listed = store.lists.read(shard.symbol, shard.day)
            body = stored_body(path, kind, store.format)
            weighed = weigh_stored(body, shard, kind, grids.of(shard), listed, grids.habits(shard))
    except ValueError as error:
        raise StoreDamaged(
            f"the answer kept aside of {shard} is damaged: {error}", hint="thetabulk resume asks again"
        ) from error
    if weighed.content != failed.content:
        raise StoreDamaged(
            f"the answer kept aside of {shard} is not the one that was kept", hint="thetabulk resume asks again"
        )
    return weighed

"""Contract lists that were missing: asked for again, and the proof of their days brought up to date.

A day that turns out to lack contracts would not have been saved with the list at hand, and does not stay saved: a cut
between two contracts shows in nothing else (found with simulated runs).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from thetabulk.assembly import clock
from thetabulk.assembly.profiles import habits_of, profile_in
from thetabulk.assembly.reconciling import Lacking, keep_aside
from thetabulk.assembly.stores import Store
from thetabulk.events import Emit, Notice
from thetabulk.fetch.fetcher import in_thread
from thetabulk.model import Contract, Proof, Saved, Shard
from thetabulk.plan.datasets import dataset
from thetabulk.wording import counted


async def ask_missing_lists(
    store: Store, contracts: Callable[[Shard], Awaitable[frozenset[Contract] | None]], shards: Iterable[Shard],
    emit: Emit,
) -> int:  # fmt: skip
    """How many days were saved without a list and could be compared with one now."""
    mended = 0
    for shard in shards:
        entry = store.ledger.days.get(shard)
        saved = entry.outcome if entry else None
        if not isinstance(saved, Saved) or saved.proof is not Proof.NO_CONTRACT_LIST:
            continue
        listed = await contracts(shard)
        if listed is None:
            continue
        try:
            proven = await in_thread(with_list, store, saved, listed)
        except Lacking as lacking:
            await in_thread(keep_aside, store, lacking.found)
            emit(Notice(f"{shard}: {lacking}; kept aside, and asked for again by `thetabulk resume`", "warning"))
            continue
        except ValueError as error:
            emit(Notice(f"{shard}: the file cannot be read ({error}): thetabulk verify", "warning"))
            continue
        store.ledger.record(proven, clock.now())
        mended += 1
    if mended:
        emit(Notice(f"{counted(mended, 'day', 'was', 'were')} compared with contract lists that had been missing"))
    return mended


def with_list(store: Store, saved: Saved, listed: frozenset[Contract]) -> Saved:
    """The same day, its proof decided with the vendor's list. Raises Lacking if more contracts are absent than may be,
    and ValueError if the file cannot be read."""
    from thetabulk.store.validate import compare_with_list, lacks_contracts  # numpy; most runs miss no list
    from thetabulk.store.weighing import stored_contracts

    shard = saved.shard
    kind = dataset(shard.collection.dataset)
    with store.volume.translated(store.file_of(shard)):
        received = stored_contracts(store.file_of(shard), shard, kind, store.format)
    habits = habits_of(profile_in(store), kind, half_day=False)  # only its shares are asked for: the rows are here
    if lack := lacks_contracts(kind, shard.collection, shard.day, received, listed, habits):
        raise Lacking(replace(saved, remarks=(lack, *saved.remarks)), lack)
    remarks = compare_with_list(kind, shard.collection, shard.day, received, listed)
    return replace(saved, proof=Proof.REMARKS if remarks else Proof.FULL, remarks=saved.remarks + remarks)

"""`store info`: what a store is."""

from dataclasses import dataclass

from thetabulk.assembly import stores
from thetabulk.assembly.stores import Store
from thetabulk.config import Resolved
from thetabulk.model import Failed, Saved


@dataclass(frozen=True, slots=True)
class Portrait:
    """The JSON of `thetabulk store info`, and what should be said beside it."""

    document: dict[str, object]
    notes: tuple[str, ...] = ()


def portrait(resolved: Resolved) -> Portrait:
    """Takes no lock, and changes nothing. UsageError, DriveGone as for every store."""
    path, note = stores.locate(resolved)
    with stores.opened(path, resolved.config.store, write=False) as store:
        return Portrait(_document(store), tuple(text for text in (note, *store.notes) if text))


def _document(store: Store) -> dict[str, object]:
    identity, ledger = store.volume.identity, store.ledger
    outcomes = [entry.outcome for entry in ledger.days.values()]
    saved = [outcome for outcome in outcomes if isinstance(outcome, Saved)]
    with store.volume.translated(ledger.path):
        lines = store.volume.disk.read(ledger.path).count(b"\n") if ledger.path.exists() else 0
    return {
        "path": str(store.volume.root), "store": identity.store, "created": f"{identity.created:%Y-%m-%dT%H:%M:%SZ}",
        "version": identity.version, "format": identity.format, "prices": identity.prices, "source": identity.source,
        "mirror": stores.is_mirror(store.volume.root), "filesystem": store.volume.filesystem or "unknown",
        "free_bytes": store.volume.free_bytes(), "saved": len(saved),
        "stored_bytes": sum(one.bytes for one in saved), "vendor_bytes": sum(one.vendor_bytes for one in saved),
        "kept_aside": sum(isinstance(one, Failed) and bool(one.kept) for one in outcomes),
        "ledger_lines": lines, "damaged_lines": len(ledger.damaged), "jobs": len(ledger.jobs),
        "boundaries": len(ledger.boundaries), "contract_lists": len(ledger.contracts),
        "collections": [str(one) for one in sorted({shard.collection for shard in ledger.days})],
    }  # fmt: skip

"""`SHA256SUMS` per collection, so that `sha256sum -c` proves a store without thetabulk:
`cd STORE && sha256sum --check --quiet .thetabulk/sums/option/quote/1m/QQQ.sha256`.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from thetabulk.assembly.stores import Store
from thetabulk.model import Collection, Saved
from thetabulk.store.layout import INTERNAL, encode_symbol

SUMS = PurePosixPath(INTERNAL, "sums")


def sums_path(collection: Collection) -> PurePosixPath:
    return SUMS / collection.folder / f"{encode_symbol(collection.symbol)}.sha256"


def write_sums(store: Store, collections: Iterable[Collection]) -> None:
    """Brings the lists of these collections up to date with the ledger; whole files, replaced at once."""
    lines: dict[Collection, list[str]] = {collection: [] for collection in collections}
    for shard, entry in sorted(store.ledger.days.items()):
        if shard.collection in lines and isinstance(entry.outcome, Saved):
            lines[shard.collection].append(f"{entry.outcome.sha256}  {store.path_of(shard)}\n")
    for collection, some in lines.items():
        path = sums_path(collection)
        text = "".join(some).encode()
        store.volume.folder(path.parent)
        with store.volume.translated(store.volume.path(path)):
            if _current(store, path) != text:
                store.volume.disk.write_file(store.volume.path(path), text)


def _current(store: Store, path: PurePosixPath) -> bytes:
    try:
        return store.volume.path(path).read_bytes()
    except FileNotFoundError:
        return b""

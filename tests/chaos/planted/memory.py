"""Bugs in what the ledger says, and in what is made of it."""

from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import thetabulk.assembly.reconciling
import thetabulk.ledger.reconcile
import thetabulk.store.layout
from tests.chaos.planted import bug, put
from thetabulk.assembly.stores import Store
from thetabulk.ledger.journal import Ledger
from thetabulk.ledger.lock import Lock
from thetabulk.ledger.reconcile import Action, FileFacts
from thetabulk.model import Asked, Entry, Outcome, Proof, Saved, Shard
from thetabulk.store.part import Committed, Part
from thetabulk.store.volume import Volume


@bug
def ledger_before_rename() -> None:
    """A day is recorded first, and put in place afterwards."""
    waiting: list[tuple[Part, Path, Path]] = []
    record = Ledger.record

    def commit(self: Part, target: PurePosixPath) -> Committed:
        self.close()
        sync = self._settle()
        self._volume.folder(target.parent)
        aside = self.path.with_suffix(".later")
        self._disk.replace(self.path, aside)
        self._committed = True
        facts = self._disk.file_facts(aside)
        assert facts is not None
        waiting.append((self, aside, self._volume.path(target)))
        if target.suffix != ".parquet":
            put_in_place()
        return Committed(self._running.hexdigest(), self._size, facts[1], sync, "cached")

    def put_in_place() -> None:
        while waiting:
            part, aside, final = waiting.pop()
            part._disk.replace(aside, final)
            part._disk.sync_folder(final.parent)

    def record_first(self: Ledger, outcome: Outcome, at: datetime) -> Entry:
        entry = record(self, outcome, at)
        put_in_place()
        return entry

    put("thetabulk.store.part.Part.commit", commit)
    put("thetabulk.ledger.journal.Ledger.record", record_first)


@bug
def exists_means_done() -> None:
    """A file under its final name is taken for a day."""

    def taken(store: Store, shard: Shard, asked: Asked, grids: Any) -> Saved:
        path = store.file_of(shard)
        sha256, size, _ = store.volume.disk.digest(path)
        return Saved(shard, asked, Proof.FULL, 0, 0, size, path.stat().st_mtime_ns, sha256, 0, "", "")

    put("thetabulk.assembly.reconciling.examined", taken)


@bug
def size_means_good() -> None:
    """A file of the recorded size is the recorded file."""
    decide = thetabulk.ledger.reconcile.decide

    def by_size(entry: Entry | None, facts: FileFacts | None) -> Action:
        action = decide(entry, facts)
        return Action.TRUST if action is Action.HASH else action

    put("thetabulk.ledger.reconcile.decide", by_size)


@bug
def quarantine_overwrites() -> None:
    """There is one place for a damaged file, and the next one takes it."""
    put(
        "thetabulk.assembly.reconciling.quarantine_path",
        lambda path, token: thetabulk.store.layout.QUARANTINE / path.name,
    )

    def move(self: Volume, source: PurePosixPath, target: PurePosixPath) -> None:
        self.folder(target.parent)
        self.disk.replace(self.path(source), self.path(target))

    put("thetabulk.store.volume.Volume.move", move)


@bug
def read_error_deletes() -> None:
    """What cannot be read is no good, and goes."""
    mend = thetabulk.assembly.reconciling._mend

    def tidy(store: Store, shard: Shard, action: Action, grids: Any) -> str:
        try:
            return mend(store, shard, action, grids)
        except OSError:
            store.file_of(shard).unlink()
            return "removed"

    put("thetabulk.assembly.reconciling._mend", tidy)


@bug
def path_from_ledger() -> None:
    """A day's file lies where its record says."""
    put("thetabulk.store.layout.encode_symbol", lambda symbol: symbol)
    thetabulk.assembly.stores.Store.path_of = (  # type: ignore[method-assign]
        lambda self, shard: (
            PurePosixPath(f"option/quote/1m/{shard.symbol}.{self.format}")
            if "/" in shard.symbol
            else thetabulk.store.layout.data_path(shard, self.format)
        )
    )
    put("thetabulk.store.volume.Volume.path", lambda self, relative: self.root.joinpath(*relative.parts))
    put(
        "thetabulk.assembly.reconciling.quarantine_path",
        lambda path, token: thetabulk.store.layout.QUARANTINE / path.name,
    )


@bug
def lock_by_age() -> None:
    """A lock that is older than an hour belongs to nobody."""
    acquire = Lock.acquire

    def acquire_old(self: Lock) -> Lock:
        for place in self._places:
            if place.exists() and datetime.now().timestamp() - place.stat().st_mtime > 3_600:  # noqa: DTZ005
                place.unlink()
        return acquire(self)

    put("thetabulk.ledger.lock.Lock.acquire", acquire_old)
    put("thetabulk.ledger.lock.Lock.__enter__", acquire_old)

"""A second copy on a second drive: every day read, hashed, written, read back, and recorded there too."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from thetabulk.assembly import clock
from thetabulk.assembly.stores import MIRROR_MARK, Store, is_mirror, new_disk, opened
from thetabulk.config import StoreConfig
from thetabulk.errors import UsageError
from thetabulk.ledger.payload import ContractList
from thetabulk.model import Saved, Shard
from thetabulk.store.disk import BLOCK_BYTES
from thetabulk.store.layout import contracts_path
from thetabulk.store.volume import create_store


@dataclass(slots=True)
class Mirrored:
    """What a mirroring did. `damaged` are days whose file is not what the source's ledger says: not copied."""

    copied: int = 0
    bytes: int = 0
    kept: int = 0
    damaged: list[tuple[Shard, str]] = field(default_factory=list)


def mirror(path: Path, target: Path, settings: StoreConfig, tell: Callable[[str], None]) -> Mirrored:
    """Brings the copy at `target` up to date with the store at `path`; repeatable, and safe to interrupt anywhere.

    The copy is made if there is none. UsageError if another store is there; the drives' errors as ours.
    """
    done = Mirrored()
    with opened(path, settings, write=False) as source, _copy(source, target, settings) as copy:
        days = sorted(source.ledger.days.items())
        for number, (shard, entry) in enumerate(days, 1):
            if not isinstance(entry.outcome, Saved):
                if _differs(copy, shard, entry.outcome):
                    copy.ledger.record(entry.outcome, entry.at)
                continue
            _copy_day(source, copy, entry.outcome, done)
            tell(f"{number} of {len(days)} days")
        _copy_rest(source, copy)
    return done


@contextmanager
def _copy(source: Store, target: Path, settings: StoreConfig) -> Iterator[Store]:
    """The copy, locked for us; made first if there is none."""
    identity = source.volume.identity
    if target.resolve() == source.volume.root:
        raise UsageError("a store cannot be its own mirror", hint="name a folder on a second drive")
    if not (target / "thetabulk.json").exists():
        made = {"of": identity.store, "path": str(source.volume.root)}
        mark = json.dumps(made).encode() + b"\n"
        create_store(target, identity, disk=new_disk(), marks={MIRROR_MARK: mark})  # never a copy without its mark
    lock_name = f"{identity.store}-mirror"
    with opened(target, settings, write=True, lock_name=lock_name, remember=False) as copy:
        if copy.volume.identity.store != identity.store or not is_mirror(copy.volume.root):
            raise UsageError(f"{target} is another store", hint="a mirror needs a folder of its own")
        yield copy


def _differs(copy: Store, shard: Shard, outcome: object) -> bool:
    known = copy.ledger.days.get(shard)
    return known is None or known.outcome != outcome


def _copy_day(source: Store, copy: Store, saved: Saved, done: Mirrored) -> None:
    known = copy.ledger.days.get(saved.shard)
    there = copy.volume.facts(copy.path_of(saved.shard))
    same = known and isinstance(known.outcome, Saved) and known.outcome.sha256 == saved.sha256
    if same and there and there[0] == saved.bytes:
        done.kept += 1
        return
    try:
        brought = bring_day(source, copy, saved)
    except ValueError as error:
        done.damaged.append((saved.shard, str(error)))
        return
    copy.ledger.record(brought, clock.now())
    done.copied += 1
    done.bytes += saved.bytes


def bring_day(source: Store, target: Store, saved: Saved) -> Saved:
    """Copies a day's file from one store into another, under the same name. Returns the record for it there.

    ValueError if the source's file is missing or not what `saved` says: nothing is put in place then.
    """
    path = source.file_of(saved.shard)
    with target.day_part(saved.shard) as part:
        with source.volume.translated(path):
            if source.volume.disk.file_facts(path) is None:
                raise ValueError("the file is missing")
            with path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    part.write(block)
        part.close()
        if part.sha256 != saved.sha256:
            raise ValueError("the file is not the recorded one (its sha256 differs)")
        put = part.commit(target.path_of(saved.shard))
    return replace(saved, mtime_ns=put.mtime_ns)


def _copy_rest(source: Store, copy: Store) -> None:
    """Jobs, boundaries, and the vendor's contract lists."""
    for job in source.ledger.jobs.values():
        if copy.ledger.jobs.get(job.id) != job:
            copy.ledger.record_job(job, clock.now())
    for key, boundary in source.ledger.boundaries.items():
        if copy.ledger.boundaries.get(key) != boundary:
            copy.ledger.record_boundary(boundary, clock.now())
    for (symbol, day), listed in source.ledger.contracts.items():
        if copy.ledger.contracts.get((symbol, day)) != listed:
            _copy_list(source, copy, listed)


def _copy_list(source: Store, copy: Store, listed: ContractList) -> None:
    path = contracts_path(listed.symbol, listed.day)
    with source.volume.translated(source.volume.path(path)):
        try:
            packed = source.volume.path(path).read_bytes()
        except FileNotFoundError:
            return  # it can be asked for again
    with copy.list_part() as part:
        part.write(packed)
        part.commit(path)
    copy.ledger.record_contracts(listed, clock.now())

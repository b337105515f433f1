"""`store rebuild`: the ledger from the files alone.

What a file does not know cannot be rebuilt: empty and refused days, boundaries, jobs. They are asked for again.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from pathlib import Path, PurePosixPath

from thetabulk.assembly import clock, stores
from thetabulk.assembly.checks import Problem, files_of_ours
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.profiles import profile_in
from thetabulk.assembly.reconciling import examined
from thetabulk.assembly.stores import Store
from thetabulk.config import Resolved
from thetabulk.ledger.journal import NAME, Ledger
from thetabulk.ledger.payload import ContractList
from thetabulk.model import Asked, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset, request_for
from thetabulk.plan.profile import Profile
from thetabulk.store.layout import CONTRACTS, TMP, contracts_path, decode_symbol


@dataclass(slots=True)
class Rebuilt:
    """What became of it: `days` are recorded, `problems` are files that were left alone, `kept` is the old ledger."""

    days: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, object]:
        return {
            "days": self.days,
            "bytes": self.bytes,
            "problems": [problem.row() for problem in self.problems],
            "kept": self.kept,
            "lost": self.lost,
        }


def rebuild(resolved: Resolved, progress: Callable[[int, int, int, int], None]) -> Rebuilt:
    """Examines every file of ours in the chosen store, and writes a ledger of those that are whole. The old one is kept
    beside it; nothing is deleted, and until the last moment the old one is in its place.

    StoreBusy if a run is writing; the drive's errors as ours.
    """
    path, note = stores.locate(resolved)
    with stores.opened(path, resolved.config.store, write=True) as store:
        grids = Grids(Calendar.load(), profile_in(store))
        stores.refuse_mirror(store.volume.root)
        done = Rebuilt(notes=[text for text in (note, *store.notes) if text])
        saved = _whole_files(store, grids, done, progress)
        done.lost = _lost(store, {one.shard for one in saved})
        _replace_ledger(store, saved, done)
        return done


def _whole_files(
    store: Store, grids: Grids, done: Rebuilt, progress: Callable[[int, int, int, int], None]
) -> list[Saved]:  # fmt: skip
    found = [(path, shard) for path, shard in files_of_ours(store) if path == store.path_of(shard)]
    sizes = [facts[0] if (facts := store.volume.facts(path)) else 0 for path, _ in found]
    saved, total = [], sum(sizes)
    for number, ((path, shard), before) in enumerate(zip(found, accumulate([0, *sizes]), strict=False)):
        progress(number, len(found), before, total)
        try:
            with store.volume.translated(store.file_of(shard)):
                asked = Asked(request_for(shard, dataset(shard.collection.dataset)).text)
                saved.append(examined(store, shard, asked, grids))
        except ValueError as error:
            done.problems.append(Problem(shard, str(path), f"not recorded, and left where it is: {error}"))
    progress(len(found), len(found), total, total)
    done.days, done.bytes = len(saved), sum(one.bytes for one in saved)
    return saved


def _lost(store: Store, rebuilt: set[Shard]) -> dict[str, int]:
    """What the old ledger knows, as far as it can be read, and the new one does not."""
    kinds = [type(entry.outcome).__name__.lower() for shard, entry in store.ledger.days.items() if shard not in rebuilt]
    counted = {kind: kinds.count(kind) for kind in ("saved", "empty", "refused", "failed")}
    counted |= {"boundaries": len(store.boundaries), "jobs": len(store.ledger.jobs)}
    return {name: number for name, number in counted.items() if number}


def _replace_ledger(store: Store, saved: list[Saved], done: Rebuilt) -> None:
    """The new ledger is written aside and flushed; the old one and the generation before it are kept under other names;
    only then the new one takes its place."""
    disk, old = store.volume.disk, store.ledger.path
    token = f"{clock.now():%Y%m%dT%H%M%S}"
    scratch = store.volume.folder(TMP / "rebuild")
    with disk.translated(scratch):
        for left in scratch.iterdir():  # by a rebuild that was killed
            disk.remove(left)
    with Ledger.open(scratch, write=True, disk=disk) as fresh:
        for one in saved:
            fresh.record(one, clock.now())
        for listed in _kept_lists(store):
            fresh.record_contracts(listed, clock.now())
        if (profile := profile_in(store)) != Profile():
            fresh.record_profile(profile.to_fields(), clock.now())
    store.ledger.close()
    previous, ending = old.with_name(f"{NAME}.1"), f"before-rebuild-{token}"
    with disk.translated(old):
        disk.write_file(old.with_name(f"{NAME}.{ending}"), disk.read(old))  # a copy: there is always a ledger
        done.kept.append(f"{NAME}.{ending}")
        if previous.exists():
            disk.replace(previous, old.with_name(f"{NAME}.1.{ending}"))
            done.kept.append(f"{NAME}.1.{ending}")
        disk.replace(scratch / NAME, old)
        disk.sync_folder(old.parent)
    with suppress(OSError):
        disk.remove(scratch / NAME)
        disk.remove_folder(scratch)


def _kept_lists(store: Store) -> Iterator[ContractList]:
    """The contract lists that lie in the store and can be read."""
    root = store.volume.root
    with store.volume.translated(root):
        for file in sorted(store.volume.path(CONTRACTS).rglob("[!.]*.csv.zst")):
            path = PurePosixPath(file.relative_to(root).as_posix())
            symbol, day = decode_symbol(file.parent.parent.name), _day_of(file)
            if symbol is None or day is None or contracts_path(symbol, day) != path:
                continue
            body, listed = store.lists.body(symbol, day), store.lists.read(symbol, day)
            if body is not None and listed is not None:
                yield ContractList(symbol, day, len(listed), hashlib.sha256(body).hexdigest())


def _day_of(file: Path) -> date | None:
    try:
        return date.fromisoformat(file.name.removesuffix(".csv.zst"))
    except ValueError:
        return None

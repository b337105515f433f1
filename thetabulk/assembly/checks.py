"""`verify`: does the drive still hold what was saved? Nothing is changed here (see repairs.py for that).

A read error is never taken for damage: it is the drive's (DriveGone), and says nothing about the file.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import ceil
from pathlib import Path, PurePosixPath

from thetabulk.assembly import clock
from thetabulk.assembly.footers import contradiction, wrong_place
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.statuses import reason
from thetabulk.assembly.stores import Store
from thetabulk.assembly.twins import twins
from thetabulk.errors import UsageError
from thetabulk.ledger.journal import Ledger
from thetabulk.model import Failed, Proof, Saved, Shard
from thetabulk.plan.datasets import dataset
from thetabulk.store import layout
from thetabulk.store.stored import read_footer
from thetabulk.store.weighing import stored_body, weigh_stored

Progress = Callable[[int, int, int, int], None]
"""Files and bytes so far, of how many files and bytes in all: (files, of files, bytes, of bytes)."""


LOST = ("damaged", "missing")
"""Kinds of failure of days that had been saved (start-up and repairs record them): until they are saved again, they are
missing."""


class Depth(IntEnum):
    QUICK = 1  # every record has its file: size, and for Parquet the footer
    FULL = 2  # and its sha256
    DEEP = 3  # and it prints the vendor's CSV again, which keeps the content rules


@dataclass(frozen=True, slots=True)
class Problem:
    shard: Shard
    file: str
    text: str

    def row(self) -> dict[str, str]:
        """The entry of design §3."""
        return {
            "dataset": self.shard.collection.dataset,
            "symbol": self.shard.symbol,
            "day": self.shard.day.isoformat(),
            "file": self.file,
            "problem": self.text,
        }


@dataclass(slots=True)
class Report:
    """What was found. `repaired` is None unless repairs were wanted; `left` files were not reached in time, `earlier`
    were found good by the interrupted verify that this one goes on with; `signal` is what ended it, if one did."""

    checked: int = 0
    bytes: int = 0
    damaged: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    unproven: list[Problem] = field(default_factory=list)
    repaired: list[Problem] | None = None
    notes: list[str] = field(default_factory=list)
    left: int = 0
    earlier: int = 0
    signal: int = 0

    def document(self) -> dict[str, object]:
        """The JSON of design §3, with `repaired` if repairs were wanted."""
        found: dict[str, object] = {"checked": self.checked, "bytes": self.bytes}
        if self.left:
            found["left"] = self.left
        if self.earlier:
            found["earlier"] = self.earlier
        for name in ("damaged", "missing", "unknown", "unproven", "repaired"):
            if (problems := getattr(self, name)) is not None:
                found[name] = [problem.row() for problem in problems]
        return found

    def exit_code(self, *, strict: bool) -> int:
        """That of the signal; 10 while damaged or missing files remain; 3 with `strict` if days are unproven."""
        if self.signal:
            return 128 + self.signal
        return 10 if self.damaged or self.missing else 3 if strict and self.unproven else 0


def saved_days(store: Store, symbols: Collection[str] = ()) -> list[Saved]:
    """The recorded days, of some symbols or of all, in the order of their files. UsageError for a symbol of which the
    store knows nothing."""
    held = sorted({shard.symbol for shard in store.ledger.days})
    for symbol in symbols:
        if symbol not in held:
            raise UsageError(f"the store has nothing of {symbol}", hint=f"it has {', '.join(held) or 'nothing yet'}")
    outcomes = [entry.outcome for entry in store.ledger.days.values()]
    found = [outcome for outcome in outcomes if isinstance(outcome, Saved)]
    return sorted((saved for saved in found if not symbols or saved.shard.symbol in symbols), key=lambda one: one.shard)


def sampled(days: Sequence[Saved], percent: float) -> list[Saved]:
    """So many of them, by chance, at least one."""
    chosen = sorted(days, key=lambda _: clock.rng())[: ceil(len(days) * percent / 100)]
    return sorted(chosen, key=lambda saved: saved.shard)


def check(
    store: Store, days: Sequence[Saved], depth: Depth, grids: Grids, *, symbols: Collection[str] = (),
    progress: Progress = lambda *_: None, time_is_up: Callable[[], bool] = lambda: False,
    looked_at: Callable[[Saved, str], None] = lambda saved, kind: None,
) -> Report:  # fmt: skip
    """Looks at these days, in this order, and for files of ours that no record speaks of. `time_is_up` ends it early.
    DriveGone when the drive does not answer."""
    report = Report(missing=list(_lost_days(store, symbols)))
    files = list(_files(store))
    candidates = list(_without_record(store, symbols, files))
    total = sum(saved.bytes for saved in days)
    for number, saved in enumerate(days):
        progress(number, len(days), report.bytes, total)
        if time_is_up():
            report.left = len(days) - number
            break
        looked_at(saved, _count(store, saved, depth, grids, report))
    progress(report.checked, len(days), report.bytes, total)
    report.unknown = [*_still_without_record(store, candidates), *_twins(store, symbols, files)]
    return report


def _lost_days(store: Store, symbols: Collection[str]) -> Iterator[Problem]:
    for shard, entry in sorted(store.ledger.days.items(), key=lambda pair: pair[0]):
        outcome = entry.outcome
        if isinstance(outcome, Failed) and outcome.kind in LOST and (not symbols or shard.symbol in symbols):
            yield Problem(shard, str(store.path_of(shard)), f"{outcome.message}; not fetched again yet")


def look_at(store: Store, saved: Saved, depth: Depth, grids: Grids) -> tuple[str, str]:
    """("damaged", "missing", "unproven" or "", and what is wrong) about a recorded day."""
    facts = store.volume.facts(store.path_of(saved.shard))
    if facts is None:
        store.volume.check()  # or else the drive is gone, and no file is missing
        return "missing", "the recorded file is gone"
    broken = ""
    with store.volume.translated(store.file_of(saved.shard)):
        changed = _changed(store, saved, facts[0], depth)
        if not changed and depth is Depth.DEEP:
            changed, broken = _printed(store, saved, grids)
    if changed:
        store.volume.check()
        return "damaged", changed
    if saved.proof is not Proof.FULL:
        return "unproven", reason(saved) or str(saved.proof)
    return ("unproven" if broken else ""), broken


def _count(store: Store, saved: Saved, depth: Depth, grids: Grids, report: Report) -> str:
    """What the file is, as `look_at` says it."""
    report.checked += 1
    report.bytes += saved.bytes
    kind, text = look_at(store, saved, depth, grids)
    if kind:
        problems: list[Problem] = getattr(report, kind)
        problems.append(Problem(saved.shard, str(store.path_of(saved.shard)), text))
    return kind


def _changed(store: Store, saved: Saved, size: int, depth: Depth) -> str:
    """How the file differs from the recorded one, as far as size, hash and footer tell."""
    path = store.file_of(saved.shard)
    if size != saved.bytes:
        return f"{size} bytes, recorded with {saved.bytes}"
    if depth >= Depth.FULL and store.volume.disk.digest(path)[0] != saved.sha256:
        return "sha256 is not that of the ledger"
    text = _footer_problem(path, saved) if store.format == "parquet" else ""
    if text and depth is Depth.QUICK:
        store.volume.disk.digest(path)  # read in full before it is called damaged: a read error ends the check here
    return text


def _footer_problem(path: Path, saved: Saved) -> str:
    try:
        footer = read_footer(path)
    except ValueError as error:
        return str(error)
    return wrong_place(footer, saved.shard) or contradiction(footer, saved)


def _printed(store: Store, saved: Saved, grids: Grids) -> tuple[str, str]:
    """The vendor's CSV, printed again: how it is not what was received; and, for a day recorded as proven, which of
    today's content rules it breaks, with the contract list that is kept in the store."""
    shard = saved.shard
    kind = dataset(shard.collection.dataset)
    listed = store.lists.read(shard.symbol, shard.day)
    body = stored_body(store.file_of(shard), kind, store.format)
    try:
        weighed = weigh_stored(body, shard, kind, grids.of(shard), listed, grids.habits(shard))
    except ValueError as error:
        return str(error), ""
    if weighed.vendor_xxh3 != saved.vendor_xxh3:
        return "it prints another CSV than was received", ""
    if weighed.content != saved.content:
        return "its content is not that of the ledger", ""
    said = weighed.findings.lacking + weighed.findings.surplus
    return "", f"recorded as proven, but: {'; '.join(said)}" if said else ""


def files_of_ours(store: Store) -> Iterator[tuple[PurePosixPath, Shard]]:
    """Every file in the data folders whose path is that of a day, of whatever format. macOS's `._` twins are not."""
    return _ours(_files(store))


def _ours(files: Iterable[PurePosixPath]) -> Iterator[tuple[PurePosixPath, Shard]]:
    return ((path, shard) for path in files if (shard := layout.shard_of(path)) is not None)


def _files(store: Store) -> Iterator[PurePosixPath]:
    """Every file in the data folders, but for macOS's `._` ones, in the order of their paths."""
    root = store.volume.root
    with store.volume.translated(root):
        for folder, folders, files in os.walk(root, onerror=_raise):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith("._"):
                    yield PurePosixPath(Path(folder, name).relative_to(root).as_posix())


def _raise(error: OSError) -> None:
    """`os.walk` would skip what it cannot list."""
    raise error


def _twins(store: Store, symbols: Collection[str], files: Iterable[PurePosixPath]) -> Iterator[Problem]:
    recorded = {store.path_of(saved.shard): saved.shard for saved in saved_days(store, symbols)}
    for path, shard in twins(files, recorded):
        text = (
            f"on some disks the same name as {store.path_of(shard).name} (case, composition): move it out of the store"
        )
        yield Problem(shard, str(path), text)


def _without_record(
    store: Store, symbols: Collection[str], files: Iterable[PurePosixPath]
) -> Iterator[tuple[PurePosixPath, Shard]]:  # fmt: skip
    for path, shard in _ours(files):
        entry = store.ledger.days.get(shard)
        known = entry is not None and isinstance(entry.outcome, Saved) and path == store.path_of(shard)
        if not known and (not symbols or shard.symbol in symbols):
            yield path, shard


def _still_without_record(store: Store, candidates: Iterable[tuple[PurePosixPath, Shard]]) -> list[Problem]:
    """A run may have been writing meanwhile: its ledger is read again before a file is called unknown."""
    found = list(candidates)
    if not found:
        return []
    with Ledger.open(store.ledger.path.parent, write=False, disk=store.volume.disk) as ledger:
        entries = dict(ledger.days)
    problems = []
    for path, shard in found:
        entry = entries.get(shard)
        if path != store.path_of(shard):
            text = f"a {layout.format_of(path)} file in a store of {store.format}"
        elif entry is None:
            text = "a file without a record"
        elif isinstance(entry.outcome, Saved):
            continue
        else:
            text = f"a file of a day that is recorded as {type(entry.outcome).__name__.lower()}"
        problems.append(Problem(shard, str(path), text))
    return problems

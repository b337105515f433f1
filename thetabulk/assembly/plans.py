"""What a download would do, without a Terminal: nothing is asked, and what had to be assumed is said."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from thetabulk.assembly import clock, stores
from thetabulk.assembly.limits import too_large_days
from thetabulk.assembly.profiles import profile_in
from thetabulk.assembly.stores import Store
from thetabulk.assembly.wishes import Wish, wish_of
from thetabulk.config import Config, Resolved, parse_tiers
from thetabulk.errors import UsageError
from thetabulk.model import Boundary, Collection, Saved, Tier
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset
from thetabulk.plan.evidence import NOTHING, Foretold, Past, Range, from_published, from_saved_days
from thetabulk.plan.planner import Plan, build_plan

LARGE_BYTES = 100_000_000_000
"""Before a download that may become larger than this, a person is asked."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would be done. `free_bytes` is None if it is not known where; `expected` what would be stored, None if
    there is no evidence for some collection."""

    store: str
    exists: bool
    free_bytes: int | None
    floor_bytes: int
    tier: Tier
    tier_assumed: bool
    first: date
    last: date
    rows: tuple[Row, ...]
    expected: Range | None
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> str:
        """yes, no, perhaps, or unknown."""
        if self.expected is None or self.free_bytes is None:
            return "unknown"
        room = self.free_bytes - self.floor_bytes
        if self.expected.high <= room:
            return "yes"
        return "no" if self.expected.low > room else "perhaps"

    @property
    def concern(self) -> str:
        """Why a person should be asked first, or ""."""
        if self.expected is None:
            return ""
        if self.free_bytes is not None and self.fits in ("no", "perhaps"):
            return "the drive may not hold it" if self.fits == "perhaps" else "the drive cannot hold it"
        return "this is a large download" if self.expected.high > LARGE_BYTES else ""

    def document(self) -> Row:
        """The JSON of `thetabulk plan`."""
        return {
            "store": {"path": self.store or None, "exists": self.exists, "free_bytes": self.free_bytes},
            "tier": {"name": self.tier.text, "assumed": self.tier_assumed, "requests": self.tier.requests},
            "collections": list(self.rows),
            "bytes": _bounds(self.expected),
            "fits": self.fits,
            "notes": list(self.notes),
        }


def forecast(resolved: Resolved, *, simulated: bool = False, recheck: bool = False) -> Forecast:
    """Plans the download of these settings. UsageError and DriveGone as `download` would raise them."""
    config = resolved.config
    given = parse_tiers(config.terminal.tier).get("option")
    tier = given or Tier.STANDARD
    calendar, now = Calendar.load(), clock.now()
    settled = calendar.settled(now)
    wish = wish_of(config.job, settled, tier)
    path, notes = _place(resolved, simulated=simulated)
    with ExitStack() as stack:
        store = None
        if path is not None and (stores.exists(path) or stores.is_known(path)):
            store = stack.enter_context(stores.opened(path, config.store, write=False))
            stores.check_fits(store.volume, resolved, "simulator" if simulated else None)
            given = given or profile_in(store).tier("option")
        if given is not None and given is not tier:
            tier, wish = given, wish_of(config.job, settled, given)
        plan = build_plan(
            wish.days, store.ledger.days if store else {}, store.boundaries if store else (), settled=settled, now=now,
            tier=tier.text, recheck=recheck, settle_sessions=config.run.settle_sessions,
        )  # fmt: skip
        large = too_large_days(store, wish.days) if store else []
        sketches = [_Sketch(config, tier, store, collection, wish, plan, simulated) for collection in wish.days]
        known = [sketch.foretold for sketch in sketches]
        expected = NOTHING
        for one in known:
            expected += one.stored_bytes if one else NOTHING
        return Forecast(
            store=str(store.volume.root) if store else str(path or ""),
            exists=store is not None,
            free_bytes=store.volume.free_bytes() if store else _free_bytes(path),
            floor_bytes=config.store.free_floor_bytes,
            tier=tier,
            tier_assumed=given is None,
            first=wish.first,
            last=wish.last,
            rows=tuple(sketch.row() for sketch in sketches),
            expected=expected if all(known) else None,
            notes=(*notes, *wish.notes, *large, *_assumptions(calendar, given)),
        )


def _place(resolved: Resolved, *, simulated: bool) -> tuple[Path | None, list[str]]:
    """Where the store is, or would be made; None if nobody has said."""
    try:
        path, note = stores.locate(resolved, simulated=simulated)
    except UsageError as error:
        return None, [f"{error.what}: --store says where, and so how much room there is"]
    return path, [note] if note else []


def _assumptions(calendar: Calendar, given: Tier | None) -> list[str]:
    said = [] if given else [f"tier {Tier.STANDARD} is assumed; --tier says another"]
    return [*said, f"the trading days are those of {calendar.table.source}; the Terminal was not asked"]


class _Sketch:
    """One collection's part of the plan."""

    def __init__(
        self, config: Config, tier: Tier, store: Store | None, collection: Collection, wish: Wish, plan: Plan,
        simulated: bool,
    ) -> None:  # fmt: skip
        self._collection = collection
        self._wanted = wish.days[collection]
        self._todo = [shard.day for shard in plan.todo if shard.collection == collection]
        self._lists = _lists_to_ask(store, collection, self._todo)
        self._probes = sum(_is_probed(boundary, collection, self._wanted) for boundary in plan.boundaries)
        self._reason = ""
        self.foretold = self._foretell(config, tier, store, simulated)

    def row(self) -> Row:
        foretold = self.foretold
        return {
            "dataset": self._collection.dataset, "selection": self._collection.selection,
            "symbol": self._collection.symbol, "first": self._wanted[-1].isoformat(),
            "last": self._wanted[0].isoformat(), "wanted": len(self._wanted),
            "done": len(self._wanted) - len(self._todo), "todo": len(self._todo),
            "requests": {"data": len(self._todo), "lists": self._lists, "probes": self._probes},
            "bytes": _bounds(foretold.stored_bytes if foretold else None),
            "seconds": _bounds(foretold.seconds if foretold else None),
            "evidence": foretold.source if foretold else self._reason,
        }  # fmt: skip

    def _foretell(self, config: Config, tier: Tier, store: Store | None, simulated: bool) -> Foretold | None:
        if not self._todo:
            return Foretold(NOTHING, NOTHING, "nothing is left to do")
        gap_s = config.fetch.launch_gap_s
        past = _saved_days(store, self._collection) if store else []
        if own := from_saved_days(past, self._todo, launch_gap_s=gap_s):
            return own
        if simulated or (store is not None and store.volume.identity.source == "simulator"):
            self._reason = "no evidence: simulated days are of any size"
            return None
        self._reason = f"no evidence about the sizes of {self._collection} yet"
        if self._collection.selection:
            return None
        identity = store.volume.identity if store else config.store
        return from_published(
            dataset(self._collection.dataset), self._collection.symbol, self._todo, file_format=identity.format,
            prices=identity.prices, streams=min(tier.requests, config.fetch.workers_max), launch_gap_s=gap_s,
        )  # fmt: skip


def _saved_days(store: Store, collection: Collection) -> list[Past]:
    entries = [entry for shard, entry in store.ledger.days.items() if shard.collection == collection]
    return [_past(entry.outcome, entry.at) for entry in entries if isinstance(entry.outcome, Saved)]


def _past(saved: Saved, at: datetime) -> Past:
    return Past(saved.shard.day, saved.bytes, saved.vendor_bytes, at)


def _lists_to_ask(store: Store | None, collection: Collection, todo: Sequence[date]) -> int:
    kept = store.ledger.contracts if store else {}
    return sum((collection.symbol, day) not in kept for day in todo)


def _is_probed(boundary: Boundary, collection: Collection, wanted: Sequence[date]) -> bool:
    """Every run looks once at the day before a known boundary, if older days are wanted."""
    return boundary.collection == collection and boundary.day is not None and wanted[-1] < boundary.day


def _bounds(found: Range | None) -> dict[str, int] | None:
    return None if found is None else {"low": int(found.low), "high": int(found.high)}


def _free_bytes(path: Path | None) -> int | None:
    """Where the store would be made: only its own folder may be missing."""
    folder = path if path is None or path.is_dir() else path.absolute().parent
    return shutil.disk_usage(folder).free if folder is not None and folder.is_dir() else None

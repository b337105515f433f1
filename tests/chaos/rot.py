"""A store whose files rot: bits flip in them after they were saved, proven and read back."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.reconciled import at_home
from tests.cli.small_store import AT, HOURLY, make, save, writing
from thetabulk.assembly import checks, mirrors, repairs
from thetabulk.assembly.checks import Depth
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.stores import Store, opened
from thetabulk.config import StoreConfig
from thetabulk.model import Saved, Shard
from thetabulk.plan.calendar import Calendar

SETTINGS = StoreConfig(reserve_bytes=0)
_DEEPER_EVERY = 10  # rounds: a deep check takes longer, and finds by the same hash


@dataclass(slots=True)
class Rotting:
    """A store of so many small days, and its mirror, in a new folder. Nothing here ever asks a vendor."""

    home: Path
    file_format: str
    days: int
    flips: int = 0
    found: list[str] = field(default_factory=list)
    _calendar: Calendar = field(default_factory=Calendar.load)

    def __post_init__(self) -> None:
        self.home.mkdir()
        with at_home(self.home):
            make(self.store, self.file_format)
            with writing(self.store) as store:
                for day in self._calendar.settled(AT)[-self.days :]:
                    save(store, Shard(HOURLY, day))
            mirrors.mirror(self.store, self.mirror, SETTINGS, lambda _: None)

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def mirror(self) -> Path:
        return self.home / "mirror"

    def rounds(self, dice: Random, flips: int) -> None:
        """Every file rots, all of it is found, and is healed from the mirror, time and again."""
        grids = Grids(self._calendar)
        with at_home(self.home), writing(self.store) as store:
            while self.flips < flips and not self.found:
                deep = self.flips // self.days % _DEEPER_EVERY == 0
                self._round(store, dice, grids, Depth.DEEP if deep else Depth.FULL)

    def _round(self, store: Store, dice: Random, grids: Grids, depth: Depth) -> None:
        days = checks.saved_days(store)
        for saved in days:
            flip_a_bit(store.file_of(saved.shard), dice)
        report = checks.check(store, days, depth, grids)
        seen = {problem.shard for problem in report.damaged}
        self.found += [f"not found: {saved.shard}" for saved in days if saved.shard not in seen]
        done = repairs.mend(store, report, grids)
        with opened(self.mirror, SETTINGS, write=False, remember=False) as mirror:
            repairs.bring_from(mirror, store, done)
        again = checks.check(store, checks.saved_days(store), depth, grids)
        self.found += [f"not healed: {one.shard}: {one.text}" for one in (*again.damaged, *again.missing)]
        self.found += [f"another day than before: {saved.shard}" for saved in days if not _is_back(store, saved)]
        self.flips += len(days)
        shutil.rmtree(store.volume.root / ".thetabulk/quarantine/damaged")


def flip_a_bit(path: Path, dice: Random) -> None:
    """As silently as a drive does: size and time stamp stay."""
    facts, content = path.stat(), bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _is_back(store: Store, saved: Saved) -> bool:
    outcome = store.ledger.days[saved.shard].outcome
    return isinstance(outcome, Saved) and outcome.sha256 == saved.sha256

"""SIGKILL at random moments, and on again, until a download is through."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos import vendor
from tests.chaos.bench import Bench
from tests.chaos.ledger_lines import Key
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Pace, Vendor

DAYS = 10
PACE = Pace(pieces=4, pause_ms=25)
"""So that a run has a middle to be killed in."""

_LEDGERS_LOST = 0.2
_CONDITIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("small_blocks",),
    ("early_compaction",),
    ("small_blocks", "early_compaction"),
)


@dataclass(slots=True)
class Life:
    """One store, killed again and again until its download is complete."""

    bench: Bench
    oracle: Oracle
    vendor: Vendor
    store: Path
    rng: Random
    longest_s: float
    told: set[Key] = field(default_factory=set)
    kills: int = 0
    violations: list[str] = field(default_factory=list)

    def live(self, most_kills: int) -> None:
        while not self.violations and self._run(mercy=self.kills >= most_kills):
            pass

    def _run(self, *, mercy: bool) -> bool:
        """True if it was killed. Otherwise it has come to its end, and everything has to be there."""
        started_at = time.monotonic()
        command = self.bench.download if not self.told or self.rng.random() < 0.5 else self.bench.resume
        ran = command(self.store, conditions=self.rng.choice(_CONDITIONS))
        if not mercy:
            time.sleep(self.rng.uniform(0.0, self.longest_s))
            ran.child.kill()
        ran.wait()
        again = [key for key in self.told if self._asked_since(key, started_at)]
        self.violations += [f"asked again: {key[3]} was saved already" for key in again]
        self.told |= ran.told
        if ran.child.was_killed:
            self.kills += 1
            self.violations += self.oracle.judge(self.store, self.told)
            return True
        self.violations += ran.complaints(allowed=[0]) + self.oracle.judge_whole(self.store, self.told)
        if not self.violations and self.rng.random() < _LEDGERS_LOST:
            self._lose_the_ledger()
        return False

    def _lose_the_ledger(self) -> None:
        """Both generations of it: every day is in its file, and none is asked for again (I6)."""
        for ledger in (self.store / ".thetabulk").glob("ledger.jsonl*"):
            ledger.unlink()
        started_at = time.monotonic()
        ran = self.bench.download(self.store).wait()
        self.violations += ran.complaints(allowed=[0]) + self.oracle.judge_whole(self.store, self.told)
        again = [key for key in self.told if self._asked_since(key, started_at)]
        self.violations += [f"asked again: {key[3]}, whose file was there" for key in again]

    def _asked_since(self, key: Key, moment: float) -> bool:
        return any(one.at > moment and one.for_data and one.day == key[3] for one in self.vendor.asked())


def lives(
    nursery: Nursery, slow: Vendor, oracle: Oracle, folder: Path, rng: Random, kills: int, bugs: tuple[str, ...] = ()
) -> Iterator[Life]:
    """Lives, until so many kills have been survived in all, or one has not been. The first run is not killed: it shows
    how long one takes on this machine, today."""
    number = 0
    started_at = time.monotonic()
    measured = Bench(nursery, slow.url, folder, vendor.days(DAYS)).download(folder / "measured").wait()
    longest_s = 1.1 * (time.monotonic() - started_at)
    assert measured.code == 0, measured.err.read_text()
    while kills > 0:
        home = folder / f"home-{number}"
        home.mkdir()
        bench = Bench(nursery, slow.url, home, vendor.days(DAYS), bugs=bugs)
        life = Life(bench, oracle, slow, home / "store", rng, longest_s)
        life.live(kills)
        yield life
        number, kills = number + 1, 0 if life.violations else kills - life.kills
        shutil.rmtree(home)


def _undisturbed_s(nursery: Nursery, slow: Vendor, home: Path) -> float:
    """How long a run takes on this machine, today, if nobody kills it. The first one is slow: nothing is warm."""
    home.mkdir()
    started_at = time.monotonic()
    ran = Bench(nursery, slow.url, home, vendor.days(DAYS)).download(home / "store").wait()
    assert ran.code == 0, ran.err.read_text()
    return time.monotonic() - started_at

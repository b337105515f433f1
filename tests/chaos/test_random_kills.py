"""SIGKILL at random moments, and on again, until the run is through. Fault row A1."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.chaos import vendor
from tests.chaos.bench import Bench
from tests.chaos.figures import Figures
from tests.chaos.ledger_lines import Key
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor

DAYS = 10
LANES = 2
LONGEST_RUN_S = 0.9
_CONDITIONS: tuple[tuple[str, ...], ...] = ((), ("small_blocks",), ("early_compaction",), ("small_blocks", "early_compaction"))


@dataclass(slots=True)
class Life:
    """One store, killed again and again until its download is complete."""

    bench: Bench
    oracle: Oracle
    vendor: Vendor
    store: Path
    rng: Random
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
            time.sleep(self.rng.uniform(0.0, LONGEST_RUN_S))
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
        return False

    def _asked_since(self, key: Key, moment: float) -> bool:
        return any(one.at > moment and one.for_data and one.day == key[3] for one in self.vendor.asked())


@needs()
@pytest.mark.parametrize("lane", range(LANES))
def test_a_kill_at_any_moment_loses_nothing_and_fakes_nothing(
    lane: int, hatchery: Nursery, undisturbed: Callable[[int], Oracle], tmp_path: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Nothing that was told is lost, no claim is false, no day is fetched twice, and at the end every file is the one
    that an undisturbed run writes."""
    wanted, kills, violations = times(150, 3_000) // LANES or 1, 0, []
    rng, oracle = Random(f"{seed} {lane}"), undisturbed(DAYS)
    with vendor.running(tmp_path, pieces=4, pause_ms=25) as slow:
        for number in range(wanted):
            if kills >= wanted or violations:
                break
            home = tmp_path / f"home-{number}"
            home.mkdir()
            bench = Bench(hatchery, slow.url, home, vendor.days(DAYS))
            life = Life(bench, oracle, slow, home / "store", rng)
            life.live(wanted - kills)
            kills, violations = kills + life.kills, life.violations
    figures.add("random kills", kills, len(violations), seed, "kills")
    assert not violations

"""Every planted bug is seen, by the test that is there for it. Otherwise its silence means nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.chaos import cuts, flips, hands, lives, planted, plugs, sweeps, vendor
from tests.chaos.cuts import EXT4, Cuts
from tests.chaos.figures import Figures
from tests.chaos.flips import FlippingDrive
from tests.chaos.hands import Hands
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.plugs import Drive
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.sweeps import Sweep

pytestmark = needs("root", "mounts", "strace", "fuse", "loop", "ext4", "exfat")


@dataclass(slots=True)
class Hunt:
    """A bug in the child processes, and what the tests have to see it with."""

    bugs: tuple[str, ...]
    nursery: Nursery
    undisturbed: Callable[[int], Oracle]
    folder: Path
    rng: Random

    def by_power_cuts(self) -> list[str]:
        with vendor.running(self.folder) as prompt:
            found = Cuts(self.nursery, prompt, self.undisturbed(cuts.DAYS), EXT4, self.folder, self.bugs)
            recorded = found.record()
            for _ in range(100):
                if not found.violations:
                    found.cut(recorded, self.rng, complete=False)
        return found.violations

    def by_the_order_of_calls(self) -> list[str]:
        with vendor.running(self.folder) as prompt:
            return self._sweep(prompt).order().faults

    def by_kills_at_calls(self) -> list[str]:
        with vendor.running(self.folder) as prompt:
            sweep = self._sweep(prompt)
            for point in reversed(sweep.points()):
                if not sweep.violations and point.name.startswith(("rename", "write")):
                    sweep.kill_at(point)
        return sweep.violations

    def by_failing_flushes(self) -> list[str]:
        with vendor.running(self.folder) as prompt:
            sweep = self._sweep(prompt)
            for point in sweep.points():
                if not sweep.violations and point.name == "fsync" and point.place.endswith(".part"):
                    sweep.fail_at(point, "EIO")
        return sweep.violations

    def by_random_kills(self) -> list[str]:
        with vendor.running(self.folder, **lives.PACE) as slow:
            oracle = self.undisturbed(lives.DAYS)
            all_lives = lives.lives(self.nursery, slow, oracle, self.folder, self.rng, 40, self.bugs)
            return [one for life in all_lives for one in life.violations]

    def by_pulling_the_plug(self) -> list[str]:
        """The folder below the mount point is looked at: what lies there lies on the wrong disk."""
        with vendor.running(self.folder, pieces=4, pause_ms=60) as slow:
            scene = plugs.scene(
                self.nursery, slow, self.folder, lambda place: Drive("ext4", self.folder, place), self.rng, self.bugs
            )
            with scene as playing:
                playing.drive.pull()
                playing.ran.wait(3)
                return plugs.bytes_below(playing.drive.place)

    def by_flipping_bits(self) -> list[str]:
        with vendor.running(self.folder) as prompt:
            oracle = self.undisturbed(flips.DAYS)
            drive = FlippingDrive(self.nursery, prompt, oracle, self.folder, self.rng, self.bugs)
            return [one for _ in range(8) for one in drive.download()]

    def by(self, prank: Callable[[Hands], list[str]]) -> list[str]:
        with vendor.running(self.folder, pieces=2, pause_ms=200) as slow:
            return prank(Hands(self.nursery, slow, self.undisturbed(hands.DAYS), self.folder, self.rng, self.bugs))

    def _sweep(self, prompt: vendor.Vendor) -> Sweep:
        return Sweep(self.nursery, prompt, self.undisturbed(sweeps.DAYS), SCENARIOS[0], self.folder, self.bugs)


SEEN: dict[str, Callable[[Hunt], list[str]]] = {
    "no_fsync": Hunt.by_power_cuts,
    "no_folder_fsync": Hunt.by_the_order_of_calls,
    "ledger_before_rename": Hunt.by_kills_at_calls,
    "append_to_a_part": Hunt.by_random_kills,
    "exists_means_done": lambda hunt: hunt.by(Hands.leave_half_a_file),
    "make_the_root": Hunt.by_pulling_the_plug,
    "second_fsync": Hunt.by_failing_flushes,
    "size_means_good": lambda hunt: hunt.by(Hands.change_a_byte),
    "quarantine_overwrites": lambda hunt: hunt.by(Hands.damage_twice),
    "lock_by_age": lambda hunt: hunt.by(Hands.run_twice),
    "path_from_ledger": lambda hunt: hunt.by(Hands.poison_the_ledger),
    "cached_read_back": Hunt.by_flipping_bits,
    "no_read_back": Hunt.by_flipping_bits,
    "read_error_deletes": lambda hunt: hunt.by(Hands.lose_a_sector),
}


@pytest.mark.parametrize("bug", SEEN)
def test_a_planted_bug_is_seen(
    bug: str, hatchery: Nursery, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int, figures: Figures
) -> None:
    """Red, as it should be: the count is of bugs, a violation is one that nobody saw."""
    seen = SEEN[bug](Hunt((bug,), hatchery, undisturbed, workshop, Random(seed)))
    figures.add("planted bugs, drive and ledger", 1, int(not seen), seed, "bugs")
    print(f"{bug}: {seen[:2]}")  # noqa: T201 - how it showed
    assert seen


def test_no_planted_bug_is_forgotten() -> None:
    """Each has a test that sees it."""
    with pytest.raises(KeyError, match="nothing"):
        planted.plant("nothing")
    assert set(planted.BUGS) == set(SEEN)

"""Every planted bug is seen, by the test that is there for it. Otherwise its silence means nothing."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from tests.chaos import cuts, flips, hands, planted, plugs, sweeps, vendor
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
    """A bug in the child processes, and what the tests have to see it with: each tells what is wrong as it finds it."""

    bugs: tuple[str, ...]
    nursery: Nursery
    undisturbed: Callable[[int], Oracle]
    folder: Path
    rng: Random

    def by_power_cuts(self) -> Generator[str, None, None]:
        with vendor.running(self.folder) as prompt:
            found = Cuts(self.nursery, prompt, self.undisturbed(cuts.DAYS), EXT4, self.folder, self.bugs)
            recorded = found.record()
            for _ in range(200):
                found.cut(recorded, self.rng, complete=False)
                yield from found.violations

    def by_the_order_of_calls(self) -> Generator[str, None, None]:
        with vendor.running(self.folder) as prompt:
            yield from self._sweep(prompt).order().faults

    def by_kills_at_calls(self) -> Generator[str, None, None]:
        with vendor.running(self.folder) as prompt:
            sweep = self._sweep(prompt)
            for point in reversed(sweep.points()):
                if point.name.startswith("rename"):
                    sweep.kill_at(point)
                    yield from sweep.violations

    def by_failing_flushes(self) -> Generator[str, None, None]:
        with vendor.running(self.folder) as prompt:
            sweep = self._sweep(prompt)
            for point in sweep.points():
                if point.name == "fsync" and point.place.endswith(".part"):
                    sweep.fail_at(point, "EIO")
                    yield from sweep.violations

    def by_kills_in_a_part(self) -> Generator[str, None, None]:
        """And the next run has the bug, too."""
        with vendor.running(self.folder) as prompt:
            sweep = replace(self._sweep(prompt), cured=False)
            for point in sweep.points():
                if point.name == "write" and point.number > 1 and point.place.endswith(".part"):
                    sweep.kill_at(point)
                    yield from sweep.violations

    def by_pulling_the_plug(self) -> Generator[str, None, None]:
        """The folder below the mount point is looked at: what lies there lies on the wrong disk."""
        with vendor.running(self.folder, plugs.PACE) as slow:
            scene = plugs.scene(
                self.nursery, slow, self.folder, lambda place: Drive("ext4", self.folder, place), self.rng, self.bugs
            )
            with scene as playing:
                playing.drive.pull()
                playing.ran.wait(3)
                yield from [f"on the wrong disk: {name}" for name in plugs.bytes_below(playing.drive.place)]

    def by_flipping_bits(self) -> Generator[str, None, None]:
        with vendor.running(self.folder) as prompt:
            oracle = self.undisturbed(flips.DAYS)
            drive = FlippingDrive(self.nursery, prompt, oracle, self.folder, self.rng, self.bugs)
            for _ in range(8):
                yield from drive.download()

    def by(self, prank: Callable[[Hands], list[str]]) -> Generator[str, None, None]:
        with vendor.running(self.folder, hands.PACE) as slow:
            yield from prank(Hands(self.nursery, slow, self.undisturbed(hands.DAYS), self.folder, self.rng, self.bugs))

    def _sweep(self, prompt: vendor.Vendor) -> Sweep:
        return Sweep(self.nursery, prompt, self.undisturbed(sweeps.DAYS), SCENARIOS[0], self.folder, self.bugs)


SEEN: dict[str, tuple[Callable[[Hunt], Generator[str, None, None]], str]] = {
    "no_fsync": (Hunt.by_the_order_of_calls, "put in place before it was flushed"),
    "naive": (Hunt.by_power_cuts, "false saved"),
    "no_folder_fsync": (Hunt.by_the_order_of_calls, "recorded before its folder was flushed"),
    "ledger_before_rename": (Hunt.by_kills_at_calls, "false saved"),
    "append_to_a_part": (Hunt.by_kills_in_a_part, "torn"),
    "exists_means_done": (lambda hunt: hunt.by(Hands.leave_half_a_file), "torn"),
    "make_the_root": (Hunt.by_pulling_the_plug, "on the wrong disk"),
    "second_fsync": (Hunt.by_failing_flushes, "flushed again after an error"),
    "size_means_good": (lambda hunt: hunt.by(Hands.change_a_byte), "false saved"),
    "quarantine_overwrites": (lambda hunt: hunt.by(Hands.damage_twice), "evidence is gone"),
    "lock_by_age": (lambda hunt: hunt.by(Hands.run_twice), "exit code"),
    "path_from_ledger": (lambda hunt: hunt.by(Hands.poison_the_ledger), "touched outside the store"),
    "cached_read_back": (Hunt.by_flipping_bits, "false saved"),
    "no_read_back": (Hunt.by_flipping_bits, "false saved"),
    "read_error_deletes": (lambda hunt: hunt.by(Hands.lose_a_sector), "deleted"),
}
"""Who sees it, and what is then said."""


@pytest.mark.parametrize("bug", SEEN)
def test_a_planted_bug_is_seen(
    bug: str, hatchery: Nursery, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int, figures: Figures
) -> None:
    """Red, as it should be: the count is of bugs, a violation is one that nobody saw."""
    hunt, said = SEEN[bug]
    with closing(hunt(Hunt((bug,), hatchery, undisturbed, workshop, Random(seed)))) as told:
        seen = next((one for one in told if said in one), "")
    figures.add("planted bugs, drive and ledger", 1, int(not seen), seed, "bugs")
    print(f"{bug}: {seen}")  # noqa: T201 - how it showed
    assert seen


def test_no_planted_bug_is_forgotten() -> None:
    """Each has a test that sees it."""
    with pytest.raises(KeyError, match="nothing"):
        planted.plant("nothing")
    assert set(planted.BUGS) == set(SEEN)

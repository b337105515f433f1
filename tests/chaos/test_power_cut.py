"""The power goes while a store is written: any prefix, any order, any half of a write. Fault rows A3, A4, B5."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.chaos.cuts import DAYS, EXFAT, EXT4, Cuts, FileSystem
from tests.chaos.figures import Figures
from tests.chaos.lying_flushes import LyingFlushes
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor

COMPLETED_EVERY = 25
"""Of the crash states, one in so many is not only checked, but downloaded to its end."""


@needs("root", "mounts", "fuse", "loop", "ext4", "exfat")
@pytest.mark.parametrize("system", [EXT4, EXFAT], ids=lambda system: system.name)
def test_a_power_cut_tears_nothing_that_is_claimed(
    system: FileSystem, hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path,
    seed: int, times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Whatever the drive kept of the last seconds: no claim is false, no final name holds half a file, what was told
    is there, and the next start finds nothing to be ashamed of."""
    cuts = Cuts(hatchery, prompt_vendor, undisturbed(DAYS), system, workshop)
    recorded, rng = cuts.record(), Random(seed)
    wanted = times(200, 5_000)
    for number in range(wanted):
        cuts.cut(recorded, rng, complete=number % COMPLETED_EVERY == 0)
    figures.add(f"power cuts on {system.name}", wanted, len(cuts.violations), seed, "crash states")
    assert not cuts.violations


@needs("root", "mounts", "strace", "fuse", "loop", "ext4", "exfat")
@pytest.mark.parametrize("system", [EXT4, EXFAT], ids=lambda system: system.name)
def test_a_drive_that_lies_about_flushing_is_found_out(
    system: FileSystem, hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path,
    seed: int, times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """It says "flushed" and is not; the power goes; days that were told are gone, and nobody can help that. The next
    start and `verify` name every one that is not what its record says, and a repair makes the store whole."""
    cuts = LyingFlushes(hatchery, prompt_vendor, undisturbed(DAYS), system, workshop)
    recorded, rng = cuts.record(), Random(seed)
    wanted = times(40, 1_000)
    for number in range(wanted):
        cuts.cut(recorded, rng, complete=number % COMPLETED_EVERY == 0)
    left = f"{cuts.believed_at_start} found by verify only"
    print(f"{cuts.lost} days lost, {left}; {cuts.examined} stores, {cuts.unreadable} unreadable")  # noqa: T201
    figures.add(f"power cuts after flushes that lied, {system.name}", wanted, len(cuts.violations), seed, "states")
    assert not cuts.violations
    assert cuts.lost or wanted < 20, "the drive has lost nothing: it has not lied"
    assert cuts.examined > wanted // 4, f"only {cuts.examined} states had a store to look at"

"""The power goes while a store is written: any prefix, any order, any half of a write. Fault rows A3, A4, B5."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.chaos.cuts import DAYS, EXFAT, EXT4, Cuts, FileSystem
from tests.chaos.figures import Figures
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

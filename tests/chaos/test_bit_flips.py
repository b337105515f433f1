"""A bit flips between the computer and the medium. Fault rows B16, B17."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos.figures import Figures
from tests.chaos.flips import DAYS, FlippingDrive
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor


@needs("root", "mounts", "fuse", "loop", "ext4")
def test_a_flip_on_the_way_to_the_medium_is_caught_before_the_day_counts(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Cached pages would prove nothing: what is read back comes from the drive, and a bad file is written again."""
    drive = FlippingDrive(hatchery, prompt_vendor, undisturbed(DAYS), workshop, Random(seed))
    violations = [one for _ in range(times(8, 340)) for one in drive.download()]
    figures.add("flips on the way to the medium", drive.flips, len(violations), seed, "flips")
    assert not violations
    assert drive.flips

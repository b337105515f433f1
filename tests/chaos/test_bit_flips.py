"""A bit flips between the computer and the medium, or a cluster is lost there. Fault rows B16, B17."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos.figures import Figures
from tests.chaos.flips import DAYS, FlippingDrive, Shelf
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


@needs("root", "mounts", "fuse", "loop", "ext4")
def test_a_cluster_lost_on_the_way_is_caught_before_the_day_counts(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Zeros, or what lay there before, where a file should begin: as with a flipped bit, it is written again."""
    drive = FlippingDrive(
        hatchery, prompt_vendor, undisturbed(DAYS), workshop, Random(seed), hows=("zeros", "stale")
    )  # fmt: skip
    violations = [one for _ in range(times(6, 200)) for one in drive.download()]
    figures.add("clusters lost on the way to the medium", drive.flips, len(violations), seed, "clusters")
    assert not violations
    assert drive.flips


@needs("root", "mounts", "loop", "exfat")
def test_a_cluster_lost_on_the_shelf_is_found_and_mended(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """128 KiB of zeros, or of another file, in the place of a day, on a real exFAT; size and times are as they were."""
    shelf = Shelf(hatchery, prompt_vendor, undisturbed(DAYS), workshop, Random(seed))
    whole = shelf.put_away()
    hows = ["zeros", "stale"] * times(3, 100)
    violations = [one for how in hows for one in shelf.lose_a_cluster(whole, how)]
    figures.add("clusters lost on the shelf", shelf.lost, len(violations), seed, "clusters")
    assert not violations

"""People, scanners and bad sectors at the files of a store. Fault rows A10, B19, B21 to B23, B26, B27, F9, F11."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.chaos import vendor
from tests.chaos.figures import Figures
from tests.chaos.hands import DAYS, PACE, Hands
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor


@needs("root", "strace")
def test_whatever_is_done_to_the_files_is_noticed_and_mended(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Damaged files are put aside and fetched again, evidence is never overwritten, nothing outside is touched."""
    rng = Random(seed)
    hands = Hands(hatchery, prompt_vendor, undisturbed(DAYS), workshop, rng)
    wanted, violations = times(52, 1_000), []
    for number in range(wanted):
        prank = hands.pranks[number % len(hands.pranks)]
        violations += [f"{prank.__name__}: {one}" for one in prank()]
    figures.add("hands on the files", wanted, len(violations), seed, "pranks")
    assert not violations


@needs()
def test_two_runs_of_one_store_are_one_too_many(
    hatchery: Nursery, undisturbed: Callable[[int], Oracle], workshop: Path, tmp_path: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """The second one ends with exit 9, however old the lock of the first is."""
    wanted, violations = times(5, 100), []
    with vendor.running(tmp_path, PACE) as slow:
        hands = Hands(hatchery, slow, undisturbed(DAYS), workshop, Random(seed))
        for _ in range(wanted):
            violations += hands.run_twice()
    figures.add("a second run", wanted, len(violations), seed, "runs")
    assert not violations

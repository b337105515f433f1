"""Every state-changing system call of a command, and what if exactly there … Fault rows A2, A5, B3, B4, B6."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.chaos.figures import Figures
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.sweeps import DAYS, Sweep
from tests.chaos.vendor import Vendor

LANES = 2


@pytest.fixture
def sweep(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path
) -> Callable[[Scenario], Sweep]:
    return lambda scenario: Sweep(hatchery, prompt_vendor, undisturbed(DAYS), scenario, workshop)


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
IN_FULL = ("download", "compaction")
"""In the CI tier too; the others are sampled there."""


@needs("root", "strace")
def test_the_calls_of_a_commit_come_in_their_order(sweep: Callable[[Scenario], Sweep]) -> None:
    """Flush, read back past the cache, rename, flush the folder, append, flush, and only then the word "saved"."""
    order = sweep(SCENARIOS[0]).order()
    assert not order.faults
    assert order.published == 2 * DAYS  # days, and their lists of contracts


@needs("root", "strace")
@every_scenario
@pytest.mark.parametrize("lane", range(LANES))
def test_a_kill_at_every_call_loses_nothing(
    lane: int, scenario: Scenario, sweep: Callable[[Scenario], Sweep], seed: int, times: Callable[[int, int], int],
    figures: Figures,
) -> None:  # fmt: skip
    """A process may die before any call that changes the drive: all of them in the release tier."""
    swept = sweep(scenario)
    points = swept.points()[lane::LANES]
    wanted = times(len(points) if scenario.name in IN_FULL else 6, len(points))
    chosen = Random(f"{seed} {lane}").sample(points, min(len(points), wanted))
    for point in chosen:
        swept.kill_at(point)
    figures.add(f"kills at every call of {scenario.name}", len(chosen), len(swept.violations), seed, "calls")
    assert not swept.violations
    assert not swept.missed, "calls that a second run did not make: the sweep is not complete"


@needs("root", "strace")
@every_scenario
@pytest.mark.parametrize("lane", range(LANES))
def test_a_failing_call_is_told_and_loses_nothing(
    lane: int, scenario: Scenario, sweep: Callable[[Scenario], Sweep], seed: int, times: Callable[[int, int], int],
    figures: Figures,
) -> None:  # fmt: skip
    """EIO, ENOSPC, EACCES, once or for good, and writes that lie: sampled in the CI tier, all in the release tier."""
    swept = sweep(scenario)
    faults = swept.faults(swept.points())[lane::LANES]
    wanted = times(12 if scenario.name in IN_FULL else 6, len(faults))
    chosen = Random(f"{seed} {lane}").sample(faults, min(len(faults), wanted))
    for fault in chosen:
        fault()
    figures.add(f"failing calls of {scenario.name}", len(chosen), len(swept.violations), seed, "faults")
    assert not swept.violations

"""SIGKILL at random moments, and on again, until the run is through. Fault row A1; invariants I1 to I4 and I6."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.chaos import vendor
from tests.chaos.figures import Figures
from tests.chaos.lives import DAYS, PACE, lives
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle

LANES = 2


@needs()
@pytest.mark.parametrize("lane", range(LANES))
def test_a_kill_at_any_moment_loses_nothing_and_fakes_nothing(
    lane: int, hatchery: Nursery, undisturbed: Callable[[int], Oracle], tmp_path: Path, seed: int,
    times: Callable[[int, int], int], figures: Figures,
) -> None:  # fmt: skip
    """Nothing that was told is lost, no claim is false, no day is fetched twice, and at the end every file is the one
    that an undisturbed run writes. Even without its ledger."""
    wanted = times(150, 3_000) // LANES or 1
    with vendor.running(tmp_path, PACE) as slow:
        all_lives = list(lives(hatchery, slow, undisturbed(DAYS), tmp_path, Random(f"{seed} {lane}"), wanted))
    violations = [one for life in all_lives for one in life.violations]
    figures.add("random kills", sum(life.kills for life in all_lives), len(violations), seed, "kills")
    assert not violations

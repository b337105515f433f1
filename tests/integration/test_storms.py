"""Everything goes wrong now and then: the days are proven all the same, and the Terminal is not asked to death."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import stores
from tests.integration.commands import thetabulk
from tests.integration.serving import Served

Simulate = Callable[..., Served]
STORM = (
    "cut:p=0.06;reset:p=0.03;reset:p=0.03,at=0.5;clean-cut:p=0.04;html:p=0.04;empty:p=0.03;header-only:p=0.02;"
    "500:p=0.06;503:p=0.03,retry_after=0;429:p=0.05,retry_after=0;474:p=0.03;571:p=0.02;error-inside:p=0.03;"
    "wrong-day:p=0.03;wrong-symbol:p=0.02,rows=one;renamed-column:p=0.02;drop-contract:p=0.04;double-row:p=0.04;"
    "grid:p=0.02,rows=6;negative:p=0.02;delay:p=0.05,seconds=0.05;drip:p=0.02,rate=200000;list-fails:p=0.1,times=1"
)
"""About every second request is hit. Without `false472`: that is a day without data, for all that anyone can know."""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_costs_requests_but_no_day(seed: int, simulator: Simulate, tmp_path: Path) -> None:
    """Two months, after one `resume` for the contract lists: all proven, no boundary, at most three requests a day."""
    terminal = simulator("--faults", STORM, "--seed", str(seed))
    where = ("--url", terminal.url, "--store", tmp_path / "s", "--json")
    ended = thetabulk("download", "QQQ", "--from", "2024-06-03", "--to", "2024-07-31", "--interval", "1h", *where)
    assert (ended.code, ended.counts["saved"]) == (0, 41)
    ended = thetabulk("resume", *where)
    assert (ended.code, ended.counts) == (0, {"saved": 41, "proven": 41})
    assert 41 * 1.2 < len(terminal.data_requests) <= 3 * 41
    assert stores.boundaries(tmp_path / "s") == []
    stores.assert_consistent(tmp_path / "s")
    assert thetabulk("verify", "--deep", "--store", tmp_path / "s").code == 0
    calm = simulator("--seed", str(seed))
    straight = ("--interval", "1h", "--url", calm.url, "--store", tmp_path / "calm")
    assert thetabulk("download", "QQQ", "--from", "2024-06-03", "--to", "2024-07-31", *straight).code == 0
    assert stores.data_files(tmp_path / "s") == stores.data_files(tmp_path / "calm")


def test_a_terminal_that_refuses_all_but_a_few_is_not_pressed(simulator: Simulate, tmp_path: Path) -> None:
    """429 for forty requests in a row, with Retry-After: no attempt is wasted, and every day is proven."""
    terminal = simulator("--faults", "429:from=5,to=44,retry_after=0")
    where = ("--url", terminal.url, "--store", tmp_path / "s", "--json")
    ended = thetabulk("download", "QQQ", "--from", "2024-07-01", "--to", "2024-07-31", "--interval", "1h", *where)
    assert (ended.code, ended.counts) == (0, {"saved": 22, "proven": 22})
    assert len(terminal.data_requests) == 22 + 40

"""Tiers, seeds, figures, and the processes that the chaos tests share.

`make chaos` runs the CI tier, `make chaos-release` the release tier (THETABULK_TIER=release). One test again, or
shorter: `tests/chaos/run.sh .venv/bin/python -k random_kills --seed 42 --scale 0.1`. A part of the release tier:
`THETABULK_TIER=release tests/chaos/run.sh .venv/bin/python tests/chaos/test_fuzzed_answers.py`.
"""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import figures as all_figures
from tests.chaos import mounts, nursery, vendor
from tests.chaos.bench import Bench
from tests.chaos.figures import Figures
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor

TIER = "release" if os.environ.get("THETABULK_TIER") == "release" else "ci"
_PATIENCE_S = {"ci": 900, "release": 4 * 3_600}
_gathered = Figures(TIER)
_from_workers: list[dict[str, Any]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="chaos: the seed of a run that is to be repeated")
    parser.addoption("--scale", type=float, default=1.0, help="chaos: a fraction of the tier's counts; no figures then")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """More patience than everywhere else: a sweep is one test, and in the release tier an hour of them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_PATIENCE_S[TIER]))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = _gathered.entries
    elif exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and _is_whole(session.config):
        all_figures.merge([*_gathered.entries, *_from_workers])


def _is_whole(config: pytest.Config) -> bool:
    """Whether every test of the files ran at its full count: a part of one is no figure. With CI set, none is kept."""
    chosen = config.getoption("keyword") or any("::" in word for word in config.args)
    return config.getoption("--scale") == 1.0 and not chosen and not os.environ.get("CI")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _from_workers.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    told = all_figures.summed([*_gathered.entries, *_from_workers])
    if told:
        terminalreporter.section(f"chaos figures, {TIER} tier")
    for one in told:
        terminalreporter.write_line(
            f"{one['name']}: {one['count']} {one['unit']}, {one['violations']} violations, seed {one['seed']}"
        )
    terminalreporter.write_line(f"chaos: {len(terminalreporter.stats.get('skipped', []))} skipped on this machine")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Printed, so that a failure can be replayed: `--seed N`."""
    given = request.config.getoption("--seed")
    chosen = int(given) if given is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {chosen} (replay: pytest '{request.node.nodeid}' --seed {chosen})")  # noqa: T201
    return chosen


@pytest.fixture
def rng(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often: `times(150, 3000)` in the CI and in the release tier."""
    scale = request.config.getoption("--scale")
    return lambda ci, release: max(1, round((release if TIER == "release" else ci) * scale))


@pytest.fixture
def figures() -> Figures:
    return _gathered


@pytest.fixture(scope="session")
def hatchery() -> Iterator[Nursery]:
    with nursery.opened() as opened:
        yield opened


@pytest.fixture(scope="session")
def prompt_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A stand-in that answers at once."""
    with vendor.running(tmp_path_factory.mktemp("vendor")) as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(
    hatchery: Nursery, prompt_vendor: Vendor, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Oracle]:
    """An oracle for the newest so many days, from a store that nothing has disturbed."""
    known: dict[int, Oracle] = {}

    def oracle(days: int) -> Oracle:
        if days not in known:
            home = tmp_path_factory.mktemp("undisturbed")
            bench = Bench(hatchery, prompt_vendor.url, home, vendor.days(days))
            ran = bench.download(home / "store").wait()
            assert not ran.complaints(allowed=[0])
            knowing = Oracle(home / "store", bench.days)
            assert knowing.judge_whole(home / "store", ran.told) == []
            assert bench.export(home / "store", bench.days[0]) == vendor.body("QQQ", bench.days[0])
            known[days] = knowing
        return known[days]

    return oracle


@pytest.fixture
def workshop() -> Iterator[Path]:
    """A folder in memory (or on the drive that CHAOS_DRIVE names) for stores, images and mount points; what is mounted
    in it goes with it."""
    memory = Path(os.environ.get("CHAOS_DRIVE", "/dev/shm"))
    with tempfile.TemporaryDirectory(prefix=mounts.PREFIX, dir=memory if memory.is_dir() else None) as folder:
        try:
            yield Path(folder)
        finally:
            mounts.clear(Path(folder))


@pytest.fixture(scope="session", autouse=True)
def _nothing_left() -> Iterator[None]:
    """No mount and no loop device of ours survives the session."""
    before = mounts.standing()
    yield
    assert mounts.standing() <= before

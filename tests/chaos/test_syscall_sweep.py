"""Every state-changing system call of a command, and what if exactly there … Fault rows A2, A5, B3, B4, B6."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import pytest

from tests.chaos import ledger_lines, tracing, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.figures import Figures
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.chaos.tracing import Point
from tests.chaos.vendor import Vendor

DAYS = 2
LANES = 2
_ERRNOS = {"EIO": (0, 4), "ENOSPC": (0, 5), "EACCES": (0, 6)}
"""And the exit codes that fit: the run got over it, or said what is wrong."""


@dataclass(slots=True)
class Sweep:
    """A command, run once to learn its points, and again and again to fail at each."""

    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    scenario: Scenario
    folder: Path
    violations: list[str] = field(default_factory=list)
    missed: list[Point] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def points(self) -> list[Point]:
        bench, store = self._fresh()
        ran = self._start(bench, store)
        with tracing.attached(ran.child, bench.home / "trace", *tracing.recording()):
            ran.wait()
        assert not ran.complaints(allowed=[0])
        found = tracing.points(bench.home / "trace", bench.home)
        assert any(self.scenario.does in point.place for point in found), f"it has not done {self.scenario.does}"
        return [point for point in found if point.place.startswith(("store", "xdg"))]

    def kill_at(self, point: Point) -> None:
        for _ in range(3):
            bench, store = self._fresh()
            ran = self._suffer(bench, store, [point.name], f"signal=SIGKILL:when={point.number}", [point.place])
            if ran.child.was_killed:
                break
        else:
            self.missed.append(point)
            return
        self._note(point, "SIGKILL", self.oracle.judge(store, ran.told))
        self._recover(point, "SIGKILL", bench, store, ran)

    def fail_at(self, point: Point, errno: str) -> None:
        """Once; the drive is fine again afterwards."""
        bench, store = self._fresh()
        ran = self._suffer(bench, store, [point.name], f"error={errno}:when={point.number}", [point.place])
        self._judge_failure(point, errno, bench, store, ran)

    def fail_from(self, point: Point, errno: str, places: Iterable[str]) -> None:
        """Every such call about the store fails from there on, until the command has ended."""
        bench, store = self._fresh()
        ran = self._suffer(bench, store, [point.name], f"error={errno}:when={point.number}+", places)
        self._judge_failure(point, f"{errno} for good", bench, store, ran)

    def lie_at(self, point: Point) -> None:
        """The call claims to have written one byte, and has written none."""
        bench, store = self._fresh()
        ran = self._suffer(bench, store, [point.name], f"retval=1:when={point.number}", [point.place])
        self._note(point, "a lying write", self.oracle.judge(store))
        self._recover(point, "a lying write", bench, store, ran)

    def _judge_failure(self, point: Point, fault: str, bench: Bench, store: Path, ran: Ran) -> None:
        allowed = _ERRNOS[fault.split()[0]]
        self._note(point, fault, ran.complaints(allowed) + self.oracle.judge(store, ran.told))
        self._recover(point, fault, bench, store, ran)

    def _recover(self, point: Point, fault: str, bench: Bench, store: Path, ran: Ran) -> None:
        begun = any(record["kind"] == "job" for record in ledger_lines.read(store).records)
        again = (bench.resume(store) if begun else bench.download(store)).wait()
        self._note(point, fault, again.complaints(allowed=[0]) + self.oracle.judge_whole(store, ran.told | again.told))
        shutil.rmtree(bench.home)

    def _note(self, point: Point, fault: str, found: Iterable[str]) -> None:
        self.violations += [f"{self.scenario.name}, {fault} at {point}: {one}" for one in found]

    def _fresh(self) -> tuple[Bench, Path]:
        home = self.folder / f"{self.scenario.name}-{next(self._numbers)}"
        home.mkdir()
        bench = Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS), {"THETABULK_WORKERS": "1"})
        model = self.folder / f"{self.scenario.name}-model"
        if not model.exists():
            self.scenario.prepare(bench, model)
        if model.exists():
            shutil.copytree(model, home / "store")
        return bench, home / "store"

    def _start(self, bench: Bench, store: Path) -> Ran:
        conditions = ("one_thread", "one_identity", "small_blocks", *self.scenario.conditions)
        return self.scenario.start(bench, store, conditions=conditions, bugs=self.scenario.bugs, traced=True)

    def _suffer(self, bench: Bench, store: Path, names: list[str], what: str, places: Iterable[str]) -> Ran:
        ran = self._start(bench, store)
        where = tracing.paths(places, bench.home, ran.child.pid)
        with tracing.attached(ran.child, bench.home / "trace", *tracing.injection(names, what, where)):
            ran.wait()
        return ran


@pytest.fixture
def sweep(
    hatchery: Nursery, prompt_vendor: Vendor, undisturbed: Callable[[int], Oracle], workshop: Path
) -> Callable[[Scenario], Sweep]:
    return lambda scenario: Sweep(hatchery, prompt_vendor, undisturbed(DAYS), scenario, workshop)


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@needs("root", "strace")
@every_scenario
@pytest.mark.parametrize("lane", range(LANES))
def test_a_kill_at_every_call_loses_nothing(
    lane: int, scenario: Scenario, sweep: Callable[[Scenario], Sweep], seed: int, times: Callable[[int, int], int],
    figures: Figures,
) -> None:  # fmt: skip
    """All of them, in every tier: a process may die before any call that changes the drive."""
    swept = sweep(scenario)
    points = swept.points()[lane::LANES]
    chosen = Random(seed).sample(points, min(len(points), times(len(points), len(points))))
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
    swept, rng = sweep(scenario), Random(f"{seed} {lane}")
    points = swept.points()
    places = sorted({point.place for point in points})
    faults: list[Callable[[], None]] = []
    for point in points:
        for errno in _ERRNOS:
            faults.append(lambda point=point, errno=errno: swept.fail_at(point, errno))  # type: ignore[misc]
            faults.append(lambda point=point, errno=errno: swept.fail_from(point, errno, places))  # type: ignore[misc]
        if point.name in ("write", "pwrite64"):
            faults.append(lambda point=point: swept.lie_at(point))  # type: ignore[misc]
    faults = faults[lane::LANES]
    chosen = rng.sample(faults, min(len(faults), times(24, len(faults))))
    for fault in chosen:
        fault()
    figures.add(f"failing calls of {scenario.name}", len(chosen), len(swept.violations), seed, "faults")
    assert not swept.violations

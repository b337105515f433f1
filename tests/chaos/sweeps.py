"""A command, run once to learn which calls it makes, and then again and again to fail at each of them."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from tests.chaos import ledger_lines, tracing, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.commit_order import Order
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import NO_DAMAGE, Damage, Oracle
from tests.chaos.scenarios import Scenario
from tests.chaos.tracing import Point
from tests.chaos.vendor import Vendor

DAYS = 2
ERRNOS = {"EIO": (0, 4), "ENOSPC": (0, 5), "EACCES": (0, 6)}
"""And the exit codes that fit: the run got over it, or said what is wrong."""

_SETTINGS = {"THETABULK_WORKERS": "1", "THETABULK_LOG_KEEP": "0"}
"""The log of a run is a convenience on another drive, and would be a call for every event."""


@dataclass(slots=True)
class Sweep:
    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    scenario: Scenario
    folder: Path
    bugs: tuple[str, ...] = ()
    cured: bool = True
    violations: list[str] = field(default_factory=list)
    missed: list[Point] = field(default_factory=list)
    _damage: Damage = NO_DAMAGE
    _numbers: "count[int]" = field(default_factory=count)

    def points(self) -> list[Point]:
        """Every call that changes the drive (or what this machine remembers), of one undisturbed run."""
        bench, _ = self._record()
        found = tracing.points(bench.home / "trace", bench.home)
        assert any(self.scenario.does in point.place for point in found), f"it has not done {self.scenario.does}"
        return [point for point in found if point.place.startswith(("store", "xdg", self.scenario.result))]

    def order(self) -> Order:
        """What an undisturbed run does, held against the commit protocol."""
        bench, store = self._record()
        order = Order(store)
        for call in tracing.calls(bench.home / "trace"):
            order.take(call)
        return order

    def _record(self) -> tuple[Bench, Path]:
        bench, store = self._fresh()
        ran = self._start(bench, store)
        with tracing.attached(ran.child, bench.home / "trace", *tracing.recording()):
            ran.wait()
        assert not ran.complaints(allowed=[0])
        return bench, store

    def faults(self, points: list[Point]) -> list[Callable[[], None]]:
        """Everything but kills that can be done to these calls."""
        places = sorted({point.place for point in points})
        found: list[Callable[[], None]] = []
        for point in points:
            for errno in ERRNOS:
                found += [partial(self.fail_at, point, errno), partial(self.fail_from, point, errno, places)]
            if point.name in ("write", "pwrite64"):
                found.append(partial(self.lie_at, point))
        return found

    def kill_at(self, point: Point) -> None:
        for _ in range(3):
            bench, store = self._fresh()
            ran = self._suffer(bench, store, [point.name], f"signal=SIGKILL:when={point.number}", [point.place])
            if ran.child.was_killed:
                break
        else:
            self.missed.append(point)
            return
        self._note(point, "SIGKILL", self._judge(store, ran))
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
        self._note(point, "a lying write", self._judge(store, None))
        self._recover(point, "a lying write", bench, store, ran)

    def _judge_failure(self, point: Point, fault: str, bench: Bench, store: Path, ran: Ran) -> None:
        allowed = ERRNOS[fault.split()[0]]
        self._note(point, fault, ran.complaints(allowed) + self._judge(store, ran))
        if point.place.endswith(".part") and point.name in ("fsync", "fdatasync"):
            self._note(point, fault, _synced_again(bench.home / "trace"))
        self._recover(point, fault, bench, store, ran)

    def _judge(self, store: Path, ran: Ran | None) -> list[str]:
        """What lies there right after the fault; `ran` is believed in what it told."""
        told = ran.told if ran else set()
        result = store.with_name(self.scenario.result)
        if self._damage.claims:
            return self.oracle.judge_mending(result, told, self._damage)
        return self.oracle.judge(result, told) if result.exists() else [f"lost: {key[3]}" for key in told]

    def _recover(self, point: Point, fault: str, bench: Bench, store: Path, ran: Ran) -> None:
        """The command again, as anyone would, and then whatever is left to do; without the bug, if there was one and it
        is `cured` by then."""
        bench.bugs = () if self.cured else self.bugs
        again = self.scenario.start(bench, store).wait()
        self._note(point, fault, again.complaints(allowed=[0]))
        begun = any(record["kind"] == "job" for record in ledger_lines.read(store).records)
        last = (bench.resume(store) if begun else bench.download(store)).wait()
        told = ran.told | again.told | last.told
        self._note(point, fault, last.complaints(allowed=[0]) + self.oracle.judge_whole(store, told))
        if self.scenario.result != "store":
            self._note(point, fault, self.oracle.judge_whole(store.with_name(self.scenario.result)))
        shutil.rmtree(bench.home)

    def _note(self, point: Point, fault: str, found: Iterable[str]) -> None:
        self.violations += [f"{self.scenario.name}, {fault} at {point}: {one}" for one in found]

    def _fresh(self) -> tuple[Bench, Path]:
        home = self.folder / f"{self.scenario.name}-{next(self._numbers)}"
        home.mkdir()
        bench = Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS), _SETTINGS, self.bugs)
        model = self.folder / f"{self.scenario.name}-model"
        if not model.exists():
            self.scenario.prepare(replace(bench, bugs=()), model)
            self._damage = self.oracle.damage_in(model)
        if model.exists():
            shutil.copytree(model, home / "store")
        return bench, home / "store"

    def _start(self, bench: Bench, store: Path) -> Ran:
        conditions = ("one_thread", "one_identity", "one_moment", "small_blocks", *self.scenario.conditions)
        return self.scenario.start(bench, store, conditions=conditions, traced=True)

    def _suffer(self, bench: Bench, store: Path, names: list[str], what: str, places: Iterable[str]) -> Ran:
        ran = self._start(bench, store)
        where = tracing.paths(places, bench.home, ran.child.pid)
        with tracing.attached(ran.child, bench.home / "trace", *tracing.injection(names, what, where)):
            ran.wait()
        return ran


def _synced_again(trace: Path) -> list[str]:
    """The files that were flushed once more after a flush that failed: the second one succeeds over lost data."""
    failed: set[str] = set()
    found = []
    for call in tracing.calls(trace):
        if call.path in failed:
            found.append(f"flushed again after an error: {Path(call.path).name}")
        if "INJECTED" in call.rest:
            failed.add(call.path)
    return found

"""The drive goes while a run writes to it, and comes back, or does not. Fault rows B1, B7 to B11."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

import pytest

from tests.chaos import mounts, plugs, vendor
from tests.chaos.figures import Figures
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.plugs import Drive, Scene, bytes_below, paused, resumed
from tests.chaos.vendor import Vendor

NOTICED_S = 2.0
ON_ITS_WAY_S = 0.1
"""A request that was admitted before another one's day met the fault arrives after the pause was told."""
BACK_S = 10.0
SYSTEMS = ("ext4", "exfat")
_FOREIGN = {"store": "another", "version": 1, "format": "parquet", "prices": "double", "source": "simulator"}
_FOREIGN["created"] = "2024-01-01T00:00:00Z"

pytestmark = needs("root", "mounts", "fuse", "loop", "ext4", "exfat")
Scenes = Callable[[str, Random], AbstractContextManager[Scene]]


@pytest.fixture(scope="module")
def slow_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """So slow that a run has a middle."""
    with vendor.running(tmp_path_factory.mktemp("slow"), plugs.PACE) as running:
        yield running


@pytest.fixture
def scenes(hatchery: Nursery, slow_vendor: Vendor, workshop: Path) -> Scenes:
    return lambda system, rng: plugs.scene(
        hatchery, slow_vendor, workshop, lambda place: Drive(system, workshop, place), rng
    )


@pytest.fixture
def oracle(undisturbed: Callable[[int], Oracle]) -> Oracle:
    return undisturbed(plugs.DAYS)


def pull(scene: Scene) -> list[str]:
    """Pulls the drive; what is wrong with the next half second."""
    scene.drive.pull()
    noticed_s = paused(scene.ran)
    quiet_since = time.monotonic() + ON_ITS_WAY_S
    found = [f"it took {noticed_s:.1f} s to notice"] if noticed_s > NOTICED_S else []
    time.sleep(0.5)
    scene.drive.copy()
    found += [f"asked for {day} while the drive was gone" for day in scene.asked_since(quiet_since)]
    return found + [f"on the wrong disk: {name}" for name in bytes_below(scene.drive.place)]


def go_on(scene: Scene, oracle: Oracle) -> list[str]:
    """The drive is back: the run goes on by itself, to its end; the next start has nothing to do but to tidy up."""
    back_s = resumed(scene.ran, 2 * BACK_S)
    found = [f"it took {back_s:.1f} s to go on"] if back_s > BACK_S else []
    found += scene.ran.wait().complaints(allowed=[0]) + oracle.judge(scene.store, scene.ran.told)
    over_at = time.monotonic()
    found += scene.bench.resume(scene.store).wait().complaints(allowed=[0])
    found += [f"not finished: {day} was asked for by the next run" for day in scene.asked_since(over_at)]
    return found + oracle.judge_whole(scene.store, scene.ran.told)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_pulled_drive_pauses_the_run_until_it_is_back(
    system: str, scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Noticed within 2 s of the next call; no request and not a byte on the machine's own disk meanwhile; then on."""
    rng, wanted, violations = Random(seed), times(4, 34), []
    for _ in range(wanted):
        with scenes(system, rng) as scene:
            violations += pull(scene)
            scene.drive.plug()
            violations += go_on(scene, oracle)
    figures.add(f"unplugged and back, {system}", wanted, len(violations), seed, "events")
    assert not violations


@pytest.mark.parametrize("system", SYSTEMS)
def test_another_drive_in_its_place_is_refused(
    system: str, scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """A store, but another one: nothing in it changes, and the run waits on for its own."""
    rng, wanted, violations = Random(seed), times(2, 33), []
    for _ in range(wanted):
        with scenes(system, rng) as scene:
            violations += pull(scene)
            foreign = Drive("ext4", scene.bench.home, scene.drive.place)
            foreign.make()
            store = foreign.plug() / "store"
            (store / ".thetabulk").mkdir(parents=True)
            (store / "thetabulk.json").write_text(json.dumps(_FOREIGN))
            before, quiet_since = bytes_below(store), time.monotonic()
            time.sleep(0.6)  # three looks
            violations += [f"asked for {day}" for day in scene.asked_since(quiet_since)]
            violations += [f"written into another store: {name}" for name in set(bytes_below(store)) ^ set(before)]
            mounts.call("umount", foreign.place)
            scene.drive.plug()
            violations += go_on(scene, oracle)
            foreign.let_go()
    figures.add(f"another drive in its place, {system}", wanted, len(violations), seed, "events")
    assert not violations


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_drive_that_comes_back_under_another_name_is_found(
    system: str, scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """macOS mounts `DRIVE 1` while a leftover `DRIVE` is in the way."""
    rng, wanted, violations = Random(seed), times(2, 33), []
    for _ in range(wanted):
        with scenes(system, rng) as scene:
            violations += pull(scene)
            elsewhere = scene.drive.place.with_name("DRIVE 1")
            elsewhere.mkdir()
            old = scene.drive.place
            scene.drive.plug(elsewhere)
            violations += go_on(scene, oracle)
            violations += [f"on the wrong disk: {name}" for name in bytes_below(old)]
    figures.add(f"back under another name, {system}", wanted, len(violations), seed, "events")
    assert not violations


def test_a_drive_that_turns_read_only_ends_the_run_with_its_cause(
    scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Exit 6, not a pause: nobody can know that a write-protect switch will be moved back. Nothing is lost."""
    rng, wanted, violations = Random(seed), times(2, 20), []
    for _ in range(wanted):
        with scenes("ext4", rng) as scene:
            mounts.call("mount", "-o", "remount,abort", scene.drive.place)  # as ext4 does after an error of the drive
            violations += scene.ran.wait(10).complaints(allowed=[6]) + oracle.judge(scene.store, scene.ran.told)
            mounts.call("umount", scene.drive.place)
            scene.drive.plug()
            again = scene.bench.resume(scene.store).wait()
            violations += again.complaints(allowed=[0])
            violations += oracle.judge_whole(scene.store, scene.ran.told | again.told)
    figures.add("turned read-only", wanted, len(violations), seed, "events")
    assert not violations


def test_a_drive_without_room_for_more_files_pauses_the_run(
    scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Bytes are free, inodes are not: told in its own words, no request meanwhile, and on when there are some."""
    rng, wanted, violations = Random(seed), times(2, 20), []
    for _ in range(wanted):
        with scenes("tmpfs", rng) as scene:
            place = scene.drive.place
            used = (found := os.statvfs(place)).f_files - found.f_ffree
            mounts.call("mount", "-o", f"remount,nr_inodes={used + rng.randrange(4)}", place)
            paused(scene.ran)
            quiet_since = time.monotonic() + ON_ITS_WAY_S
            time.sleep(0.5)
            violations += [f"asked for {day} without room for it" for day in scene.asked_since(quiet_since)]
            violations += oracle.judge(scene.store, scene.ran.told)
            mounts.call("mount", "-o", "remount,nr_inodes=100000", place)
            violations += go_on(scene, oracle)
            said = [str(event) for event in scene.ran.events() if event["event"] == "paused"]
            violations += [f"other words: {text}" for text in said if "no room for more files" not in text]
    figures.add("no inodes left", wanted, len(violations), seed, "events")
    assert not violations


@pytest.mark.parametrize("system", ["tmpfs", "exfat"])
def test_a_full_drive_pauses_the_run_until_there_is_room(
    system: str, scenes: Scenes, oracle: Oracle, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Full at any byte: no half file, no request while it is full, the ledger can still be written, then on."""
    rng, wanted, violations = Random(seed), times(4, 50), []
    for _ in range(wanted):
        with scenes(system, rng) as scene:
            ballast = scene.drive.place / "ballast"
            plugs.fill(ballast, leaving=rng.randrange(30_000))
            paused(scene.ran)
            quiet_since = time.monotonic() + ON_ITS_WAY_S
            time.sleep(0.5)
            violations += [f"asked for {day} while the drive was full" for day in scene.asked_since(quiet_since)]
            violations += oracle.judge(scene.store, scene.ran.told)
            ballast.unlink()
            violations += go_on(scene, oracle)
    figures.add(f"full at a random byte, {system}", wanted, len(violations), seed, "events")
    assert not violations

"""The drive goes while a run writes to it, and comes back, or does not. Fault rows B1, B7 to B11."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.chaos import mounts, plugs, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.figures import Figures
from tests.chaos.machine import needs
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.plugs import Drive, bytes_below, paused, resumed, wait_until
from tests.chaos.vendor import Vendor

DAYS = 10
NOTICED_S = 2.0
BACK_S = 10.0
_SETTINGS = {"THETABULK_RUN_PAUSE_LIMIT_S": "60", "THETABULK_RUN_PAUSE_POLL_S": "0.2"}

pytestmark = needs("root", "mounts", "fuse", "loop", "ext4", "exfat")


@dataclass(slots=True)
class Scene:
    """A store on a drive, a run in the middle of its work, and the folder below the mount point."""

    drive: Drive
    bench: Bench
    vendor: Vendor
    ran: Ran

    @property
    def store(self) -> Path:
        return self.drive.place / "store"


@pytest.fixture(scope="module")
def slow_vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """A day takes a fifth of a second, so that there is a middle."""
    with vendor.running(tmp_path_factory.mktemp("slow"), pieces=4, pause_ms=40) as running:
        yield running


@pytest.fixture
def scenes(
    hatchery: Nursery, slow_vendor: Vendor, workshop: Path
) -> Callable[[str, Random], "contextmanager[Scene]"]:  # type: ignore[type-arg, valid-type]
    @contextmanager
    def scene(system: str, rng: Random, bugs: tuple[str, ...] = ()) -> Iterator[Scene]:
        with plugs.places() as places:
            place, home = places / "DRIVE", workshop / "home"
            place.mkdir()
            home.mkdir()
            drive = Drive(system, workshop, place)
            try:
                drive.make()
                drive.plug()
                bench = Bench(hatchery, slow_vendor.url, home, vendor.days(DAYS), _SETTINGS, bugs)
                ran = bench.download(place / "store")
                enough = rng.randrange(1, DAYS - 4)
                wait_until(lambda: len(ran.told) >= enough or ran.child.over)
                time.sleep(rng.uniform(0, 0.1))
                assert not ran.child.over, ran.err.read_text()
                yield Scene(drive, bench, slow_vendor, ran)
            finally:
                drive.let_go()
                shutil.rmtree(home)
                for image in workshop.glob("drive-*"):
                    image.unlink()

    return scene  # type: ignore[return-value]

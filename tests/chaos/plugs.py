"""A drive that is pulled and comes back: as itself, as another, elsewhere, or read-only.

The place is `/media/chaos-…/DRIVE`, on the machine's own disk, as on a desktop: what is written there while the drive
is away is written to the wrong disk. What comes back is a copy of what the drive had, under a new device.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos import mounts, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.nursery import Nursery
from tests.chaos.vendor import Pace, Vendor

DAYS = 10
PACE = Pace(pieces=4, pause_ms=60)
ZONE = Path("/media")
_SETTINGS = {
    "THETABULK_RUN_PAUSE_LIMIT_S": "60",
    "THETABULK_RUN_PAUSE_POLL_S": "0.2",
    "THETABULK_WORKERS": "2",
}
FULL_BELOW = 1_000_000  # bytes: below it a run does not go on; a day is far smaller


@dataclass(slots=True)
class Drive:
    """`system` is ext4 (its plug is pulled by a lazy unmount: old descriptors go on taking writes), exfat (by killing
    its driver: every call fails), or tmpfs, which can only be filled."""

    system: str
    folder: Path
    place: Path
    size_bytes: int = 24 * 2**20
    _generation: int = 0
    _loops: list[mounts.Loop] = field(default_factory=list)
    _daemon: mounts.ExfatDaemon | None = None

    def make(self) -> None:
        image = mounts.image(self._image, self.size_bytes)
        if self.system != "tmpfs":
            (mounts.make_ext4 if self.system == "ext4" else mounts.make_exfat)(image)

    @property
    def _image(self) -> Path:
        return self.folder / f"drive-{self._generation}"

    def plug(self, place: Path | None = None, *, options: str = "rw") -> Path:
        """Mounts it, where it was or elsewhere."""
        self.place = place or self.place
        if self.system == "tmpfs":
            mounts.call("mount", "-t", "tmpfs", "-o", f"size={self.size_bytes}", "tmpfs", self.place)
            return self.place
        loop = mounts.Loop(self._image)
        self._loops.append(loop)
        if self.system == "ext4":
            mounts.call("mount", "-t", "ext4", "-o", f"nodiscard,{options}", loop.device, self.place)
        else:
            self._daemon = mounts.ExfatDaemon(loop.device, self.place, ("-o", options))
        return self.place

    def pull(self) -> None:
        if self._daemon is not None:
            self._daemon.pull()
            mounts.call("umount", "-l", self.place)
            self._daemon = None
        else:
            mounts.call("umount", "-l", self.place)

    def copy(self) -> None:
        """What the drive has by now, on a drive that the system has never seen: old descriptors do not reach it."""
        old = self._image
        self._generation += 1
        shutil.copyfile(old, self._image)
        if self.system == "exfat":
            mounts.call("fsck.exfat", "-y", self._image, check=False)

    def let_go(self) -> None:
        if self._daemon is not None:
            self._daemon.pull()
        mounts.clear(self.place.parent)
        for loop in self._loops:
            loop.detach()
        for generation in range(self._generation + 1):
            (self.folder / f"drive-{generation}").unlink(missing_ok=True)


@dataclass(slots=True)
class Scene:
    """A store on a drive, and a run in the middle of its work."""

    drive: Drive
    bench: Bench
    vendor: Vendor
    ran: Ran

    @property
    def store(self) -> Path:
        return self.drive.place / "store"

    def asked_since(self, moment: float) -> list[str]:
        """The days that were asked for since then."""
        return [one.day for one in self.vendor.asked() if one.for_data and one.at > moment]


@contextmanager
def scene(
    nursery: Nursery, slow_vendor: Vendor, folder: Path, drive_of: Callable[[Path], Drive], rng: Random,
    bugs: tuple[str, ...] = (),
) -> Iterator[Scene]:  # fmt: skip
    """A download of ten days, stopped for nothing, when one to four of them are saved. All is gone at the end."""
    place = Path(tempfile.mkdtemp(prefix=mounts.PREFIX, dir=ZONE)) / "DRIVE"
    home = folder / "home"
    place.mkdir()
    home.mkdir()
    drive = drive_of(place)
    try:
        drive.make()
        drive.plug()
        settings = {**_SETTINGS, "THETABULK_STORE_FREE_FLOOR_BYTES": str(FULL_BELOW)}
        bench = Bench(nursery, slow_vendor.url, home, vendor.days(DAYS), settings, bugs)
        ran = bench.download(place / "store")
        enough = rng.randrange(1, DAYS - 5)
        mounts.wait_for(lambda: len(ran.told) >= enough or ran.child.over, "it never came so far", 30)
        time.sleep(rng.uniform(0, 0.1))
        assert not ran.child.over, ran.err.read_text()
        yield Scene(drive, bench, slow_vendor, ran)
        ran.wait(0)
    finally:
        nursery.end()
        drive.let_go()
        shutil.rmtree(home)
        shutil.rmtree(place.parent)


def paused(ran: Ran, seconds: float = 10.0) -> float:
    """Waits for the run to say that it pauses; how long that took. AssertionError if it does not."""
    started = time.monotonic()
    mounts.wait_for(lambda: _said(ran, "paused") or ran.child.over, "it did not pause", seconds)
    assert _said(ran, "paused"), f"it ended instead: {ran.err.read_text()}"
    return time.monotonic() - started


def resumed(ran: Ran, seconds: float = 10.0) -> float:
    started = time.monotonic()
    mounts.wait_for(lambda: _said(ran, "resumed") or ran.child.over, "it did not resume", seconds)
    assert _said(ran, "resumed"), "it ended instead of going on"
    return time.monotonic() - started


def bytes_below(folder: Path) -> list[str]:
    """Everything in a folder that ought to be empty."""
    return [str(Path(where, name)) for where, folders, files in os.walk(folder) for name in (*folders, *files)]


def _said(ran: Ran, what: str) -> bool:
    return any(event.get("event") == what for event in ran.events())


def fill(ballast: Path, leaving: int) -> None:
    """Fills the drive up to the last so many bytes, in the system's own steps."""
    room = os.statvfs(ballast.parent)
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        left = room.f_bavail * room.f_frsize - leaving
        while left > 0:
            left -= file.write(bytes(min(left, 65_536)))

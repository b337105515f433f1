"""A drive that is pulled and comes back: as itself, as another, elsewhere, or read-only.

The place is `/media/chaos-…/DRIVE`, on the machine's own disk, as on a desktop: what is written there while the drive
is away is written to the wrong disk. What comes back is a copy of what the drive had, under a new device.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import mounts
from tests.chaos.bench import Ran

ZONE = Path("/media")
IMAGE_BYTES = 24 * 2**20


@dataclass(slots=True)
class Drive:
    """`system` is ext4 (its plug is pulled by a lazy unmount: old descriptors go on taking writes) or exfat (by killing
    its driver: every call fails)."""

    system: str
    folder: Path
    place: Path
    _generation: int = 0
    _loops: list[mounts.Loop] = field(default_factory=list)
    _daemon: mounts.ExfatDaemon | None = None

    def make(self) -> None:
        (mounts.make_ext4 if self.system == "ext4" else mounts.make_exfat)(mounts.image(self._image, IMAGE_BYTES))

    @property
    def _image(self) -> Path:
        return self.folder / f"drive-{self._generation}"

    def plug(self, place: Path | None = None, *, options: str = "rw") -> Path:
        """Mounts it, where it was or elsewhere."""
        self.place = place or self.place
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
        mounts.clear(self.place)
        for loop in self._loops:
            loop.detach()


@contextmanager
def places() -> Iterator[Path]:
    """A folder among the external drives, on the machine's own disk."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=ZONE))
    try:
        yield folder
    finally:
        mounts.clear(folder)
        shutil.rmtree(folder)


def paused(ran: Ran, seconds: float = 10.0) -> float:
    """Waits for the run to say that it pauses; how long that took. AssertionError if it ends instead, or says nothing."""
    started = time.monotonic()
    mounts.wait_for(lambda: _said(ran, "paused") or ran.child.over, "it did not pause", seconds)
    assert _said(ran, "paused"), f"it ended: {[event.get('message') for event in ran.events()][-3:]} {ran.err.read_text()}"
    return time.monotonic() - started


def resumed(ran: Ran, seconds: float = 10.0) -> float:
    started = time.monotonic()
    mounts.wait_for(lambda: _said(ran, "resumed") or ran.child.over, "it did not resume", seconds)
    assert _said(ran, "resumed"), "it ended instead of going on"
    return time.monotonic() - started


def wait_until(happens: Callable[[], bool]) -> None:
    mounts.wait_for(happens, "it never came so far", 30)


def bytes_below(folder: Path) -> list[str]:
    """Everything in a folder that ought to be empty."""
    return [str(Path(where, name)) for where, folders, files in os.walk(folder) for name in (*folders, *files)]


def _said(ran: Ran, what: str) -> bool:
    return any(event.get("event") == what for event in ran.events())

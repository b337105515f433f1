"""A drive that now and then stores another bit than it was given."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos import blocklog, mounts, vendor
from tests.chaos.bench import Bench
from tests.chaos.cuts import EXT4
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle
from tests.chaos.vendor import Vendor

DAYS = 6
_IMAGE_BYTES = 16 * 2**20
_MOST = 3


@dataclass(slots=True)
class FlippingDrive:
    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    folder: Path
    rng: Random
    bugs: tuple[str, ...] = ()
    flips: int = 0
    _ordered: int = 0

    def download(self) -> list[str]:
        """A whole download, some of its files hit by a flip; then what lies on the drive, past every cache."""
        self._ordered = 0
        image, flip = mounts.image(self.folder / "image", _IMAGE_BYTES), self.folder / "flip"
        EXT4.make(image)
        backing, point, home = (self.folder / name for name in ("backing", "point", "home"))
        for folder in (backing, point, home):
            folder.mkdir(exist_ok=True)
        bench = Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS), bugs=self.bugs)
        daemon = blocklog.start(backing, image, self.folder / "log", flip)
        try:
            mounts.wait_for((backing / "disk").exists, "the flipping disk does not answer")
            with EXT4.mounted(backing / "disk", point):
                ran = bench.download(point / "store")
                while not ran.child.over:
                    self._flip_sometimes(flip)
                found = ran.wait().complaints(allowed=[0])
            with EXT4.mounted(backing / "disk", point):
                found += self.oracle.judge_whole(point / "store", ran.told)
            mounts.call("umount", backing)
            daemon.wait(10)
        finally:
            daemon.kill()
            self.flips += self._ordered - flip.exists()
            flip.unlink(missing_ok=True)
            shutil.rmtree(home)
        return found

    def _flip_sometimes(self, flip: Path) -> None:
        """At most three in a download: a drive that flips for ever cannot be written to, and that is said then."""
        if not flip.exists() and self._ordered < _MOST and self.rng.random() < 0.1:
            self._ordered += 1
            flip.write_text(str(self.rng.randrange(10**6)))
        time.sleep(0.002)

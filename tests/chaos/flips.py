"""A drive that now and then stores another bit than it was given, or loses a cluster."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.chaos import blocklog, mounts, vendor
from tests.chaos.bench import Bench
from tests.chaos.cuts import EXFAT, EXT4
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle, file_of
from tests.chaos.vendor import Vendor

DAYS = 6
_IMAGE_BYTES = 16 * 2**20
_MOST = 3
_CLUSTER_BYTES = 128 * 2**10  # as large as large exFAT drives have them


@dataclass(slots=True)
class FlippingDrive:
    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    folder: Path
    rng: Random
    bugs: tuple[str, ...] = ()
    hows: tuple[str, ...] = ("bit",)
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
            ordered = flip.with_suffix(".new")
            ordered.write_text(f"{self.rng.choice(self.hows)} {self.rng.randrange(10**6)}")
            ordered.replace(flip)
        time.sleep(0.002)


@dataclass(slots=True)
class Shelf:
    """A real exFAT drive with a whole store on it, put away, and what its flash does meanwhile."""

    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    folder: Path
    rng: Random
    lost: int = 0

    def put_away(self) -> Path:
        image = mounts.image(self.folder / "shelf", 4 * _IMAGE_BYTES)
        mounts.call("mkfs.exfat", "-c", str(_CLUSTER_BYTES), image)
        for name in ("point", "home"):
            (self.folder / name).mkdir()
        with EXFAT.mounted(image, self.folder / "point"):
            assert self._bench().download(self.folder / "point/store").wait().code == 0
        return image

    def lose_a_cluster(self, whole: Path, how: str) -> list[str]:
        """The cluster of a recorded file is zeros, or what another file has; `verify` says so, `--repair` mends it."""
        image, point = self.folder / "image", self.folder / "point"
        shutil.copyfile(whole, image)
        with EXFAT.mounted(image, point):
            hit, other = self.rng.sample([point / "store" / file_of(key) for key in self.oracle.keys], 2)
            content, foreign = hit.read_bytes(), other.read_bytes()
        drive = bytearray(image.read_bytes())
        place = drive.index(content)
        assert place % 512 == 0, "a file begins where a sector does"
        drive[place : place + _CLUSTER_BYTES] = (foreign if how == "stale" else b"").ljust(_CLUSTER_BYTES, b"\0")
        image.write_bytes(drive)
        self.lost += 1
        with EXFAT.mounted(image, point):
            return [f"{how}: {one}" for one in self._found_and_mended(point / "store", hit.name)]

    def _found_and_mended(self, store: Path, name: str) -> list[str]:
        bench = self._bench()
        looked = bench.start("verify", f"--store={store}", "--json").wait()
        found = looked.complaints(allowed=[10])
        if name not in looked.out.read_text():
            found.append("verify has not named the file")
        mended = bench.start("verify", "--repair", f"--url={bench.url}", f"--store={store}", "--json").wait()
        return found + mended.complaints(allowed=[0]) + self.oracle.judge_whole(store)

    def _bench(self) -> Bench:
        home = self.folder / "home"
        shutil.rmtree(home)
        home.mkdir()
        return Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS))

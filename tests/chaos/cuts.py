"""A workload on a drive whose every write is known, and the power cuts that it is put through."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

from tests.chaos import blocklog, mounts, oracle, vendor
from tests.chaos.bench import Bench, Ran
from tests.chaos.blocklog import Lie, Record
from tests.chaos.ledger_lines import Key
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle, final_names
from tests.chaos.reconciled import reconcile
from tests.chaos.vendor import Vendor
from thetabulk.errors import ThetabulkError

DAYS = 6
_IMAGE_BYTES = 16 * 2**20
_AFTER = "after the next start: "


@dataclass(frozen=True, slots=True)
class FileSystem:
    name: str
    make: Callable[[Path], None]
    journal: bool = True

    @contextmanager
    def mounted(self, file: Path, point: Path) -> Iterator[None]:
        loop = mounts.Loop(file)
        try:
            if self.name == "ext4":
                try:
                    mounts.mount_ext4(loop.device, point)
                except OSError:  # its journal was not enough, as after any crash
                    mounts.call("fsck.ext4", "-y", loop.device, check=False)
                    mounts.mount_ext4(loop.device, point)
                with _ending(partial(mounts.call, "umount", point)):
                    yield
            else:
                daemon = mounts.ExfatDaemon(loop.device, point)
                with _ending(daemon.unmount):
                    yield
        finally:
            loop.detach()

    def repair(self, file: Path) -> None:
        """What an operating system does with a drive that was not unmounted."""
        if self.name == "exfat":
            mounts.call("fsck.exfat", "-y", file, check=False)


@contextmanager
def _ending(end: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        end()


EXT4 = FileSystem("ext4", mounts.make_ext4)
EXFAT = FileSystem("exfat", mounts.make_exfat, journal=False)


@dataclass(slots=True)
class Recorded:
    """A workload on a drive, every write of it, and when somebody was told that a day is saved."""

    base: bytes
    records: list[Record]

    def told_before(self, cut: int) -> set[Key]:
        return oracle.told_in("".join(blocklog.marks_before(self.records, cut)).encode())


@dataclass(slots=True)
class Cuts:
    """A recorded workload, and the power cuts that it is put through."""

    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    system: FileSystem
    folder: Path
    bugs: tuple[str, ...] = ()
    violations: list[str] = field(default_factory=list)

    def record(self) -> Recorded:
        """The workload, on a disk that writes it down."""
        image = mounts.image(self.folder / "image", _IMAGE_BYTES)
        self.system.make(image)
        base = image.read_bytes()
        backing, point, home = (self._folder(name) for name in ("backing", "point", "home"))
        daemon = blocklog.start(backing, image, self.folder / "log")
        try:
            mounts.wait_for((backing / "disk").exists, "the recording disk does not answer")
            with self.system.mounted(backing / "disk", point):
                self._work(replace(self._bench(home), bugs=self.bugs), point / "store", backing / "mark")
            mounts.call("umount", backing)
            daemon.wait(10)
        finally:
            daemon.kill()
        return Recorded(base, blocklog.read_log(self.folder / "log"))

    def _work(self, bench: Bench, store: Path, said: Path) -> None:
        """A download, and (files were touched, so that lines are superseded) starts that compact the ledger."""
        for start in range(4):
            ran = self._download(bench, store, said, compact=start == 3)
            assert not ran.complaints(allowed=[0])
            _touch(store, start)

    def cut(self, recorded: Recorded, rng: Random, *, complete: bool) -> None:
        cut = self.moment(recorded, rng)
        state = self.folder / "state"
        state.write_bytes(blocklog.crash_state(recorded.base, recorded.records, cut, rng, self.lie(recorded, cut, rng)))
        self.system.repair(state)
        point, told = self._folder("after"), recorded.told_before(cut)
        with self.system.mounted(state, point):
            found = self._look(point / "store", told, complete=complete)
        self.violations += [f"{self.system.name}, power cut before write {cut}: {one}" for one in found]

    def moment(self, recorded: Recorded, rng: Random) -> int:
        """Just before which record the power goes."""
        return rng.randint(1, len(recorded.records))

    def lie(self, recorded: Recorded, cut: int, rng: Random) -> Lie | None:
        """None: the drive is honest."""
        return None

    def _look(self, store: Path, told: set[Key], *, complete: bool) -> list[str]:
        """The drive as it came back, after the next start, and (`complete`) after the next download."""
        found = self._forgiven(store, self.oracle.judge(store, told), "")
        home = self._folder("next")
        try:
            if (store / "thetabulk.json").exists():
                after = self._start_again(store, told, home)
                found = [one for one in found if not self._is_restored(one, after)] + after
            if complete:
                ran = self._bench(home).download(store).wait()
                found += ran.complaints(allowed=[0]) + self.oracle.judge_whole(store, told | ran.told)
        finally:
            shutil.rmtree(home)
        return found

    def _is_restored(self, one: str, after: list[str]) -> bool:
        """A ledger that was being replaced on exFAT may be empty as well: the next start knows the days from their
        files."""
        return not self.system.journal and one.startswith("lost: ") and f"{_AFTER}{one}" not in after

    def _start_again(self, store: Path, told: set[Key], home: Path) -> list[str]:
        try:
            reconcile(store, self.oracle.keys.values(), home)
        except ThetabulkError as error:
            return [f"the next start fails: {error.what}"]
        found = self._forgiven(store, self.oracle.judge(store, told), ".thetabulk")
        return [f"{_AFTER}{one}" for one in found]

    def _forgiven(self, store: Path, found: list[str], below: str) -> list[str]:
        """A rename on exFAT is two writes; with the first alone, fsck empties the file. Nobody has been told of it, and
        the next start puts a day aside. (A list of contracts is looked at when it is needed, and asked for again.)"""
        if self.system.journal:
            return found
        torn = [f"torn: {name} " for name in self.oracle.unclaimed(store) if name.startswith(below)]
        return [one for one in found if not one.startswith(tuple(torn))]

    def _download(self, bench: Bench, store: Path, said: Path, *, compact: bool) -> Ran:
        conditions = ("small_blocks", "early_compaction") if compact else ("small_blocks",)
        return bench.download(store, out=said, conditions=conditions).wait()

    def _bench(self, home: Path) -> Bench:
        return Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS))

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


def _touch(store: Path, minute: int) -> None:
    for name in final_names(store):
        if name.startswith("option"):
            os.utime(store / name, (1_700_000_000 + 60 * minute, 1_700_000_000 + 60 * minute))

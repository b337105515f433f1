"""What people, scanners and bad sectors do to the files of a store, and what must come of it.

Each is a method that takes a whole store, does it, lets a command run, and says what is wrong with the result.
"""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from tests.chaos import ledger_lines, tracing, vendor
from tests.chaos.bench import Bench
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Oracle, digest, file_of
from tests.chaos.vendor import Pace, Vendor

DAYS = 2
PACE = Pace(pieces=2, pause_ms=300)
"""Of a vendor whose runs are not over before a second one has begun."""

_LATER = 1_900_000_000  # a time stamp that no file of ours has


@dataclass(slots=True)
class Hands:
    nursery: Nursery
    vendor: Vendor
    oracle: Oracle
    folder: Path
    rng: Random
    bugs: tuple[str, ...] = ()
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def pranks(self) -> list[Callable[[], list[str]]]:
        return [
            self.cut_a_file, self.change_a_byte, self.leave_half_a_file, self.damage_twice, self.delete_a_file,
            self.touch_the_files, self.copy_beside_them, self.tear_the_ledger, self.flip_the_ledger,
            self.poison_the_ledger, self.lose_a_sector, self.plant_a_link, self.leave_days_out_of_listings,
        ]  # fmt: skip

    def cut_a_file(self) -> list[str]:
        """The last block of a recorded file is gone."""
        bench, store = self._whole_store()
        file = self._some_file(store)
        file.write_bytes(file.read_bytes()[: -self.rng.randrange(1, 4_000)])
        evidence = digest(file)
        return self._goes_on(bench, store) + self._put_aside(store, [evidence])

    def change_a_byte(self) -> list[str]:
        """One byte of a recorded file is another; its size is what it was."""
        bench, store = self._whole_store()
        evidence = self._damage(self._some_file(store))
        return self._goes_on(bench, store) + self._put_aside(store, [evidence])

    def leave_half_a_file(self) -> list[str]:
        """A file that no record knows, under a final name: somebody copied it, and the copy broke off."""
        bench, store = self._whole_store()
        for ledger in (store / ".thetabulk").glob("ledger.jsonl*"):
            ledger.unlink()
        file = self._some_file(store)
        file.write_bytes(file.read_bytes()[: self.rng.randrange(1, file.stat().st_size)])
        evidence = digest(file)
        return self._goes_on(bench, store) + self._put_aside(store, [evidence])

    def damage_twice(self) -> list[str]:
        """The same day is damaged, replaced, and damaged again: both are evidence, and both are kept."""
        bench, store = self._whole_store()
        file = self._some_file(store)
        first = self._damage(file)
        found = self._goes_on(bench, store)
        second = self._damage(file)
        return found + self._goes_on(bench, store) + self._put_aside(store, [first, second])

    def delete_a_file(self) -> list[str]:
        bench, store = self._whole_store()
        self._some_file(store).unlink()
        return self._goes_on(bench, store)

    def touch_the_files(self) -> list[str]:
        """A copied drive has other times: the bytes decide, and nothing is fetched again."""
        bench, store = self._whole_store()
        asked = len(self.vendor.asked())
        for key in self.oracle.keys:
            os.utime(store / file_of(key), (_LATER, _LATER))
        found = self._goes_on(bench, store)
        again = [one.day for one in self.vendor.asked()[asked:] if one.for_data]
        return found + [f"asked again: {day} was only touched" for day in again]

    def copy_beside_them(self) -> list[str]:
        """What Finder, Windows and people leave behind is neither read nor removed."""
        bench, store = self._whole_store()
        file = self._some_file(store)
        litter = [
            file.with_name(name) for name in (f"._{file.name}", ".DS_Store", "Thumbs.db", f"{file.stem} (1).parquet")
        ]
        for one in litter:
            one.write_bytes(file.read_bytes()[:100])
        found = bench.download(store).wait().complaints(allowed=[0])
        found += [f"removed, and not ours: {one.name}" for one in litter if not one.exists()]
        for one in litter:
            one.unlink(missing_ok=True)
        return found + self.oracle.judge_whole(store)

    def tear_the_ledger(self) -> list[str]:
        """Anything from its last byte to all of it is missing."""
        bench, store = self._whole_store()
        ledger = store / ".thetabulk/ledger.jsonl"
        ledger.write_bytes(ledger.read_bytes()[: self.rng.randrange(ledger.stat().st_size)])
        return self._goes_on(bench, store)

    def flip_the_ledger(self) -> list[str]:
        """A flipped bit, or a page of zeros: no record is believed that is not as it was written."""
        bench, store = self._whole_store()
        ledger = store / ".thetabulk/ledger.jsonl"
        content = bytearray(ledger.read_bytes())
        place = self.rng.randrange(len(content))
        if self.rng.random() < 0.5:
            content[place] ^= 1 << self.rng.randrange(8)
        else:
            content[place : place + 512] = bytes(len(content[place : place + 512]))
        ledger.write_bytes(content)
        return self._goes_on(bench, store)

    def poison_the_ledger(self) -> list[str]:
        """A record whose symbol climbs out of the store: what lies there is nobody's to touch (F11)."""
        bench, store = self._whole_store()
        victim = bench.home / "precious.parquet"
        victim.write_bytes(b"not yours")
        ledger = store / ".thetabulk/ledger.jsonl"
        key = next(iter(self.oracle.keys))
        record = {**ledger_lines.read(store).saved()[key], "symbol": "../../../../precious", "seq": 999}
        record["file"] = record["path"] = record["kept"] = str(victim)
        with ledger.open("ab") as file:
            file.write(ledger_lines.line(record))
        ran = bench.download(store).wait()
        found = ran.complaints(allowed=[0, 2])
        if not victim.exists() or victim.read_bytes() != b"not yours":
            found.append("touched outside the store: precious.parquet")
        return found + [
            one for one in self.oracle.judge(store) if "was never asked for" not in one
        ]  # that is the poison

    def lose_a_sector(self) -> list[str]:
        """A recorded file cannot be read, this once: it is neither believed nor deleted."""
        bench, store = self._whole_store()
        file = self._some_file(store)
        os.utime(file, (_LATER, _LATER))  # so that it is read
        ran = bench.download(store, conditions=("one_thread",), traced=True)
        with tracing.attached(
            ran.child, bench.home / "trace", *tracing.injection(["read"], "error=EIO:when=1", [str(file)])
        ):
            ran.wait()
        found = ran.complaints(allowed=[0, 4]) + ([] if file.exists() else ["deleted: a file that could not be read"])
        return found + self._goes_on(bench, store)

    def plant_a_link(self) -> list[str]:
        """A folder of the store is a symbolic link to another place: nothing is written there (B27)."""
        bench, store = self._whole_store()
        elsewhere = bench.home / "elsewhere"
        elsewhere.mkdir()
        year = self._some_file(store).parent
        shutil.rmtree(year)
        year.symlink_to(elsewhere, target_is_directory=True)
        found = bench.download(store).wait().complaints(allowed=[6])
        found += [f"written through a link: {path.name}" for path in elsewhere.iterdir()]
        year.unlink()
        return found + self._goes_on(bench, store)

    def leave_days_out_of_listings(self) -> list[str]:
        """A folder lists none of its days, though they are there (B21): they are not missing to `verify`, and not asked
        for again, not even after a rebuild of the ledger that has not seen them."""
        bench, store = self._whole_store()
        unlisted = ("days_are_not_listed",)
        found = bench.start("verify", f"--store={store}", "--json", conditions=unlisted).wait().complaints(allowed=[0])
        asked = len(self.vendor.asked())
        rebuilt = bench.start("store", "rebuild", f"--store={store}", "--json", conditions=unlisted).wait()
        found += rebuilt.complaints(allowed=[0]) + self._unseen(store)
        found += bench.download(store, conditions=unlisted).wait().complaints(allowed=[0])
        again = [one.day for one in self.vendor.asked()[asked:] if one.for_data]
        return found + [f"asked again: {day} was only not listed" for day in again] + self.oracle.judge_whole(store)

    def _unseen(self, store: Path) -> list[str]:
        return ["the rebuild has listed the days all the same"] if ledger_lines.read(store).saved() else []

    def run_twice(self) -> list[str]:
        """A second run while the first is at work, however old the first one's lock is (A10). The first is stopped for
        as long, so that it is not over before the second one looks."""
        bench, store = self._whole_store()
        self._some_file(store).unlink()
        first = bench.download(store)
        while not (store / ".thetabulk/lock.json").exists() and not first.child.over:
            pass
        first.child.send(signal.SIGSTOP)
        still_at_work = not first.child.over
        for lock in (*(store / ".thetabulk").glob("lock*"), *bench.home.glob("xdg_state_home/thetabulk/*.lock*")):
            os.utime(lock, (1, 1))
        second = bench.download(store).wait()
        first.child.send(signal.SIGCONT)
        found = [] if still_at_work else ["the first run was over too early to tell"]
        found += second.complaints(allowed=[9])
        return found + first.wait().complaints(allowed=[0]) + self.oracle.judge_whole(store, first.told)

    def _goes_on(self, bench: Bench, store: Path) -> list[str]:
        """The next download says what it has found, and the store is whole again."""
        ran = bench.download(store).wait()
        return ran.complaints(allowed=[0]) + self.oracle.judge_whole(store, ran.told)

    def _put_aside(self, store: Path, evidence: list[str]) -> list[str]:
        kept = [digest(path) for path in (store / ".thetabulk/quarantine").rglob("*") if path.is_file()]
        return [
            f"evidence is gone: damaged file number {number}" for number, one in enumerate(evidence) if one not in kept
        ]

    def _damage(self, file: Path) -> str:
        """Changes a bit; the digest of the result. The time stamp changes, as a write changes it."""
        content = bytearray(file.read_bytes())
        content[self.rng.randrange(len(content))] ^= 1 << self.rng.randrange(8)
        file.write_bytes(content)
        os.utime(file, (_LATER, _LATER))
        return digest(file)

    def _some_file(self, store: Path) -> Path:
        return store / file_of(self.rng.choice(list(self.oracle.keys)))

    def _whole_store(self) -> tuple[Bench, Path]:
        """A copy of a store that is complete."""
        home = self.folder / f"hands-{next(self._numbers)}"
        home.mkdir()
        bench = Bench(self.nursery, self.vendor.url, home, vendor.days(DAYS))
        model = self.folder / "hands-model"
        if not model.exists():
            assert bench.download(model).wait().code == 0
        shutil.copytree(model, home / "store")
        bench.bugs = self.bugs
        return bench, home / "store"

"""A drive that says "flushed", and was not: every fsync returns 0 and does nothing, and then the power goes.

Nobody can keep what such a drive was told to keep. What can be kept is the truth about it: after the next start and a
`verify`, no record is believed whose file is not there, or is another.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.chaos import tracing
from tests.chaos.bench import Bench
from tests.chaos.blocklog import Lie
from tests.chaos.cuts import Cuts, Recorded
from tests.chaos.ledger_lines import Key
from tests.chaos.reconciled import at_home, reconcile
from thetabulk.assembly import checks
from thetabulk.assembly.checks import Depth
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.stores import opened
from thetabulk.config import StoreConfig
from thetabulk.errors import ThetabulkError
from thetabulk.plan.calendar import Calendar

_LIES = ("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:retval=0")


_LISTS = ("lost: .thetabulk/contracts/", "torn: .thetabulk/contracts/")
_BEGINS = b'{"event": "it begins to lie"}\n'


@dataclass(slots=True)
class LyingFlushes(Cuts):
    """`lost` counts days that somebody was told to be saved, and that the drive had not kept; `examined` the states in
    which there still was a store, `believed_at_start` the false records in them that only `verify` finds; `unreadable`
    the states of which the system itself says that it cannot read them."""

    lost: int = 0
    examined: int = 0
    unreadable: int = 0
    believed_at_start: int = 0

    def _work(self, bench: Bench, store: Path, said: Path) -> None:
        """The newer half of the days reach the drive as they should. Then it begins to lie."""
        honest = replace(bench, days=bench.days[len(bench.days) // 2 :])
        assert not honest.download(store, out=said).wait().complaints(allowed=[0])
        with said.open("ab") as marks:
            marks.write(_BEGINS)
        ran = bench.download(store, out=said, conditions=("small_blocks",), traced=True)
        with tracing.attached(ran.child, bench.home / "trace", *_LIES):
            ran.wait()
        assert not ran.complaints(allowed=[0])

    def moment(self, recorded: Recorded, rng: Random) -> int:
        """After the first lie; often when all is done, and the drive has been put away."""
        end = len(recorded.records)
        return end if rng.random() < 0.5 else rng.randint(_first_lie(recorded), end)

    def lie(self, recorded: Recorded, cut: int, rng: Random) -> Lie:
        return Lie(rng.randint(_first_lie(recorded), cut), rng.choice((0.02, 0.1, 0.4)))

    def cut(self, recorded: Recorded, rng: Random, *, complete: bool) -> None:
        try:
            Cuts.cut(self, recorded, rng, complete=complete)
        except OSError:
            self.unreadable += 1

    def _look(self, store: Path, told: set[Key], *, complete: bool) -> list[str]:
        """After the start, `verify`, and (`complete`) the repair: what is still believed, and is not so."""
        kept = self.oracle.kept(store)
        self.lost += len(told - kept)
        home = self._folder("next")
        try:
            if not (store / "thetabulk.json").exists():
                return []  # the drive has lost the store, and it is no store to anyone
            try:
                reconcile(store, self.oracle.keys.values(), home)
                named = _named_by_verify(store, home)
            except ThetabulkError:
                return []  # it says that something is wrong, and does nothing
            self.examined += 1
            claims = self.oracle.damage_in(store).claims
            self.believed_at_start += len(claims)
            found = [f"believed: {key[3]}, and the drive has not kept it" for key in claims - named]
            return found + (self._mend(store, home) if complete else [])
        finally:
            shutil.rmtree(home)

    def _mend(self, store: Path, home: Path) -> list[str]:
        """By the commands that a person types; the drive is honest by now. Every day is back. The vendor's list of a
        day that is whole may be lost: it is looked at when it is needed, and asked for again."""
        bench = self._bench(home)
        ran = bench.start("verify", "--repair", f"--url={bench.url}", f"--store={store}", "--json").wait()
        found = ran.complaints(allowed=[0])
        found += bench.download(store).wait().complaints(allowed=[0])
        return found + [one for one in self.oracle.judge_whole(store) if not one.startswith(_LISTS)]


def _first_lie(recorded: Recorded) -> int:
    return next(number for number, one in enumerate(recorded.records) if one.content == _BEGINS)


def _named_by_verify(store: Path, home: Path) -> set[Key]:
    with at_home(home), opened(store, StoreConfig(reserve_bytes=0), write=True) as one:
        report = checks.check(one, checks.saved_days(one), Depth.FULL, Grids(Calendar.load()))
    shards = [problem.shard for problem in (*report.damaged, *report.missing)]
    return {(shard.collection.dataset, shard.collection.selection, shard.symbol, str(shard.day)) for shard in shards}

"""What checking costs: a day of real size that arrives at 50 MB/s, recorded with and without it, in one process.

python -m benchmarks.checking FOLDER DAY REPEATS        a folder of recorded answers; prints a JSON document

The pieces of the body come no sooner than the pace allows, and from the first one to the end of the commit the clock
runs. "Without" leaves out what only serves proof: the counts by contract, the hash of the values, the comparison with
the vendor's list, the reading back. What cannot be taken out stays in both: the reader accepts a text only if its value
prints back the same, and every file is flushed. One day in fifty is printed again as a whole: a fiftieth of its surplus
is added. At this pace a processor that is faster than the line checks while it waits; so the seconds of processor time
are told beside those of the clock.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

from benchmarks.child import environment, median, run
from benchmarks.goals import PACE_MB_S, SAMPLED_OF
from benchmarks.parse import unchunked
from benchmarks.replay import record
from benchmarks.servers import simulator
from thetabulk.fetch.allocator import tune_allocator
from thetabulk.model import Collection, Contract, Proof, Shard
from thetabulk.plan.datasets import contracts_request, dataset, grid_of, request_for
from thetabulk.store import layout
from thetabulk.store.contract_lists import ContractLists
from thetabulk.store.disk import Disk, Sync
from thetabulk.store.part import Part, Readback
from thetabulk.store.recording import Manner, Recording
from thetabulk.store.scratch import Scratch
from thetabulk.store.volume import Identity, Volume, create_store

DAY = date(2024, 1, 2)
_SYMBOL = "QQQ"
_KIND = dataset("option/quote/1m")
_PIECE_BYTES = 1_048_576


class Unread(Part):
    """A part that is not read back."""

    def _read_back(self, sync: Sync) -> Readback:
        return "off"


class Uncounted:
    """In the place of the checks: looks at nothing."""

    in_order, endless, content, rows = True, False, "", 0

    def add(self, *_: object) -> None: ...

    def add_content(self, *_: object) -> None: ...


class Bench:
    """A store of its own, and one answer."""

    def __init__(self, folder: Path, body: bytes, listed: bytes, day: date) -> None:
        disk = Disk(sleep=time.sleep)
        identity = Identity("checking", "parquet", "double", "simulator", datetime.now(UTC))
        self.volume: Volume = create_store(folder, identity, disk=disk)
        self.body, self.shard = body, Shard(Collection("option/quote/1m", "", _SYMBOL), day)
        self._tokens = count()
        lists = ContractLists(self.volume.root, layout.contracts_path, lambda: self._part(Part))
        self.listed: frozenset[Contract] = lists.keep(_SYMBOL, day, listed)[0]

    def checked(self) -> None:
        """As `download` does it."""
        self._checked(print_again=False)

    def printed_again(self) -> None:
        """As `download` does it with one day in fifty."""
        self._checked(print_again=True)

    def unchecked(self) -> None:
        """The same file, and nobody has looked at it."""
        recording = self._recording(Unread)
        recording._weighing._check = Uncounted()  # type: ignore[assignment]  # noqa: SLF001
        self._arrive(recording.feed)
        recording._take(recording._weighing.finish())  # noqa: SLF001
        recording.commit(layout.data_path(self.shard, "parquet"))

    def _checked(self, *, print_again: bool) -> None:
        recording = self._recording(Part)
        self._arrive(recording.feed)
        weighed = recording.weigh(self.listed, "")
        if weighed.proof is not Proof.FULL:
            raise RuntimeError(f"the day is not proven: {weighed.remarks}")
        recording.commit(layout.data_path(self.shard, "parquet"), print_again=print_again)

    def _arrive(self, feed: Callable[[bytes], None]) -> None:
        started = time.monotonic()
        for at in range(0, len(self.body), _PIECE_BYTES):
            piece = self.body[at : at + _PIECE_BYTES]
            due = started + (at + len(piece)) / (PACE_MB_S * 1e6)
            time.sleep(max(0.0, due - time.monotonic()))
            feed(piece)

    def _recording(self, kind: type[Part]) -> Recording:
        request = request_for(self.shard, _KIND).text
        grids = grid_of(_KIND, half_day=False)
        return Recording(self.shard, _KIND, request, grids, Manner(), lambda: self._part(kind))

    def _part(self, kind: type[Part]) -> Scratch:
        return kind(self.volume, layout.part_name(self.shard, f"{next(self._tokens)}"))


Way = Literal["with", "without", "printed again"]


def measure(scratch: Path, *, repeats: int, tell: Callable[[str], None]) -> object:
    """Medians of runs in turns, in a process of their own; the day is rendered once by a simulator."""
    tell(f"a day at {PACE_MB_S} MB/s, with and without checks, {repeats} times each")
    env, folder = environment(scratch), scratch / "checking"
    shard = Shard(Collection("option/quote/1m", "", _SYMBOL), DAY)
    with simulator(("--size", "real"), env) as url:
        record(url, [str(contracts_request(_SYMBOL, DAY)), str(request_for(shard, _KIND))], folder)
    words = [sys.executable, "-m", "benchmarks.checking", str(folder), DAY.isoformat(), str(repeats)]
    return json.loads(run(words, env=env, keep_stdout=True).stdout)


def main(folder: Path, day: date, repeats: int) -> dict[str, Any]:
    """Wall and processor seconds of each way, and the share that checking has of the wall time."""
    tune_allocator()  # as in a download
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    listed, body = (unchunked((folder / answer["file"]).read_bytes()) for answer in index)
    bench = Bench(folder / "store", body, listed, day)
    ways: dict[Way, Callable[[], None]] = {
        "with": bench.checked, "without": bench.unchecked, "printed again": bench.printed_again
    }  # fmt: skip
    bench.checked()  # warms up
    taken: dict[Way, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, work in ways.items():
            taken[way].append(_timed(work))
    document: dict[str, Any] = {"csv_bytes": len(body), "pace_mb_s": PACE_MB_S, "wall_s": {}, "cpu_s": {}}
    for way, samples in taken.items():
        document["wall_s"][way] = round(median([wall for wall, _ in samples]), 3)
        document["cpu_s"][way] = round(median([cpu for _, cpu in samples]), 3)
    return document | {name.replace("_s", "_share"): round(_share(document[name]), 4) for name in ("wall_s", "cpu_s")}


def _share(seconds: dict[Way, float]) -> float:
    """What checking is of the whole, where one day in fifty is printed again."""
    usual = seconds["with"] + (seconds["printed again"] - seconds["with"]) / SAMPLED_OF
    return 1 - seconds["without"] / usual


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))))

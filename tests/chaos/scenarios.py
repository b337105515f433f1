"""The commands that are swept, each with a store in the state that makes it do all that it can."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.bench import Bench, Ran
from tests.chaos.oracle import final_names

Prepare = Callable[[Bench, Path], None]
Start = Callable[..., Ran]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` makes the store, or not. `does` is a part of a path that only the command's own work touches. `result`
    is the folder that is judged: the store, or what was made beside it."""

    name: str
    does: str
    prepare: Prepare
    start: Start
    conditions: tuple[str, ...] = ()
    result: str = "store"


def _nothing(_: Bench, __: Path) -> None:
    """No store yet: it is made, too."""


def _whole(bench: Bench, store: Path) -> None:
    assert bench.download(store, conditions=("one_identity",)).wait().code == 0


def _superseded(bench: Bench, store: Path) -> None:
    """A whole store whose files were touched again and again: more than half of its ledger counts no longer."""
    for minute in range(1, 5):
        _whole(bench, store)
        for day in _days(store):
            os.utime(day, (1_700_000_000 + 60 * minute, 1_700_000_000 + 60 * minute))


def _rotten(bench: Bench, store: Path) -> None:
    """One file has another bit, unseen by its size and time; another file is gone."""
    _whole(bench, store)
    rotten, gone = _days(store)[:2]
    times = rotten.stat()
    content = bytearray(rotten.read_bytes())
    content[len(content) // 2] ^= 1
    rotten.write_bytes(content)
    os.utime(rotten, ns=(times.st_atime_ns, times.st_mtime_ns))
    gone.unlink()


def _days(store: Path) -> list[Path]:
    return [store / name for name in final_names(store) if name.startswith("option")]


def _download(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.download(store, **how)


def _verify(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.start("verify", "--deep", "--budget=1h", f"--store={store}", "--json", **how)


def _repair(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.start("verify", "--repair", f"--url={bench.url}", f"--store={store}", "--json", **how)


def _rebuild(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.start("store", "rebuild", f"--store={store}", "--json", **how)


def _mirror(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.start("mirror", str(store.with_name("mirror")), f"--store={store}", "--json", **how)


SCENARIOS = [
    Scenario("download", "year=2024", _nothing, _download),
    Scenario("compaction", "ledger.jsonl.new", _superseded, _download, ("early_compaction",)),
    Scenario("verify", "verified.json", _whole, _verify),
    Scenario("repair", "quarantine", _rotten, _repair),
    Scenario("rebuild", "ledger.jsonl", _whole, _rebuild),
    Scenario("mirror", "mirror/option", _whole, _mirror, result="mirror"),
]

"""The commit protocol, read from the trace of a run: what must have happened before what (reliability.md §4.3).

File systems forgive a missing flush most of the time; a trace never does.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from tests.chaos.tracing import Call

_TARGET = re.compile(r'^, (?:AT_FDCWD(?:<[^>]*>)?, |\d+<(?P<folder>[^>]*)>, )?"(?P<name>[^"]*)"')
_DAY = re.compile(r'\\"symbol\\":\\"(?P<symbol>\w+)\\",\\"day\\":\\"(?P<day>[\d-]+)\\",\\"outcome\\":\\"saved\\"')
_SYNCS = ("fsync", "fdatasync")
_WRITES = ("write", "pwrite64", "writev", "pwritev")


@dataclass(slots=True)
class Order:
    """Takes calls in their order; `faults` says which came too early. `published` counts the files."""

    store: Path
    faults: list[str] = field(default_factory=list)
    published: int = 0
    _unsynced: set[str] = field(default_factory=set)
    _unread: set[str] = field(default_factory=set)
    _uncached: set[str] = field(default_factory=set)
    _undurable: dict[str, str] = field(default_factory=dict)
    _files: set[str] = field(default_factory=set)

    def take(self, call: Call) -> None:
        inside = PurePath(call.path).is_relative_to(self.store)
        if call.name in _WRITES and call.path.endswith(".out"):
            self._tell(call)
        elif not inside:
            return
        elif call.name in _WRITES:
            self._write(call)
        elif call.name in _SYNCS:
            self._sync(call)
        elif call.name == "fadvise64" and "DONTNEED" in call.rest and call.path not in self._unsynced:
            self._uncached.add(call.path)
        elif call.name == "read" and call.path in self._uncached:
            self._unread.discard(call.path)
        elif call.name.startswith("rename"):
            self._rename(call)

    def _write(self, call: Call) -> None:
        self._unsynced.add(call.path)
        self._unread.add(call.path)
        self._uncached.discard(call.path)
        if (found := _DAY.search(call.rest)) and call.path.endswith("ledger.jsonl"):
            name = f"{found['symbol']}-{found['day']}.parquet"
            if name not in self._files:
                self.faults.append(f"{name} was recorded before it was in place")
            elif name in self._undurable:
                self.faults.append(f"{name} was recorded before its folder was flushed")

    def _sync(self, call: Call) -> None:
        self._unsynced.discard(call.path)
        self._undurable = {name: folder for name, folder in self._undurable.items() if folder != call.path}

    def _rename(self, call: Call) -> None:
        found = _TARGET.match(call.rest)
        assert found is not None, call
        target = PurePath(found["folder"] or "/", found["name"])
        if call.path in self._unsynced:
            self.faults.append(f"{target.name} was put in place before it was flushed")
        if call.path.endswith(".part") and call.path in self._unread:
            self.faults.append(f"{target.name} was put in place before it was read back past the cache")
        if call.path.endswith(".part"):
            self._files.add(target.name)
            self._undurable[target.name] = str(target.parent)
            self.published += 1

    def _tell(self, call: Call) -> None:
        if "shard_finished" in call.rest and f"{self.store}/.thetabulk/ledger.jsonl" in self._unsynced:
            self.faults.append(f"a day was told before the ledger was flushed: {json.dumps(call.rest[:80])}")

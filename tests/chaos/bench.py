"""A place to make a store suffer: how commands are called here, with which settings, and how they ended."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from tests.chaos.child import Order
from tests.chaos.ledger_lines import Key
from tests.chaos.nursery import Child, Nursery
from tests.chaos.oracle import told_saved

PATIENCE_S = 60.0
SETTINGS = {
    "THETABULK_FETCH_LAUNCH_GAP_S": "0",
    "THETABULK_FETCH_BACKOFF_FIRST_S": "0.02",
    "THETABULK_RUN_PAUSE_POLL_S": "0.05",
    "THETABULK_RUN_PAUSE_LIMIT_S": "0.3",
    "THETABULK_STORE_FREE_FLOOR_BYTES": "0",
    "THETABULK_STORE_RESERVE_BYTES": "16384",
    "THETABULK_STORE_SAMPLE_EVERY": "3",
    "THETABULK_SCREEN_KEEP_AWAKE": "no",
}
"""The product's own settings, for small stores and short tempers; nothing here weakens what is promised."""


@dataclass(slots=True)
class Ran:
    """A command that was started: its process, and what it said."""

    child: Child
    out: Path
    err: Path
    code: int | None = None

    def wait(self, seconds: float = PATIENCE_S) -> "Ran":
        self.code = self.child.wait(seconds)
        return self

    @property
    def told(self) -> set[Key]:
        return told_saved(self.out)

    def events(self) -> list[dict[str, Any]]:
        """What `--json` has told so far, whole lines only."""
        if not self.out.exists():
            return []
        return [json.loads(line) for line in self.out.read_bytes().split(b"\n")[:-1]]

    def complaints(self, allowed: Iterable[int]) -> list[str]:
        """What is wrong with how it ended, whatever the fault was."""
        if self.code is None:
            return ["hang: it had to be killed"]
        said = self.err.read_text(errors="replace") if self.err.exists() else ""
        ours = [text for event in self.events() if "internal error" in (text := str(event.get("message")))]
        if ours or "internal error" in said:
            return [f"unhandled: {ours[:1]} {said.strip()[-300:]}"]
        return [] if self.code in allowed else [f"exit code {self.code}: {said.strip()[-300:]}"]


@dataclass(slots=True)
class Bench:
    """Runs `thetabulk` for a store of QQQ's newest days. `home` holds what a user's home does, and what was said;
    `bugs` are planted into every process."""

    nursery: Nursery
    url: str
    home: Path
    days: list[date]
    settings: Mapping[str, str] = field(default_factory=dict)
    bugs: tuple[str, ...] = ()
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def environment(self) -> dict[str, str]:
        folders = {name: str(self.home / name.lower()) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        path = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "HOME": str(self.home)}
        return {**path, **folders, **SETTINGS, **self.settings}

    def download(self, store: Path, more: tuple[str, ...] = (), **how: Any) -> Ran:
        """Starts a download of the days, or goes on with it."""
        span = (f"--from={self.days[0]}", f"--to={self.days[-1]}", *more)
        return self.start("download", "QQQ", *span, f"--url={self.url}", f"--store={store}", "--json", **how)

    def resume(self, store: Path, **how: Any) -> Ran:
        return self.start("resume", f"--url={self.url}", f"--store={store}", "--json", **how)

    def export(self, store: Path, day: date) -> bytes:
        """The vendor's CSV, as the command gives it back."""
        csv = self.home / f"{day}.csv"
        ran = self.start("export", "QQQ", f"--day={day}", f"--store={store}", "-o", str(csv)).wait()
        assert ran.code == 0, ran.err.read_text()
        return csv.read_bytes()

    def start(self, *argv: str, out: Path | None = None, **how: Any) -> Ran:
        """`how`: conditions, traced (see `child.Order`); `out` takes the standard output, if not a new file."""
        number = next(self._numbers)
        out, err = out or self.home / f"{number}.out", self.home / f"{number}.err"
        return Ran(self.nursery.start(Order(argv, self.environment, out, err, bugs=self.bugs, **how)), out, err)

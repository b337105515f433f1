"""Runs in a world of their own: what is not real is put in place of the real thing, and taken away again."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from tests.chaos.simulation.drive import TroubledOs
from tests.chaos.simulation.terminal import Terminal
from tests.chaos.simulation.truth import SYMBOL, Truth
from tests.chaos.simulation.watch import Watch
from tests.chaos.simulation.weather import Weather
from tests.virtual_time import VirtualLoop, now
from thetabulk import config
from thetabulk.assembly import clock, downloads, stores
from thetabulk.errors import ThetabulkError
from thetabulk.store.disk import Disk
from thetabulk.store.volume import Volume

BEGINNING = datetime(2024, 8, 14, 12, tzinfo=UTC)  # before any contract of `small_store` expires
LONGEST_S = 1.5 * 86_400
_ROOM_BYTES = 10**12
_SETTINGS: dict[str, object] = {
    "job.symbols": (SYMBOL,), "job.interval": "1h", "terminal.tier": "standard", "terminal.wait": True,
    "run.max_consecutive_empty": 4, "run.chunk_size": 12, "store.reserve_bytes": 4_096,
    "store.free_floor_bytes": 1_000, "store.sample_every": 7, "fetch.first_byte_timeout_s": 60.0,
    "run.blocked_s": 0.0,
}  # fmt: skip


@dataclass
class World:
    """A vendor, a drive and a machine. Runs over `truth`'s days go into the store in `home`; a later one goes on where
    an earlier one ended. `found` are the promises that were broken on the way."""

    home: Path
    truth: Truth
    weather: Weather
    dice: Random
    settings: dict[str, object] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    said: list[str] = field(default_factory=list)
    passed_s: float = 0.0

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        self.terminal = Terminal(self.truth, self.weather, lambda: self.dice.uniform(0.1, 2.0), self.watch.request)

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def found(self) -> list[str]:
        return self.watch.found

    def clears_up(self) -> None:
        """Fair weather from now on."""
        self.terminal.weather = self.weather = Weather()

    def run(self, command: str = "download") -> int | None:
        """The exit code; None if the run had to be ended, or ended in a way that none may."""
        days = sorted(self.truth.kinds)
        flags = _SETTINGS | {"job.from": days[0], "job.to": days[-1], "store.path": str(self.store)} | self.settings
        resolved = config.load(None, {}, flags)
        with self._in_place():
            try:
                with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                    return runner.run(self._bounded(resolved, downloads.Orders(command)))
            except ThetabulkError as error:
                self.said.append(f"{type(error).__name__}: {error}")
                return error.exit_code
            except TimeoutError:
                self.found.append(f"it has not ended after {LONGEST_S / 3600:.0f} hours")
            except Exception as error:  # noqa: BLE001 - nobody has handled it
                self.found.append(f"unhandled: {error!r}")
        return None

    async def _bounded(self, resolved: config.Resolved, orders: downloads.Orders) -> int:
        run = downloads._Run(resolved, orders, self.watch.hear, awake=False)
        try:
            return await asyncio.wait_for(run.run(), LONGEST_S)
        finally:
            self.passed_s = now()

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        watch = self.watch

        def trouble() -> str:
            return self.weather.trouble(now())

        class Watched(downloads._Machinery):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                watch.begin(self.parts._gate)

        def shown_s() -> float:
            return now() + self.weather.slept_s(now())

        replaced: list[tuple[Any, str, Callable[..., Any]]] = [
            (downloads, "Client", self.terminal.client),
            (downloads, "_Machinery", Watched),
            (downloads, "memory_percent", lambda: 0.0),
            (clock, "monotonic", now),
            (clock, "wall", shown_s),
            (clock, "now", lambda: BEGINNING + timedelta(seconds=shown_s())),
            (clock, "sleep", lambda seconds: None),
            (clock, "rng", self.dice.random),
            (stores, "new_disk", lambda calls=None: Disk(sleep=clock.sleep, calls=TroubledOs(trouble))),
            (downloads, "suspects_beside", lambda url: ()),
            (Volume, "free_bytes", lambda volume: 0 if trouble() == "disk full" else _ROOM_BYTES),
        ]
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, {"XDG_STATE_HOME": str(self.home / "state")}))
            for owner, name, fake in replaced:
                stack.enter_context(patch.object(owner, name, fake))
            yield


def asked_between(world: World, start_s: float, end_s: float) -> int:
    """Requests for data in a span of the run."""
    return sum(start_s <= asked.at_s < end_s for asked in world.terminal.asked)


def days_asked(world: World) -> set[date]:
    return {asked.day for asked in world.terminal.asked}

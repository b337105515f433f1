"""A run's parts over a real small store and a Terminal in memory, in virtual time."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from tests.cli.small_store import AT, CONTRACTS, HOURLY, answer, contract_list
from tests.unit.store.faulty_os import FaultyOs, faulty_disk
from tests.virtual_time import now
from thetabulk.assembly import stores
from thetabulk.assembly.parts import Grids, Hold, RunParts
from thetabulk.assembly.stores import Store
from thetabulk.config import FetchConfig, StoreConfig
from thetabulk.errors import TerminalAnswer
from thetabulk.events import Event
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.fetcher import Fetcher
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit
from thetabulk.model import Request, Shard
from thetabulk.plan.calendar import Calendar

Told = bytes | Exception
LACKING = CONTRACTS[:2]  # one of three listed contracts is absent


class Terminal:
    """Sends each day's answer, or what is put in its place; `lists` likewise for contract lists."""

    simulator = None

    def __init__(self) -> None:
        self.days: dict[date, list[Told]] = {}
        self.lists: dict[date, Told] = {}
        self.asked: list[date] = []
        self.lists_asked: list[date] = []

    async def stream(self, request: Request, feed: Callable[[bytes], None], *, on_bytes: Callable[[int], None]) -> None:
        day = day_of(request)
        self.asked.append(day)
        told = self._next(day)
        if isinstance(told, Exception):
            raise told
        on_bytes(len(told))
        feed(told)

    async def small(self, request: Request, *, timeout_s: float) -> Answer:
        day = day_of(request)
        self.lists_asked.append(day)
        told = self.lists.get(day, contract_list("QQQ"))
        if isinstance(told, TerminalAnswer):
            return Answer(told.status, told.text.encode(), {}, 0.0)
        if isinstance(told, Exception):
            raise told
        return Answer(200, told, {}, 0.0)

    def _next(self, day: date) -> Told:
        turns = self.days.get(day) or [answer(Shard(HOURLY, day))]
        return turns.pop(0) if len(turns) > 1 else turns[0]


def day_of(request: Request) -> date:
    return date.fromisoformat(dict(request.params)["date"])


def parts_over(store: Store, terminal: Terminal, events: list[Event] | None = None, **settings: Any) -> RunParts:
    told: list[Event] = [] if events is None else events
    hold = Hold()
    gate = Gate((lambda: 4, hold.capacity), launch_gap_s=0.0, now=now)
    client = cast(Client, terminal)

    def fetcher(parts: RunParts) -> Fetcher:
        return Fetcher(
            client, gate, Breaker(), Limit(1, 4), FetchConfig(**settings), open_recording=parts.open_recording,
            contracts=parts.contracts, emit=told.append, monotonic=now, now=lambda: AT, rng=lambda: 0.5,
            tier=lambda: "standard",
        )  # fmt: skip

    return RunParts(store, client, fetcher, gate, hold, Grids(Calendar.load()), extra_columns=False)


@contextmanager
def on_a_faulty_drive(path: Path, calls: FaultyOs, monkeypatch: pytest.MonkeyPatch, **settings: Any):  # type: ignore[no-untyped-def]
    """The store at the path, opened for writing, through an `os` that fails on cue."""
    with monkeypatch.context() as patched:
        patched.setattr(stores, "new_disk", lambda: faulty_disk(calls))
        with stores.opened(path, StoreConfig(**({"reserve_bytes": 0} | settings)), write=True) as store:
            yield store

"""A server that lies on a raw socket, against the real client, fetcher and store: nothing wrong is accepted, nothing
hangs, and a lie that is told once costs no day. Fault rows C1 to C6, C9 to C11."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import xxhash

from tests.chaos.figures import Figures
from tests.chaos.lies import LIES, Told
from tests.chaos.reconciled import at_home
from tests.cli.small_store import DAYS, HOURLY, answer, contract_list, make, writing
from tests.unit.fetch.raw_server import Wire, head, serving, sized
from thetabulk.assembly import downloads
from thetabulk.assembly.contact import Held
from thetabulk.assembly.parts import Grids, RunParts
from thetabulk.assembly.stores import Store
from thetabulk.assembly.terminals import Keeping
from thetabulk.config import Config, FetchConfig
from thetabulk.events import Event, Notice
from thetabulk.fetch.client import Client
from thetabulk.model import Failed, Outcome, Proof, Saved, Shard, Tier
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset
from thetabulk.store.weighing import stored_body

SHARD = Shard(HOURLY, DAYS[-1])
TRUTH = answer(SHARD)
IMPATIENT = FetchConfig(
    attempts=2, launch_gap_s=0.0, backoff_first_s=0.0, backoff_max_s=0.0, connect_timeout_s=1.0,
    first_byte_timeout_s=0.3, idle_timeout_s=0.3, body_ceiling_bytes=8 << 20, breaker_first_s=0.0, breaker_max_s=0.0,
    breaker_failing_max_s=0.0,
)  # fmt: skip
ASKINGS = 3
PATIENCE_S = 20.0
ROOM_BYTES = 96 << 20
"""What a process may take for any lie, beyond what it has: the ceiling of a body is 8 MB here."""


@dataclass
class Liar:
    """Tells a lie to so many requests for data, and then the truth; about everything else it is honest."""

    told: Told
    times: int
    asked: int = 0

    async def serve(self, wire: Wire) -> None:
        while await wire.request():
            path = wire.head.split()[1]
            if "/history/" in path:
                self.asked += 1
                if self.asked <= self.times:
                    await self.told.lie(wire, TRUTH)
                    return
            await wire.send(sized(_honest(path)) if _honest(path) else head("404 Not Found", "Content-Length: 0"))


def _honest(path: str) -> bytes:
    if path.endswith("/status"):
        return b"CONNECTED"
    if "/list/contracts/" in path:
        return contract_list(SHARD.symbol)
    return TRUTH if "/history/" in path else b""


@dataclass
class Trial:
    """What came of asking for a day up to three times, as the rounds of a run do."""

    outcomes: list[Outcome] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    printed: bytes = b""

    @property
    def last(self) -> Outcome:
        return self.outcomes[-1]


@asynccontextmanager
async def fetching(store: Store, url: str, events: list[Event]) -> AsyncIterator[RunParts]:
    async with Client(url, IMPATIENT) as client:
        grids = Grids(Calendar.load())
        held = Held(Tier.STANDARD, assumed=False)
        config, no_terminal = Config(fetch=IMPATIENT), Keeping()
        yield downloads._Machinery(config, held, client, store, grids, events.append, [], None, no_terminal).parts


async def _ask(store: Store, liar: Liar) -> Trial:
    trial, events = Trial(), list[Event]()
    async with serving(liar.serve) as raw, fetching(store, raw.url, events) as parts:
        for _ in range(ASKINGS):
            try:
                outcome = await asyncio.wait_for(parts.fetch(SHARD), PATIENCE_S)
            except TimeoutError:
                trial.found.append("it hangs")
                return trial
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody has handled it
                trial.found.append(f"unhandled: {error!r}")
                return trial
            parts.record(outcome)
            trial.outcomes.append(outcome)
            if isinstance(outcome, Saved):
                trial.printed = b"".join(stored_body(store.file_of(SHARD), dataset(HOURLY.dataset), store.format))
                break
    trial.found += [event.message for event in events if isinstance(event, Notice)]
    trial.found += [f"left behind: {path.name}" for path in (store.volume.root / ".thetabulk/tmp").iterdir()]
    return trial


def try_lie(home: Path, told: Told, times: int) -> Trial:
    """In a store of its own."""
    home.mkdir()
    with at_home(home):
        make(home / "store")
        with writing(home / "store") as store:
            return asyncio.run(_ask(store, Liar(told, times)))


def wrongly_accepted(trial: Trial, told: Told) -> list[str]:
    """What is wrong with how a lie that is always told has ended."""
    if trial.found:
        return trial.found
    last = trial.last
    if isinstance(last, Failed):
        return []
    if not isinstance(last, Saved):
        return [f"taken for {last}"]
    if last.vendor_xxh3 == xxhash.xxh3_128_hexdigest(TRUTH) and trial.printed == TRUTH and told.may_be_true:
        return []
    if told.may_be_confirmed and last.proof is Proof.REMARKS and len(trial.outcomes) == 2:
        return []
    return [f"saved, with proof {last.proof}: {trial.printed[-200:]!r}"]


def missed(trial: Trial) -> list[str]:
    """What is wrong with how a lie that is told once has ended."""
    if trial.found:
        return trial.found
    if isinstance(trial.last, Saved) and trial.last.proof is Proof.FULL and trial.printed == TRUTH:
        return []
    return [f"the truth was told then, and was not taken: {trial.outcomes}"]


@contextmanager
def bounded(found: list[str]) -> Iterator[None]:
    """Watches what this process takes meanwhile."""
    process, over = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not over.wait(0.02):
            most = max(most, process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    if most - before > ROOM_BYTES:
        found.append(f"it took {(most - before) >> 20} MB")


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_not_believed_and_costs_no_day(name: str, workshop: Path, figures: Figures) -> None:
    """Told always, it is never saved, except for the truth in odd clothes, or a surplus that is confirmed; told once,
    the truth that follows is saved and proven. No exception, no hang, bounded memory."""
    told, found = LIES[name], list[str]()
    with bounded(found):
        found += wrongly_accepted(try_lie(workshop / "always", told, ASKINGS * 99), told)
        found += missed(try_lie(workshop / "once", told, 1))
    figures.add("lying answers", 2, len(found), 0, "lies")
    assert not found

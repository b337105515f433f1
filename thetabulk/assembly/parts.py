"""What the pipeline asks of the rest of the program, for one open store and one Terminal."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zlib import crc32

from thetabulk.assembly import clock
from thetabulk.assembly.profiles import habits_of
from thetabulk.assembly.session import Session
from thetabulk.assembly.stores import Store
from thetabulk.errors import BadAnswer, ShardError, ThetabulkError
from thetabulk.fetch.client import Client
from thetabulk.fetch.fetcher import Errand, Fetcher, in_thread
from thetabulk.fetch.gate import Draining, Gate
from thetabulk.fetch.prober import Finding, Prober
from thetabulk.ledger.payload import ContractList
from thetabulk.model import Boundary, Collection, Contract, Empty, Failed, Outcome, Request, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import (
    contracts_request,
    dataset,
    expirations_request,
    grid_of,
    probe_request,
    request_for,
)
from thetabulk.plan.profile import Profile
from thetabulk.run.guard import Look
from thetabulk.run.pipeline import Stopped
from thetabulk.store.evidence import keep_evidence
from thetabulk.store.habits import Habits
from thetabulk.store.layout import kept_path

if TYPE_CHECKING:
    from thetabulk.store.recording import Recording  # pyarrow; a run that has nothing to fetch does without

_LIST_TIMEOUT_S = 120.0
_AROUND = (*range(-30, 0), *range(1, 31))  # calendar days: about the 20 sessions on either side


class Grids:
    """The known rows per contract of a Shard's day, and what the vendor profile adds to them."""

    def __init__(self, calendar: Calendar, profile: Profile | None = None) -> None:
        self._calendar = calendar
        self._profile = profile or Profile()

    def of(self, shard: Shard) -> Mapping[int, str]:
        return grid_of(dataset(shard.collection.dataset), self._calendar.is_half_day(shard.day))

    def habits(self, shard: Shard) -> Habits:
        half_day = self._calendar.is_half_day(shard.day)
        return habits_of(self._profile, dataset(shard.collection.dataset), half_day=half_day)


class Hold:
    """Shuts the gate during a pause: one of the capacities of which the gate takes the least."""

    def __init__(self) -> None:
        self.closed = False

    def capacity(self) -> int:
        return 0 if self.closed else 1_000_000


class RunParts:
    """The pipeline's `Parts` over a store and a client."""

    def __init__(
        self, store: Store, client: Client, fetcher: Callable[["RunParts"], Fetcher], gate: Gate, hold: Hold,
        grids: Grids, *, extra_columns: bool, session: Session | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._client = client
        self._gate = gate
        self._hold = hold
        self._grids = grids
        self._session = session or Session()
        self._extra_columns = extra_columns
        self._probers: dict[Collection, Prober] = {}
        self._fetcher = fetcher(self)

    async def fetch(self, shard: Shard) -> Outcome:
        kind = dataset(shard.collection.dataset)
        entry = self._store.ledger.days.get(shard)
        earlier = entry.outcome if entry else None
        every = self._store.settings.sample_every
        errand = Errand(
            shard, request_for(shard, kind), self._store.path_of(shard), kept_path(shard, self._store.format),
            earlier_content=earlier.content if isinstance(earlier, Failed) else "",
            earlier_empty=earlier if isinstance(earlier, Empty) else None,
            print_again=bool(every) and crc32(str(shard).encode()) % every == 0,  # the same days in every run
        )  # fmt: skip
        try:
            return await self._fetcher.fetch(errand)
        except Draining as draining:
            raise Stopped from draining

    def open_recording(self, shard: Shard, request: Request) -> "Recording":
        from thetabulk.store.recording import Manner, Recording

        settings, identity = self._store.settings, self._store.volume.identity
        manner = Manner(
            identity.format, identity.prices, settings.row_group_rows, settings.compression_level, self._extra_columns
        )  # fmt: skip
        kind = dataset(shard.collection.dataset)
        return Recording(
            shard, kind, request.text, self._grids.of(shard), manner, lambda: self._store.day_part(shard),
            self._grids.habits(shard),
        )  # fmt: skip

    def keep_evidence(self, shard: Shard, error: BadAnswer, head: bytes) -> None:
        keep_evidence(
            self._store.volume, shard, error.kind, str(error), head, most_bytes=self._store.settings.quarantine_bytes
        )  # fmt: skip

    async def contracts(self, shard: Shard) -> frozenset[Contract] | None:
        """The vendor's list for the day: the kept one, or asked for and kept. None where it cannot be had."""
        kept = await in_thread(self._kept_list, shard)
        if kept is not None:
            return kept
        try:
            answer = await self._client.small(contracts_request(shard.symbol, shard.day), timeout_s=_LIST_TIMEOUT_S)
            if answer.status != 200:
                return None
            listed, sha256 = await in_thread(self._store.lists.keep, shard.symbol, shard.day, answer.body)
        except ShardError:
            return None
        self._store.ledger.record_contracts(ContractList(shard.symbol, shard.day, len(listed), sha256), clock.now())
        return listed

    def _kept_list(self, shard: Shard) -> frozenset[Contract] | None:
        with self._store.volume.translated(self._store.volume.root):
            return self._store.lists.read(shard.symbol, shard.day)

    async def look(self, shard: Shard) -> Look:
        return await self._session.look(self._prober(shard.collection).answer_about, shard.day)

    async def suspects(self) -> tuple[str, ...]:
        return await self._session.named_suspects()

    async def probe(self, collection: Collection, day: date) -> Finding:
        return await self._prober(collection).probe(day)

    def _prober(self, collection: Collection) -> Prober:
        kind = dataset(collection.dataset)
        if collection not in self._probers:
            self._probers[collection] = Prober(
                self._client,
                expirations=expirations_request(collection.symbol),
                one_expiration=lambda day, expiration: probe_request(kind, collection.symbol, day, expiration),
                contracts=lambda day: contracts_request(collection.symbol, day),
            )
        return self._probers[collection]

    def _compared(self, saved: Saved) -> Saved:
        """With a remark if the day is far from the days around it in size."""
        from thetabulk.store.validate import size_remark

        around = (Shard(saved.shard.collection, saved.shard.day + timedelta(days=days)) for days in _AROUND)
        entries = (self._store.ledger.days.get(shard) for shard in around)
        neighbours = [entry.outcome.rows for entry in entries if entry and isinstance(entry.outcome, Saved)]
        remark = size_remark(saved.rows, neighbours)
        return replace(saved, remarks=(*saved.remarks, remark)) if remark else saved

    def record(self, outcome: Outcome) -> None:
        """What an earlier whole answer left behind stands until there is a better one: a cut connection is no news
        about its content, and takes nothing from `thetabulk accept`."""
        entry = self._store.ledger.days.get(outcome.shard)
        earlier = entry.outcome if entry and isinstance(entry.outcome, Failed) else None
        if earlier is not None and isinstance(outcome, Failed):
            content, kept = outcome.content or earlier.content, outcome.kept or earlier.kept
            outcome = replace(outcome, content=content, kept=kept)
        if isinstance(outcome, Saved):
            outcome = self._compared(outcome)
        self._store.ledger.record(outcome, clock.now())
        if earlier is not None and earlier.kept and isinstance(outcome, Saved):
            with suppress(OSError):  # only tidying: the day is saved
                self._store.volume.disk.remove(self._store.volume.path(kept_path(outcome.shard, self._store.format)))

    def record_boundary(self, boundary: Boundary) -> None:
        self._store.ledger.record_boundary(boundary, clock.now())

    def obstacle(self) -> ThetabulkError | None:
        return self._store.obstacle()

    def hold(self, closed: bool) -> None:
        self._hold.closed = closed
        self._gate.changed()

    def in_flight(self) -> int:
        return self._gate.in_flight

    def wake(self) -> None:
        """This machine has slept: what was in flight begins again."""
        self._fetcher.wake()

    def drain(self) -> None:
        self._gate.drain()

"""A Terminal, a recording and a list that do as they are told, around a real Fetcher, gate and breaker."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, auto
from pathlib import PurePosixPath
from typing import cast

from tests.virtual_time import now
from thetabulk.config import FetchConfig
from thetabulk.events import Event
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.client import Client
from thetabulk.fetch.fetcher import Errand, Fetcher
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.verdict import Verdict
from thetabulk.model import Collection, Contract, Proof, Request, Right, Shard

DAY = date(2024, 8, 2)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHARD = Shard(Collection("option/quote/1m", "", "QQQ"), DAY)
REQUEST = Request("/v3/option/history/quote", (("symbol", "QQQ"), ("date", "2024-08-02")))
TARGET, ASIDE = PurePosixPath("there"), PurePosixPath("aside")
LISTED = frozenset({Contract(DAY, 455_000, Right.CALL)})
BODY = (b"a body ", b"in two pieces")


def errand(**changes: object) -> Errand:
    return Errand(SHARD, REQUEST, TARGET, ASIDE, **changes)  # type: ignore[arg-type]


class Fate(Enum):
    SAVE = auto()
    ASK_AGAIN = auto()
    KEEP_ASIDE = auto()


@dataclass(frozen=True)
class Weighed:
    fate: Fate = Fate.SAVE
    proof: Proof = Proof.FULL
    rows: int = 391
    contracts: int = 1
    content: str = "391:beef"
    vendor_bytes: int = 20
    vendor_xxh3: str = "ab" * 16
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    sha256: str = "cd" * 32
    bytes: int = 12
    mtime_ns: int = 34


Step = Callable[[], object] | Exception | None


class FakeRecording:
    """Writes down what is done to it, and how many slots were held then. `steps` may fail a call, or do something in
    it; `weighed` is what there is to say."""

    def __init__(self, onion: "Onion", number: int) -> None:
        self._onion = onion
        self.number = number
        self.body = self.head = b""
        self.calls: list[str] = []

    def feed(self, data: bytes) -> None:
        self.body += data
        self._do("feed")

    def next_part(self) -> None:
        self._do("next part")

    def weigh(self, listed: frozenset[Contract] | None, earlier_content: str) -> Weighed:
        self._onion.listed.append(listed)
        self._do("weigh")
        return self._onion.weighed

    def commit(self, target: PurePosixPath, *, print_again: bool = False) -> Done:
        self._do(f"commit {target}{' and print' if print_again else ''}")
        return Done()

    def abort(self) -> None:
        self._do("abort")

    def _do(self, call: str) -> None:
        self.calls.append(call)
        self._onion.held_during.append((call.split()[0], self._onion.gate.in_flight))
        step = self._onion.steps.get((self.number, call.split()[0]))
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step()


class FakeClient:
    """Answers as told: an exception is raised after `seconds`, None is a whole body. The last answer stays."""

    simulator = None

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = answers
        self.seconds = 1.0
        self.asked_at: list[float] = []

    async def stream(self, request: Request, feed: Callable[[bytes], None], *, on_bytes: Callable[[int], None]) -> None:
        assert request == REQUEST
        self.asked_at.append(now())
        answer = self.answers[min(len(self.asked_at), len(self.answers)) - 1]
        await asyncio.sleep(self.seconds)
        if answer is not None:
            raise answer
        for piece in BODY:
            on_bytes(len(piece))
            feed(piece)
            await asyncio.sleep(self.seconds)


class Onion:
    """Everything around one Fetcher. `capacity` is the gate's; `lists` gives the contract list."""

    def __init__(
        self, *answers: Exception | None, settings: FetchConfig | None = None, weighed: Weighed | None = None,
        client: FakeClient | None = None,
    ) -> None:  # fmt: skip
        settings = settings or FetchConfig()
        self.client = client or FakeClient(*(answers or (None,)))
        self.capacity = 4
        self.breaker = Breaker(failures=5, first_s=1.0, max_s=30.0)
        self.gate = Gate(
            (lambda: self.capacity, lambda: self.breaker.capacity(now())), launch_gap_s=0.0, now=now,
            reopen_at=lambda: self.breaker.reopen_at,
        )  # fmt: skip
        self.weighed = weighed or Weighed()
        self.steps: dict[tuple[int, str], Step] = {}
        self.recordings: list[FakeRecording] = []
        self.opening: Exception | None = None
        self.listed: list[frozenset[Contract] | None] = []
        self.lists: Callable[[], Awaitable[frozenset[Contract] | None]] = self._list
        self.lists_asked_at: list[float] = []
        self.held_during: list[tuple[str, int]] = []
        self.results: list[Verdict] = []
        self.events: list[Event] = []
        self.slept: list[float] = []
        self.wrong = ""  # what a small question finds out
        self.looked_at: list[float] = []
        self.fetcher = Fetcher(
            cast(Client, self.client), self.gate, self.breaker, self, settings, open_recording=self._open,
            contracts=self._contracts, emit=self.events.append, monotonic=now, now=lambda: NOON, rng=lambda: 0.5,
            sleep=self._sleep, tier=lambda: "standard", absence=self._absence,
        )  # fmt: skip

    def result(self, verdict: Verdict) -> None:
        self.results.append(verdict)

    @property
    def calls(self) -> list[list[str]]:
        """What was done to each recording, the pieces of the body left out."""
        return [[call for call in one.calls if call != "feed"] for one in self.recordings]

    def held(self, call: str) -> Sequence[int]:
        return [slots for name, slots in self.held_during if name == call]

    def _open(self, shard: Shard, request: Request) -> FakeRecording:
        assert (shard, request) == (SHARD, REQUEST)
        if self.opening is not None:
            raise self.opening
        self.recordings.append(FakeRecording(self, len(self.recordings)))
        return self.recordings[-1]

    async def _contracts(self, shard: Shard) -> frozenset[Contract] | None:
        self.lists_asked_at.append(now())
        return await self.lists()

    async def _list(self) -> frozenset[Contract] | None:
        return LISTED

    async def _absence(self) -> str:
        self.looked_at.append(now())
        return self.wrong

    async def _sleep(self, seconds: float) -> None:
        self.held_during.append(("sleep", self.gate.in_flight))
        self.slept.append(seconds)
        await asyncio.sleep(seconds)

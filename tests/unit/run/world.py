"""A vendor, a drive and an account in memory: the pipeline's `Parts`, and a run over them in virtual time."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from tests.virtual_time import now
from thetabulk.config import RunConfig
from thetabulk.errors import AccountError, DiskFull, DriveGone, NotConnected, SessionTaken, ThetabulkError
from thetabulk.events import Event
from thetabulk.model import Asked, Boundary, Collection, Empty, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.run.answers import Finding
from thetabulk.run.guard import Look, Sight
from thetabulk.run.pipeline import Ending, Pipeline, Stopped
from thetabulk.run.walk import Walk

QQQ = Collection("option/quote/1m", "", "QQQ")
SPY = Collection("option/quote/1m", "", "SPY")
NEWEST = date(2024, 8, 2)
DAYS = tuple(NEWEST - timedelta(days=back) for back in range(600))
"""Stand-ins for sessions, newest first: the pipeline knows no calendar."""

ASKED = Asked("/v3/option/history/quote?symbol=QQQ")
REFUSAL = "this requires a value subscription"
FAILURES = {"F": "cut", "U": "unconfirmed", "I": "incomplete", "H": "header", "W": "asked-wrongly"}
ERRORS: Mapping[str, Exception] = {
    "D": DriveGone("the drive is not mounted", hint="plug it in"),
    "L": DiskFull("the drive is full"),
    "A": AccountError("the newest end is refused"),
    "T": SessionTaken("the session was taken over", hint="stop the other one"),
    "C": NotConnected("the Terminal has lost the vendor's servers"),
    "X": KeyError("a mistake of ours"),
}


def saved(shard: Shard) -> Saved:
    return Saved(shard, ASKED, Proof.FULL, 1, 1, 10, 1, "0" * 64, 20, "0" * 32, "1:0")


def outcome_of(shard: Shard, letter: str) -> Outcome:
    """S saved, E empty, R refused, F U I H W failed as above; the letters of ERRORS are raised."""
    match letter:
        case "S":
            return saved(shard)
        case "E":
            return Empty(shard, ASKED)
        case "R":
            return Refused(shard, ASKED, REFUSAL)
        case "F" | "U" | "I" | "H" | "W":
            return Failed(shard, ASKED, FAILURES[letter], "why")
    raise ERRORS[letter]


class World:
    """`days` says how each day ends, from the newest back, a letter each; `again` what a day does at its first, second
    … request instead, the last for ever. A request takes `seconds_of` its Shard."""

    def __init__(
        self, days: str, *, again: Mapping[int, str] | None = None, collections: Sequence[Collection] = (QQQ,)
    ) -> None:
        self.days = days
        self.again = dict(again or {})
        self.collections = collections
        self.seconds_of: Callable[[Shard], float] = lambda shard: 1.0
        self.probe_seconds = 0.0
        self.findings: dict[date, Finding | Exception] = {}
        self.fetched: list[Shard] = []
        self.fetched_at: list[float] = []
        self.probed: list[date] = []
        self.looks: list[Look] = []  # what each look at the Terminal finds, the last for ever; none: all is well
        self.looked_at: list[float] = []
        self.suspected: tuple[str, ...] = ()
        self.recorded: list[Outcome] = []
        self.boundaries: list[Boundary] = []
        self.events: list[Event] = []
        self.problem: ThetabulkError | None = None
        self.record_errors: list[Exception] = []
        self.held = self.drained = False
        self.transfers = 0
        self._opened = asyncio.Event()
        self._opened.set()

    # Parts

    async def fetch(self, shard: Shard) -> Outcome:
        while self.held and not self.drained:
            await self._opened.wait()
        if self.drained:
            raise Stopped
        self.fetched.append(shard)
        self.fetched_at.append(now())
        self.transfers += 1
        try:
            await asyncio.sleep(self.seconds_of(shard))
        finally:
            self.transfers -= 1
        return outcome_of(shard, self.letter(shard))

    def letter(self, shard: Shard) -> str:
        number = DAYS.index(shard.day)
        if number not in self.again:
            return self.days[number]
        turns = self.again[number]
        return turns[min(self.fetched.count(shard), len(turns)) - 1]

    async def probe(self, collection: Collection, day: date) -> Finding:
        await asyncio.sleep(self.probe_seconds)
        self.probed.append(day)
        finding = self.findings.get(day, self.truth(day))
        if isinstance(finding, Exception):
            raise finding
        return finding

    async def look(self, shard: Shard) -> Look:
        self.looked_at.append(now())
        if not self.looks:
            return Look(Sight.WELL)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def suspects(self) -> tuple[str, ...]:
        return self.suspected

    def truth(self, day: date) -> Finding:
        """What an honest Terminal says of a day; beyond the letters there is nothing."""
        number = DAYS.index(day) if day in DAYS else len(self.days)
        letter = self.days[number] if number < len(self.days) else "E"
        return {"E": "empty", "R": "refused"}.get(letter, "served")  # type: ignore[return-value]

    def record(self, outcome: Outcome) -> None:
        self._raise_if_told()
        self.recorded.append(outcome)

    def record_boundary(self, boundary: Boundary) -> None:
        self._raise_if_told()
        self.boundaries.append(boundary)

    def _raise_if_told(self) -> None:
        if self.record_errors:
            raise self.record_errors.pop(0)

    def obstacle(self) -> ThetabulkError | None:
        return self.problem

    def hold(self, closed: bool) -> None:
        self.held = closed
        (self._opened.clear if closed else self._opened.set)()

    def in_flight(self) -> int:
        return self.transfers

    def drain(self) -> None:
        self.drained = True
        self._opened.set()

    # The run

    def pipeline(
        self, settings: RunConfig | None = None, *, workers: int = 4, chunk_size: int = 50,
        walks: Sequence[Walk] | None = None, also_probe: Iterable[date] = (),
    ) -> Pipeline:  # fmt: skip
        days = DAYS[: len(self.days)]
        if walks is None:
            walks = [Walk(one, days, chunk_size=chunk_size, also_probe=also_probe) for one in self.collections]
        return Pipeline(
            walks, self, settings or RunConfig(), workers=workers, emit=self.events.append, monotonic=now
        )  # fmt: skip

    async def run(self, settings: RunConfig | None = None, *, workers: int = 4, chunk_size: int = 50) -> Ending:
        return await self.pipeline(settings, workers=workers, chunk_size=chunk_size).run()

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def outcomes(self) -> str:
        """The last record of each day, newest first: s e r f, or - where there is none."""
        last = {outcome.shard.day: type(outcome).__name__[0].lower() for outcome in self.recorded}
        return "".join(last.get(day, "-") for day in DAYS[: len(self.days)])


async def raised_by(pipeline: Pipeline) -> ThetabulkError:
    """The one error that ends the run."""
    found: list[ThetabulkError] = []
    try:
        await pipeline.run()
    except* ThetabulkError as group:
        found = _leaves(group)
    [error] = found
    return error


def _leaves(group: BaseExceptionGroup[ThetabulkError]) -> list[ThetabulkError]:
    found: list[ThetabulkError] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found

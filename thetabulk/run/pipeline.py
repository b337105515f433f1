"""The run: every Shard through fetch -> record -> emit, in one TaskGroup.

A bad Shard is a value, and the others go on; a bad run is an exception, and ends it. A drive that is gone or full
pauses the run until it is back. What failed is asked again in rounds, until a round saves nothing.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from thetabulk.config import RunConfig
from thetabulk.errors import AccountError, AskedWrongly, DiskFull, DriveGone, ThetabulkError
from thetabulk.events import (
    BoundaryFound,
    BoundarySkipped,
    ChunkReached,
    Emit,
    Notice,
    Paused,
    Resumed,
    RoundStarted,
    ShardFinished,
    Stopping,
)
from thetabulk.model import Asked, Boundary, Collection, Empty, Failed, Outcome, Refused, Saved, Shard
from thetabulk.run.boundary import TierQuestion, VendorQuestion
from thetabulk.run.walk import Kind, Walk, next_shard

Finding = Literal["served", "empty", "refused", "unknown"]
_NOT_ASKED_AGAIN = ("asked-wrongly", "incomplete")  # the same request would get the same answer


class Stopped(Exception):
    """Raised by `fetch` where a request was not sent, because the run is stopping."""


class Parts(Protocol):
    """What the pipeline asks of the rest of the program (assembly introduces them)."""

    async def fetch(self, shard: Shard) -> Outcome:
        """Raises Stopped, and ThetabulkError for what is wrong with drive, disk or account."""

    async def probe(self, collection: Collection, day: date) -> Finding: ...

    def record(self, outcome: Outcome) -> None: ...

    def record_boundary(self, boundary: Boundary) -> None: ...

    def obstacle(self) -> ThetabulkError | None:
        """What still keeps a paused run from going on; may block for a moment."""

    def hold(self, closed: bool) -> None:
        """Shut the gate, or open it again."""

    def in_flight(self) -> int:
        """How many transfers are under way."""

    def drain(self) -> None:
        """Admit no further request, ever."""


@dataclass(slots=True)
class Ending:
    """How a run ended: exit codes that apply, and the last outcome of every day that was asked for."""

    codes: set[int] = field(default_factory=set)
    outcomes: dict[Shard, Outcome] = field(default_factory=dict)
    paused_s: float = 0.0


class Pipeline:
    def __init__(
        self, walks: Sequence[Walk], parts: Parts, settings: RunConfig, *, workers: int, emit: Emit,
        monotonic: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._walks = walks
        self._parts = parts
        self._settings = settings
        self._workers = workers
        self._emit = emit
        self._monotonic = monotonic
        self._sleep = sleep
        self._news = asyncio.Condition()
        self._walk_of = {walk.collection: walk for walk in walks}
        self._asking: set[Collection] = set()
        self._refused: dict[Shard, Refused] = {}
        self._wrong: dict[date, str] = {}
        self._drifts = 0
        self._round = 0
        self._saved_in_round = 0
        self._chunks: dict[Collection, int] = {}
        self._in_flight = 0
        self._stop_code: int | None = None
        self._pausing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self.ending = Ending()

    async def run(self) -> Ending:
        """Until nothing is left to ask, or the run is stopped. Raises the ThetabulkError that ended it."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._tell_chunks()
            self._tasks = [group.create_task(self._worker()) for _ in range(self._workers)]
        await self._settle_refusals()
        if self._stop_code is not None:
            self.ending.codes.add(self._stop_code)
        return self.ending

    def stop(self, reason: str, code: int) -> None:
        """First call: no new requests, what is in flight is finished, for `drain_s` at most. Second: stop now."""
        if self._stop_code is not None:
            self._abort()
            return
        self._stop_code = code
        self._parts.drain()
        self._emit(Stopping(reason, self._parts.in_flight()))
        loop = asyncio.get_running_loop()
        loop.call_later(self._settings.drain_s, self._abort)
        loop.call_soon(lambda: asyncio.ensure_future(self._tell()))

    def _abort(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _worker(self) -> None:
        while self._stop_code is None:
            found = next_shard(walk for walk in self._walks if walk.collection not in self._asking)
            if found is None:
                if self._finished():
                    await self._tell()
                    return
                async with self._news:
                    await self._news.wait()
                continue
            walk, shard = found
            walk.started(shard.day)
            self._in_flight += 1
            try:
                outcome = await self._outcome(shard)
            finally:
                self._in_flight -= 1
            if outcome is None:
                walk.put_back(shard.day)
            else:
                self._take(walk, outcome)
            await self._tell()

    async def _outcome(self, shard: Shard) -> Outcome | None:
        """None if the Shard has none yet: the run was paused or is stopping."""
        try:
            return await self._parts.fetch(shard)
        except Stopped:
            return None
        except (DriveGone, DiskFull) as obstacle:
            await self._pause(obstacle)
            return None
        except ThetabulkError:
            raise
        except Exception as error:  # the worker's edge: our own mistake costs one day, not the run
            where = traceback.extract_tb(error.__traceback__)[-1]
            message = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
            self._emit(Notice(f"internal error at {shard}: {message}", "warning"))
            return Failed(shard, Asked(""), "internal", message)

    def _take(self, walk: Walk, outcome: Outcome) -> None:
        shard = outcome.shard
        message = outcome.message if isinstance(outcome, Refused) else ""
        for revoked in walk.finished(shard.day, _kind(outcome), message):
            self._parts.record_boundary(revoked)
        if isinstance(outcome, Refused):
            self._refused[shard] = outcome
        else:
            self._parts.record(outcome)
        self._record_refusals(walk)
        self.ending.outcomes[shard] = outcome
        self._saved_in_round += isinstance(outcome, Saved)
        self._emit(ShardFinished(outcome))
        self._stop_if_we_ask_wrongly(outcome)
        self._ask_about(walk)
        self._tell_chunks()

    def _record_refusals(self, walk: Walk) -> None:
        """A refusal is recorded once a newer day has been served: then it is about the day, not about the account."""
        known = [day for day in walk.pending_refused() if walk.served_newer(day)]
        for day in known:
            self._parts.record(self._refused.pop(Shard(walk.collection, day)))
        walk.refusals_recorded(known)

    def _stop_if_we_ask_wrongly(self, outcome: Outcome) -> None:
        if isinstance(outcome, Saved):
            self._drifts = 0
        if not isinstance(outcome, Failed):
            return
        if outcome.kind == "asked-wrongly":
            self._wrong[outcome.shard.day] = outcome.message
            if len(self._wrong) >= self._settings.wrong_requests:
                raise AskedWrongly(
                    f"the Terminal says that our request is wrong: {outcome.message}",
                    hint=f"the request was {outcome.asked.request}; please report it, nothing was recorded as refused",
                )
        if outcome.kind == "header":
            self._drifts += 1
            if self._drifts >= self._settings.schema_drifts:
                raise ThetabulkError(
                    f"the vendor's schema changed: {outcome.message}",
                    hint="nothing of these answers was kept; an appended column is allowed by --schema-drift keep",
                )

    def _finished(self) -> bool:
        """Whether nothing is left; begins a further round over what failed, if that can help."""
        if self._in_flight or self._asking or any(not walk.exhausted for walk in self._walks):
            return False
        again = [
            shard
            for shard, outcome in self.ending.outcomes.items()
            if isinstance(outcome, Failed) and outcome.kind not in _NOT_ASKED_AGAIN
        ]
        if not again or self._round >= self._settings.rounds or (self._round and not self._saved_in_round):
            return True
        self._round += 1
        self._saved_in_round = 0
        self._emit(RoundStarted(self._round, len(again)))
        for shard in again:
            self._walk_of[shard.collection].reopen([shard.day])
        return False

    # Boundaries

    def _ask_about(self, walk: Walk) -> None:
        if walk.collection in self._asking or self._stop_code is not None:
            return
        question = walk.question()
        if question is not None:
            self._asking.add(walk.collection)
            self._tasks.append(self._group.create_task(self._answer(walk, question)))

    async def _answer(self, walk: Walk, question: VendorQuestion | TierQuestion) -> None:
        try:
            if isinstance(question, VendorQuestion):
                boundary = await self._answer_vendor(walk, question)
            else:
                boundary = await self._answer_tier(walk, question)
            if boundary is not None:
                self._parts.record_boundary(boundary)
                self._emit(BoundaryFound(boundary))
                self._emit(BoundarySkipped(boundary, len(walk.closed)))
        finally:
            self._asking.discard(walk.collection)
        self._ask_about(walk)
        await self._tell()

    async def _answer_vendor(self, walk: Walk, question: VendorQuestion) -> Boundary | None:
        findings = {question.canary: await self._parts.probe(walk.collection, question.canary)}
        if findings[question.canary] == "served":
            for day in question.probes:
                findings[day] = await self._parts.probe(walk.collection, day)
        hits = [day for day in question.probes if findings.get(day) == "served"]
        clear = findings[question.canary] == "served" and "unknown" not in findings.values()
        if not hits and not clear:
            self._emit(Notice(f"{question.empties} empty days in a row, but the probes gave no clear answer", "warning"))
            walk.postpone(question)
            return None
        return walk.answer_vendor(question, hits)

    async def _answer_tier(self, walk: Walk, question: TierQuestion) -> Boundary | None:
        if question.served is None:
            raise refused_at_the_newest_end(question.message)
        if not question.fresh:
            finding = await self._parts.probe(walk.collection, question.served)
            if finding == "refused":
                raise refused_at_the_newest_end(question.message)
            if finding != "served":
                walk.postpone(question)
                return None
            walk.confirmed(question.served)
        bisection = walk.bisection(question)
        while (day := bisection.probe) is not None:
            finding = await self._parts.probe(walk.collection, day)
            if finding == "unknown":
                walk.postpone(question)
                return None
            bisection.answer(finding != "refused")
        assert bisection.first_served is not None
        return walk.answer_tier(question, bisection.first_served)

    async def _settle_refusals(self) -> None:
        """Refusals that no newer day of this run explains: is a day that was saved earlier still served?"""
        for walk in self._walks:
            days = walk.pending_refused()
            if not days or self._stop_code is not None:
                continue
            message = self._refused[Shard(walk.collection, days[0])].message
            canary = next((day for day in walk.days_of("saved") if day > days[0]), None)
            if canary is None or await self._parts.probe(walk.collection, canary) != "served":
                raise refused_at_the_newest_end(message)
            for day in days:
                self._parts.record(self._refused.pop(Shard(walk.collection, day)))
            walk.refusals_recorded(days)

    # Pauses and news

    async def _pause(self, obstacle: ThetabulkError) -> None:
        """One worker waits for the obstacle to go; the others find the gate shut, or wait here behind it."""
        async with self._pausing:
            still = await asyncio.to_thread(self._parts.obstacle)
            if still is None or self._stop_code is not None:
                return
            started = self._monotonic()
            self._parts.hold(True)
            self._emit(Paused(type(obstacle).__name__, still.what, still.hint))
            while still is not None and self._stop_code is None:
                if self._monotonic() - started > self._settings.pause_limit_s:
                    raise still
                await self._sleep(self._settings.pause_poll_s)
                still = await asyncio.to_thread(self._parts.obstacle)
            self._parts.hold(False)
            paused_s = self._monotonic() - started
            self.ending.paused_s += paused_s
            if still is not None:
                self.ending.codes.add(still.exit_code)
            self._emit(Resumed(type(obstacle).__name__, paused_s))

    def _tell_chunks(self) -> None:
        for walk in self._walks:
            number, total, newest, oldest = walk.chunk
            if self._chunks.get(walk.collection) != number:
                self._chunks[walk.collection] = number
                self._emit(ChunkReached(walk.collection, number, total, newest, oldest))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def refused_at_the_newest_end(message: str) -> AccountError:
    return AccountError(
        f"the newest days are refused too: {message}",
        hint="the account is not what we think; nothing was recorded. Check the subscription that the Terminal shows "
        "when it starts, and --tier",
    )


def _kind(outcome: Outcome) -> Kind:
    if isinstance(outcome, Saved):
        return "saved"
    return "empty" if isinstance(outcome, Empty) else "refused" if isinstance(outcome, Refused) else "failed"

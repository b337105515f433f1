"""The run: every Shard through fetch -> record -> emit, in one TaskGroup.

A bad Shard is a value, and the others go on; a bad run is an exception, and ends it. A drive that is gone or full, a
Terminal that has lost its session or the vendor: they pause the run until it is back. What failed is asked again in
rounds, until a round saves nothing.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Protocol

from thetabulk.config import RunConfig
from thetabulk.errors import AccountError, AskedWrongly, DiskFull, DriveGone, ThetabulkError
from thetabulk.events import (
    BoundaryFound,
    BoundarySkipped,
    ChunkReached,
    Emit,
    Notice,
    RoundStarted,
    ShardFinished,
    Stopping,
)
from thetabulk.model import Asked, Boundary, Collection, Empty, Failed, Outcome, Refused, Saved, Shard
from thetabulk.redaction import without_accounts
from thetabulk.run.answers import Answers, Finding, Question, not_what_we_think
from thetabulk.run.guard import Look
from thetabulk.run.pause import OBSTACLES, Pause
from thetabulk.run.walk import Kind, Walk, next_shard

_NOT_ASKED_AGAIN = ("asked-wrongly", "incomplete")  # the same request would get the same answer


class Stopped(Exception):
    """Raised by `fetch` where a request was not sent, because the run is stopping."""


class Parts(Protocol):
    """What the pipeline asks of the rest of the program (assembly introduces them)."""

    async def fetch(self, shard: Shard) -> Outcome:
        """Raises Stopped, and ThetabulkError for what is wrong with drive, disk, account, session or connection."""

    async def probe(self, collection: Collection, day: date) -> Finding: ...

    async def look(self, shard: Shard) -> Look:
        """Whether a Terminal that had lost its session or the vendor is well: its status, then something small."""

    async def suspects(self) -> tuple[str, ...]:
        """Programs of this machine that may have taken the account's session."""

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
    """How a run ended: exit codes that apply, and the last outcome of every day that was asked for. `unrecorded` are
    refusals that may be about the account: the ledger does not have them."""

    codes: set[int] = field(default_factory=set)
    outcomes: dict[Shard, Outcome] = field(default_factory=dict)
    unrecorded: dict[Shard, Refused] = field(default_factory=dict)
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
        self._news = asyncio.Condition()
        self._walk_of = {walk.collection: walk for walk in walks}
        self._asking: set[Collection] = set()
        self._wrong: dict[date, str] = {}
        self._drifts = 0
        self._drifted: set[Shard] = set()
        self._round = 0
        self._saved_in_round = 0
        self._chunks: dict[Collection, int] = {}
        self._in_flight = 0
        self._stop_code: int | None = None
        self._pause = Pause(
            settings, obstacle=parts.obstacle, look=parts.look, suspects=parts.suspects, hold=parts.hold,
            stopping=lambda: self.stopping, emit=emit, monotonic=monotonic, sleep=sleep,
        )  # fmt: skip
        self._answers = Answers(self._probe, emit, self._about_the_days)
        self._tasks: list[asyncio.Task[None]] = []
        self._questions: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None
        self.ending = Ending()

    async def run(self) -> Ending:
        """Until nothing is left to ask, or the run is stopped. Raises the ThetabulkError that ended it, in a group."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._tell_chunks()
            self._tasks = [group.create_task(self._worker()) for _ in range(self._workers)]
        async with asyncio.TaskGroup() as group:
            self._questions.append(group.create_task(self._settle_refusals()))
        self.ending.codes |= self._pause.codes
        self.ending.paused_s = self._pause.seconds
        return self.ending

    @property
    def stopping(self) -> bool:
        return self._stop_code is not None

    async def between_transfers(self, cause: str, message: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does the work while nothing is in flight: a pause, so that no day is cut by it."""
        await self._pause.between_transfers(cause, message, work, self._parts.in_flight)

    def stop(self, reason: str, code: int) -> None:
        """First call: no new requests, what is in flight is finished, for `drain_s` at most. Second: stop now."""
        self.ending.codes.add(code)
        if self._stop_code is not None:
            self._abort()
            return
        self._stop_code = code
        self._parts.drain()
        self._emit(Stopping(reason, self._parts.in_flight()))
        for question in self._questions:
            question.cancel()
        asyncio.get_running_loop().call_later(self._settings.drain_s, self._abort)
        self._telling = asyncio.ensure_future(self._tell())

    def _abort(self) -> None:
        for task in (*self._tasks, *self._questions):
            task.cancel()

    async def _worker(self) -> None:
        while self._stop_code is None:
            found = self._next()
            if found is not None:
                self._in_flight += 1
                try:
                    await self._do(*found)
                finally:
                    self._in_flight -= 1
                await self._tell()
            elif self._idle:
                await self._tell()
                return
            else:
                async with self._news:
                    await self._news.wait()

    def _next(self) -> tuple[Walk, Shard] | None:
        """A day that may start now; the first of a further round, when nothing else is left."""
        found = next_shard(walk for walk in self._walks if walk.collection not in self._asking)
        if found is None and self._idle and self._begin_round():
            found = next_shard(self._walks)
        if found is not None:
            walk, shard = found
            walk.started(shard.day)
        return found

    async def _do(self, walk: Walk, shard: Shard) -> None:
        """One day, fetched and recorded; put back if it has no outcome yet, or none that could be recorded."""
        outcome = await self._outcome(shard)
        if outcome is None:
            walk.put_back(shard.day)
        elif isinstance(outcome, Refused):
            self.ending.unrecorded[shard] = outcome
            await self._take(walk, outcome)
        elif await self._written(partial(self._parts.record, outcome)):
            await self._take(walk, outcome)
        else:
            walk.put_back(shard.day)

    async def _outcome(self, shard: Shard) -> Outcome | None:
        """None if the Shard has none yet: the run was paused or is stopping."""
        pauses = self._pause.count
        try:
            return await self._parts.fetch(shard)
        except Stopped:
            return None
        except OBSTACLES as obstacle:
            await self._pause.until_gone(obstacle, pauses, shard)
            return None
        except ThetabulkError:
            raise
        except Exception as error:  # noqa: BLE001 - the worker's edge: our own mistake costs one day, not the run
            message = _told(error)
            self._emit(Notice(f"internal error at {shard}: {message}", "warning"))
            return Failed(shard, Asked(""), "internal", message)

    async def _written(self, write: Callable[[], None]) -> bool:
        """Whether the ledger has taken a line; where the drive is gone or full it does so after a pause.

        False if the run is stopped meanwhile: a file without its line is found and adopted by the next start.
        """
        while True:
            pauses = self._pause.count
            try:
                write()
                return True
            except (DriveGone, DiskFull) as obstacle:
                await self._pause.until_gone(obstacle, pauses)
            if self._stop_code is not None:
                return False

    async def _take(self, walk: Walk, outcome: Outcome) -> None:
        """What follows from an outcome that is recorded (a refusal: that is known)."""
        shard = outcome.shard
        message = outcome.message if isinstance(outcome, Refused) else ""
        revoked = walk.finished(shard.day, _kind(outcome), message)
        self.ending.outcomes[shard] = outcome
        if isinstance(outcome, Saved):
            self._saved_in_round += 1
            self._pause.saved()
        self._emit(ShardFinished(outcome))
        for boundary in revoked:
            await self._written(partial(self._parts.record_boundary, boundary))
        self._stop_if_we_ask_wrongly(outcome)
        self._ask_about(walk)
        self._tell_chunks()

    async def _about_the_days(self, walk: Walk, days: Iterable[date]) -> None:
        """Refusals are recorded once a newer day was served after them: then they are about the days, not about an
        account that was another one a moment ago."""
        days = [day for day in days if day in walk.pending_refused()]
        walk.refusals_recorded(days)
        for refused in [self.ending.unrecorded.pop(Shard(walk.collection, day)) for day in days]:
            await self._written(partial(self._parts.record, refused))

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
        if outcome.kind == "header" and outcome.shard not in self._drifted:  # the same day again is no further evidence
            self._drifted.add(outcome.shard)
            self._drifts += 1
            if self._drifts >= self._settings.schema_drifts:
                raise ThetabulkError(
                    f"the vendor's schema changed: {outcome.message}",
                    hint="nothing of these answers was kept; an appended column is allowed by --schema-drift keep",
                )

    @property
    def _idle(self) -> bool:
        """Nothing is left to start, and nothing is under way that could change that."""
        return not self._in_flight and not self._asking and all(walk.exhausted for walk in self._walks)

    def _begin_round(self) -> bool:
        """A further round over what failed, if that can help: the days may start again."""
        again = [
            shard
            for shard, outcome in self.ending.outcomes.items()
            if isinstance(outcome, Failed) and outcome.kind not in _NOT_ASKED_AGAIN
        ]
        if not again or self._round >= self._settings.rounds or (self._round and not self._saved_in_round):
            return False
        self._round += 1
        self._saved_in_round = 0
        self._emit(RoundStarted(self._round, len(again)))
        for shard in again:
            self._walk_of[shard.collection].reopen([shard.day])
        return True

    # Boundaries

    def _ask_about(self, walk: Walk) -> None:
        if walk.collection in self._asking or self._stop_code is not None:
            return
        question = walk.question()
        if question is not None:
            self._asking.add(walk.collection)
            self._questions.append(self._group.create_task(self._answer(walk, question)))

    async def _answer(self, walk: Walk, question: Question) -> None:
        try:
            boundary = await self._answers.answer(walk, question)
            if boundary is not None and await self._written(partial(self._parts.record_boundary, boundary)):
                self._emit(BoundaryFound(boundary))
                self._emit(BoundarySkipped(boundary, len(walk.closed)))
        except ThetabulkError:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours costs an answer, not the run
            self._answers.postpone(walk, question, f"internal error: {_told(error)}")
        finally:
            self._asking.discard(walk.collection)
        self._ask_about(walk)
        await self._tell()

    async def _probe(self, collection: Collection, day: date) -> Finding:
        await self._pause.over()  # no request while the run is paused
        return await self._parts.probe(collection, day)

    async def _settle_refusals(self) -> None:
        """Refusals that are left: is a newer day that was served before them still served?"""
        for walk in self._walks:
            days = walk.pending_refused()
            if not days or self._stop_code is not None:
                continue
            canary = walk.canary(days[0])
            finding = "refused" if canary is None else await self._probe(walk.collection, canary)
            if finding == "refused":
                message = self.ending.unrecorded[Shard(walk.collection, days[0])].message
                raise not_what_we_think(message, canary if walk.served_newer(days[0]) else None)
            if finding != "served":
                self._emit(Notice(f"{walk.collection}: refusals are not recorded: {canary} is {finding}", "warning"))
                self.ending.codes.add(AccountError.exit_code)
                continue
            await self._about_the_days(walk, days)

    # News

    def _tell_chunks(self) -> None:
        for walk in self._walks:
            number, total, newest, oldest = walk.chunk
            if self._chunks.get(walk.collection) != number:
                self._chunks[walk.collection] = number
                self._emit(ChunkReached(walk.collection, number, total, newest, oldest))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return without_accounts(f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")


def _kind(outcome: Outcome) -> Kind:
    if isinstance(outcome, Saved):
        return "saved"
    return "empty" if isinstance(outcome, Empty) else "refused" if isinstance(outcome, Refused) else "failed"

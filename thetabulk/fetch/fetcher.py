"""One Shard to its Outcome: retry( gate( client ) ), with what happens to the body given from outside.

The rings, outermost first: patience (`retry`), a place among those in flight (`gate`), one GET (`client`). A fresh
recording for each attempt; the slot is held for the transfer, never for a back-off or a commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ParamSpec, Protocol, TypeVar

from thetabulk.config import FetchConfig
from thetabulk.errors import (
    AttemptError,
    BadAnswer,
    NotConnected,
    SessionTaken,
    ShardError,
    TerminalAnswer,
    TransferFailed,
)
from thetabulk.events import AttemptFailed, BytesReceived, Checking, Emit, ShardStarted
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.budget import Budget
from thetabulk.fetch.client import Client, StreamInfo
from thetabulk.fetch.gate import Draining, Gate
from thetabulk.fetch.retry import Setback, retrying, verdict_of
from thetabulk.fetch.split import may_be_empty, ways_to_ask
from thetabulk.fetch.verdict import Verdict, judge_error, parse_retry_after
from thetabulk.model import Asked, Contract, Empty, Failed, Outcome, Proof, Refused, Request, Saved, Shard
from thetabulk.redaction import without_accounts

Listing = asyncio.Future[frozenset[Contract] | None]
Params = ParamSpec("Params")
Result = TypeVar("Result")

_OUTAGES = (Verdict.RETRY, Verdict.SLOW_DOWN, Verdict.WAIT, Verdict.PAUSE)  # if nothing else comes, it is an outage
_AWAY = (Verdict.WAIT, Verdict.PAUSE)
_STARTING = 571  # documented SERVER_STARTING
SESSION_TAKEN_HINT = (
    "one account has one session: another Theta Terminal, the Python library or another program has logged in, "
    "perhaps on another machine. Stop it, wait ten minutes, restart this Terminal, then: thetabulk resume"
)
NOT_CONNECTED_HINT = (
    "is the internet there, and are Theta Data's servers up? If both are, and this lasts: restart the Terminal"
)


class Weighed(Protocol):
    """What the recording says about a whole answer."""

    @property
    def fate(self) -> Enum: ...
    @property
    def proof(self) -> Proof: ...
    @property
    def rows(self) -> int: ...
    @property
    def contracts(self) -> int: ...
    @property
    def content(self) -> str: ...
    @property
    def vendor_bytes(self) -> int: ...
    @property
    def vendor_xxh3(self) -> str: ...
    @property
    def remarks(self) -> tuple[str, ...]: ...


class Committed(Protocol):
    @property
    def sha256(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...


class Recording(Protocol):
    """Where a body goes (store/recording.py); its calls may block. `head` is the opening of what was fed."""

    head: bytes

    def feed(self, data: bytes) -> None: ...
    def next_part(self) -> None: ...
    def weigh(self, listed: frozenset[Contract] | None, earlier_content: str) -> Weighed: ...
    def commit(self, target: PurePosixPath, *, print_again: bool = False) -> Committed: ...
    def abort(self) -> None: ...


class Results(Protocol):
    """Who learns from how requests end: the adaptive limit."""

    def result(self, verdict: Verdict) -> None: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """A Shard to fetch: its request, where it goes, and the content of its last whole but doubtful answer, if any."""

    shard: Shard
    request: Request
    target: PurePosixPath
    aside: PurePosixPath
    earlier_content: str = ""
    earlier_empty: Empty | None = None
    print_again: bool = False
    accept_lacking: bool = False


async def in_thread(work: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
    """What blocks, in a worker thread. A cancellation waits for it, and so does the next one: nobody removes a file
    under its writer."""
    job = asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **kwargs))
    await _over(job)
    return job.result()


async def _over(job: asyncio.Future[Any]) -> None:
    """Returns when the job is over, however it ended; only then a cancellation that came meanwhile is raised."""
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait((job,))
        except asyncio.CancelledError as error:
            cancelled = error
    if not job.cancelled():
        job.exception()  # looked at: after a cancellation nobody else does
    if cancelled is not None:
        raise cancelled


def _is_too_large(error: ShardError) -> bool:
    """Whether fewer rows at once may help: the Terminal says so, or has stood still in every attempt."""
    if isinstance(error, TerminalAnswer):
        return judge_error(error) is Verdict.SPLIT
    return isinstance(error, TransferFailed) and error.kind == "stalled"


async def _nothing_wrong() -> str:
    return ""


class Fetcher:
    """Runs errands. `open_recording` begins a scratch file (may block); `contracts` is the vendor's list for the day,
    None where it cannot be had; `absence` asks the Terminal something small, and says what is wrong if nobody is there
    or it is not connected (SessionTaken if it has lost its session)."""

    def __init__(
        self, client: Client, gate: Gate, breaker: Breaker, results: Results, settings: FetchConfig, *,
        open_recording: Callable[[Shard, Request], Recording],
        contracts: Callable[[Shard], Awaitable[frozenset[Contract] | None]],
        emit: Emit, monotonic: Callable[[], float], now: Callable[[], datetime], rng: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, tier: Callable[[], str] = lambda: "",
        absence: Callable[[], Awaitable[str]] = _nothing_wrong,
        keep_evidence: Callable[[Shard, BadAnswer, bytes], None] = lambda shard, error, head: None,
    ) -> None:  # fmt: skip
        self._keep_evidence = keep_evidence
        self._client = client
        self._gate = gate
        self._breaker = breaker
        self._results = results
        self._settings = settings
        self._open_recording = open_recording
        self._contracts = contracts
        self._emit = emit
        self._monotonic = monotonic
        self._now = now
        self._rng = rng
        self._sleep = sleep
        self._tier = tier
        self._absence = absence
        self._transfers: set[asyncio.Timeout] = set()
        self._budget = Budget(settings.retry_share, settings.retry_share_in_outage)

    async def fetch(self, errand: Errand) -> Outcome:
        """The Shard's Outcome. Raises ThetabulkError for what ends or pauses the run (drive, disk, session, connection
        to the vendor), Draining if the run is stopping and the request was not sent."""
        started, attempts = self._monotonic(), 0

        def asked() -> Asked:
            seconds = round(self._monotonic() - started, 3)
            terminal = self._client.simulator or ""
            return Asked(errand.request.text, attempts, seconds, terminal, self._tier())

        self._budget.asked(outage=self._in_outage())
        error: ShardError = ShardError("not asked for")
        for parts in ways_to_ask(errand.request):
            try:
                async for attempt in self._retrying(errand.shard):
                    with attempt:
                        attempts += 1
                        return await self._attempt(errand, parts, asked)
            except ShardError as raised:
                error = raised
            if not _is_too_large(error):
                break
        if isinstance(error, TerminalAnswer):
            return self._without_data(errand, error, asked())
        return Failed(errand.shard, asked(), error.kind, str(error))

    async def _attempt(self, errand: Errand, parts: Sequence[Request], asked: Callable[[], Asked]) -> Outcome:
        opened: list[Recording] = []
        listings: list[Listing] = []
        try:
            await self._transfer(errand, parts, opened, listings)
            self._emit(Checking(errand.shard))
            listed = await listings[0]
            weighed = await self._weighed(errand, opened[0], listed)
            return await self._conclude(errand, opened[0], weighed, asked)
        except BadAnswer as error:
            if opened:
                await in_thread(self._keep_evidence, errand.shard, error, opened[0].head)
            raise
        finally:
            for listing in listings:
                listing.cancel()
            for recording in opened:
                await in_thread(recording.abort)  # after a commit there is nothing to abort
            for listing in listings:
                await _over(listing)

    async def _weighed(self, errand: Errand, recording: Recording, listed: frozenset[Contract] | None) -> Weighed:
        """Only what has been weighed is a good answer to the breaker: a web page comes whole, too."""
        try:
            weighed = await in_thread(recording.weigh, listed, errand.earlier_content)
        except BadAnswer as error:
            self._breaker.failed(self._monotonic(), str(error), absent=False)
            raise
        self._breaker.succeeded()
        self._gate.changed()
        return weighed

    async def _transfer(
        self, errand: Errand, parts: Sequence[Request], opened: list[Recording], listings: list[Listing]
    ) -> None:
        """What is begun here stands in the lists at once: a cancellation may come before this returns."""

        def begin() -> None:
            opened.append(self._open_recording(errand.shard, errand.request))

        def arrived(count: int) -> None:
            self._emit(BytesReceived(errand.shard, count))
            self._answered()

        async with self._gate.slot():
            self._emit(ShardStarted(errand.shard))
            seen = await self._look_first()
            await in_thread(begin)
            # Not before there is a slot: a list that is asked for during an outage or a pause is none.
            listings.append(asyncio.ensure_future(self._contracts(errand.shard)))
            try:
                await self._stream(errand, parts, opened[0], arrived)
            except BaseException as error:
                self._learn(error, seen=seen)
                raise
            self._results.result(Verdict.SAVE)
            self._gate.changed()

    async def _stream(
        self, errand: Errand, parts: Sequence[Request], recording: Recording, arrived: Callable[[int], None]
    ) -> None:
        """One body, or several into the same recording; each has to come to its proper end."""
        empty: TerminalAnswer | None = None
        fed = header_due = False
        for part in parts:
            if fed and not header_due:
                await in_thread(recording.next_part)
                header_due = True
            try:
                body = await self._awake(self._client.stream(part, recording.feed, on_bytes=arrived))
                if len(parts) > 1 and not body.bytes:
                    raise BadAnswer(f"a part of the day is empty: {part}", kind="empty-body")
                fed, header_due = True, False
            except TerminalAnswer as answer:
                if len(parts) == 1 or judge_error(answer) is not Verdict.EMPTY:
                    raise
                if not may_be_empty(part, errand.request):
                    raise BadAnswer(f"a part of the day has no data: {part}", kind="cut") from answer
                empty = answer
        if not fed and empty is not None:
            raise empty

    async def _awake(self, transfer: Awaitable[StreamInfo]) -> StreamInfo:
        """The transfer, unless `wake` ends it."""
        until = asyncio.timeout(None)
        self._transfers.add(until)
        try:
            async with until:
                return await transfer
        except TimeoutError as error:
            raise TransferFailed("this machine slept meanwhile", kind="slept") from error
        finally:
            self._transfers.discard(until)

    def wake(self) -> None:
        """After this machine has slept, what was in flight is suspect: it begins again, and costs no attempt."""
        for transfer in self._transfers:
            transfer.reschedule(asyncio.get_running_loop().time())

    async def _look_first(self) -> bool:
        """In an outage a small question goes before the one request for data: True if it was answered well,
        TransferFailed if nobody is there."""
        if self._breaker.state(self._monotonic()) != "probing":
            return False
        wrong = await self._absence()
        if wrong:
            error = TransferFailed(wrong, kind="unreachable")
            self._learn(error, seen=False)
            raise error
        return True

    def _in_outage(self) -> bool:
        return self._breaker.reopen_at is not None

    def _answered(self) -> None:
        if self._in_outage() and self._breaker.absent:
            self._breaker.succeeded()
            self._gate.changed()

    def _learn(self, error: BaseException, *, seen: bool) -> None:
        """Breaker and limit hear how the request ended; answers that say nothing about load never reach the limit.

        `seen`: somebody was there a moment ago, so it is not for want of a Terminal that this failed.
        """
        if not isinstance(error, AttemptError | BadAnswer):
            return  # a cancellation, or the drive
        if error.kind == "slept":
            return
        verdict = verdict_of(error)
        if verdict in _OUTAGES:
            absent = verdict in _AWAY or (isinstance(error, TransferFailed) and error.kind == "dropped")
            asked_s = self._asked_to_wait_s(error)
            self._breaker.failed(self._monotonic(), str(error), absent=absent and not seen, at_least_s=asked_s)
        else:
            self._breaker.succeeded()
        self._results.result(verdict)
        self._gate.changed()

    def _asked_to_wait_s(self, error: ShardError) -> float:
        text = error.retry_after if isinstance(error, TerminalAnswer) else ""
        return min(parse_retry_after(text, self._now()) or 0.0, self._settings.retry_after_max_s)

    async def _conclude(
        self, errand: Errand, recording: Recording, weighed: Weighed, asked: Callable[[], Asked]
    ) -> Outcome:
        name = weighed.fate.name
        if name == "SAVE" or (name == "KEEP_ASIDE" and errand.accept_lacking):
            done = await in_thread(recording.commit, errand.target, print_again=errand.print_again)
            return Saved(
                errand.shard, asked(), weighed.proof, weighed.rows, weighed.contracts, done.bytes, done.mtime_ns,
                done.sha256, weighed.vendor_bytes, weighed.vendor_xxh3, weighed.content, weighed.remarks,
            )  # fmt: skip
        if name == "KEEP_ASIDE":
            await in_thread(recording.commit, errand.aside)
            message = f"the same lacking answer twice; kept aside: {weighed.remarks[0]}"
            return Failed(
                errand.shard, asked(), "incomplete", message, weighed.content, str(errand.aside), weighed.remarks
            )  # fmt: skip
        first = not errand.earlier_content
        message = f"{'to be confirmed' if first else 'another answer than before'}: {weighed.remarks[0]}"
        return Failed(errand.shard, asked(), "unconfirmed", message, weighed.content, remarks=weighed.remarks)

    def _without_data(self, errand: Errand, answer: TerminalAnswer, asked: Asked) -> Outcome:
        verdict = judge_error(answer)
        if verdict is Verdict.EMPTY:
            earlier = errand.earlier_empty
            checks, since = (earlier.checks + 1, earlier.since) if earlier else (1, None)
            return Empty(errand.shard, asked, checks, since or self._now())
        if verdict is Verdict.REFUSE:
            return Refused(errand.shard, asked, without_accounts(answer.text.strip()[:500]))
        if verdict is Verdict.ABORT:
            raise SessionTaken(f"the session was taken over ({answer})", hint=SESSION_TAKEN_HINT)
        if verdict is Verdict.PAUSE and answer.status == _STARTING:
            raise NotConnected(f"the Terminal is still starting ({answer})", hint="a first start takes minutes")
        if verdict is Verdict.PAUSE:
            raise NotConnected(f"the Terminal has lost the vendor's servers ({answer})", hint=NOT_CONNECTED_HINT)
        kind = "asked-wrongly" if verdict is Verdict.ASKED_WRONGLY else answer.kind
        return Failed(errand.shard, asked, kind, str(answer))

    def _retrying(self, shard: Shard):  # type: ignore[no-untyped-def]  # tenacity's iterator
        def report(setback: Setback) -> None:
            error = setback.error
            self._emit(AttemptFailed(shard, setback.attempt, error.kind, str(error), setback.wait_s, setback.last))

        return retrying(
            self._settings, rng=self._rng, sleep=self._rest, now=self._now, report=report,
            granted=lambda: self._budget.grant(outage=self._in_outage()),
        )  # fmt: skip

    async def _rest(self, seconds: float) -> None:
        """A back-off; Draining ends it, for a run that is stopping does not wait for it."""
        nap = asyncio.ensure_future(self._sleep(seconds))
        end = asyncio.ensure_future(self._gate.drained.wait())
        try:
            await asyncio.wait((nap, end), return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            end.cancel()
        if self._gate.draining:
            raise Draining

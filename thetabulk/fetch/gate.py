"""Holds requests back until one more may be in flight."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager


class Draining(Exception):
    """No further request is admitted; not a failure of the Shard that was waiting."""


class Gate:
    """Admits while `in_flight` < the least of `capacities`, first come first served, `launch_gap_s` apart.

    The comparison is with what is in flight, never a difference of two limits: a semaphore that is cut below what is
    out and raised again admits too many (limit 4 with 4 held, cut to 1, raised to 2: 5 in flight, measured).
    A lower capacity never ends a running transfer; it only holds the next ones back.

    `now` is a monotonic clock in seconds, `sleep` its sleep. `reopen_at` tells when a capacity will change by time
    alone (the breaker's next probe). For one event loop; nothing here may be called from another thread.
    """

    def __init__(
        self,
        capacities: Sequence[Callable[[], int]],
        *,
        launch_gap_s: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        reopen_at: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._capacities = tuple(capacities)
        self._launch_gap_s = launch_gap_s
        self._now = now
        self._sleep = sleep
        self._reopen_at = reopen_at
        self._turn = asyncio.Lock()  # who holds it is the first in the queue; a Lock is fair, and survives cancelling
        self._news = asyncio.Event()
        self._next_launch = float("-inf")
        self.drained = asyncio.Event()  # for whoever waits for something else meanwhile
        self.in_flight = 0
        self.waiting = 0

    def capacity(self) -> int:
        """How many may be in flight now."""
        return min(capacity() for capacity in self._capacities)

    def changed(self) -> None:
        """A capacity has changed: whoever waits looks again."""
        self._news.set()

    def drain(self) -> None:
        """From now on nobody is admitted; those who wait, and those who come, get `Draining`."""
        self.drained.set()
        self._news.set()

    @property
    def draining(self) -> bool:
        return self.drained.is_set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Held for one transfer, never for a sleep or a disk. Raises Draining."""
        await self._admission()
        try:
            yield
        finally:
            self.in_flight -= 1
            self._news.set()

    async def _admission(self) -> None:
        self.waiting += 1
        try:
            async with self._turn:
                while (delay := self._delay()) != 0:
                    await self._news_or(delay)
                self.in_flight += 1  # no await between the look and this line, nor after it
                self._next_launch = self._now() + self._launch_gap_s
        finally:
            self.waiting -= 1

    def _delay(self) -> float | None:
        """0 if the first in the queue may go, else the seconds after which to look again; None: wait for news."""
        self._news.clear()
        if self.draining:
            raise Draining
        if self.in_flight < self.capacity():
            return max(0.0, self._next_launch - self._now())
        at = self._reopen_at()
        left = None if at is None else at - self._now()
        return left if left is not None and left > 0 else None

    async def _news_or(self, delay: float | None) -> None:
        if delay is None:
            await self._news.wait()
            return
        timer = asyncio.ensure_future(self._sleep(delay))
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait((timer, news), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            news.cancel()

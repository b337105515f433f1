"""A drive that is gone or full: the run waits until it is back, and asks for nothing meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from thetabulk.config import RunConfig
from thetabulk.errors import DiskFull, DriveGone, ThetabulkError
from thetabulk.events import Emit, Paused, Resumed

Obstacle = DriveGone | DiskFull
_UNSEEN = 5  # obstacles in a row that nobody can see a moment later: a quota, a bad sector, not enough room for a day


class Pause:
    """One of those who meet an obstacle waits for it to go; the others wait behind, or find the gate shut.

    `obstacle` says what is still in the way (it may block), `hold` shuts the gate and opens it, `stopping` tells that
    the run is stopping, which ends every pause. `codes` are the exit codes of what was still in the way then.
    """

    def __init__(
        self, settings: RunConfig, *, obstacle: Callable[[], ThetabulkError | None], hold: Callable[[bool], None],
        stopping: Callable[[], bool], emit: Emit, monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._obstacle = obstacle
        self._hold = hold
        self._stopping = stopping
        self._emit = emit
        self._monotonic = monotonic
        self._sleep = sleep
        self._pausing = asyncio.Lock()
        self._unseen = 0
        self.count = 0
        self.seconds = 0.0
        self.codes: set[int] = set()

    def saved(self) -> None:
        """A day was saved: the drive is well."""
        self._unseen = 0

    async def over(self) -> None:
        """Returns at once, or when the running pause has ended."""
        async with self._pausing:
            pass

    async def until_gone(self, obstacle: Obstacle, count: int) -> None:
        """Returns when the obstacle has gone, or the run is stopping. Raises what is in the way after `pause_limit_s`.

        `count` is how many pauses there had been when the work began that met the obstacle: if one has ended since, it
        was about this. An obstacle that cannot be seen a moment later is waited for too, but not time and again.
        """
        async with self._pausing:
            if self._stopping():
                self.codes.add(obstacle.exit_code)
            elif count == self.count:
                async with self._held():
                    await self._wait(obstacle)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        started = self._monotonic()
        self._hold(True)
        try:
            yield
        finally:
            self._hold(False)
            self.count += 1
            self.seconds += self._monotonic() - started

    async def _wait(self, obstacle: Obstacle) -> None:
        started = self._monotonic()
        still = await asyncio.to_thread(self._obstacle)
        self._unseen = 0 if still else self._unseen + 1
        if self._unseen > _UNSEEN:
            raise obstacle
        still = still or obstacle
        cause = type(still).__name__
        self._emit(Paused(cause, still.what, still.hint))
        while still is not None and not self._stopping():
            if self._monotonic() - started > self._settings.pause_limit_s:
                raise still
            await self._sleep(self._settings.pause_poll_s)
            still = await asyncio.to_thread(self._obstacle)
        if still is not None:
            self.codes.add(still.exit_code)
        self._emit(Resumed(cause, self._monotonic() - started))

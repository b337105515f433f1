"""A drive that is gone or full, a Terminal without session or vendor: the run waits, and asks for nothing meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from thetabulk.config import RunConfig
from thetabulk.errors import DiskFull, DriveGone, NotConnected, SessionTaken, ThetabulkError
from thetabulk.events import Emit, Paused, Resumed
from thetabulk.model import Shard
from thetabulk.run.guard import MOMENT_S, Guard, Look, Lost, still_lost

Obstacle = DriveGone | DiskFull | Lost
OBSTACLES = (DriveGone, DiskFull, SessionTaken, NotConnected)
_UNSEEN = 5  # obstacles in a row that nobody can see a moment later: a quota, a bad sector, not enough room for a day


class Pause:
    """One of those who meet an obstacle waits for it to go; the others wait behind, or find the gate shut.

    `obstacle` says what of the drive is still in the way (it may block), `look` asks the Terminal something small about
    a day, `suspects` names programs of this machine that may have taken the session. `hold` shuts the gate and opens
    it, `stopping` tells that the run is stopping, which ends every pause. `codes` are the exit codes of what was still
    in the way then.
    """

    def __init__(
        self, settings: RunConfig, *, obstacle: Callable[[], ThetabulkError | None],
        look: Callable[[Shard], Awaitable[Look]], suspects: Callable[[], Awaitable[tuple[str, ...]]],
        hold: Callable[[bool], None], stopping: Callable[[], bool], emit: Emit, monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._obstacle = obstacle
        self._look = look
        self._suspects = suspects
        self._hold = hold
        self._stopping = stopping
        self._emit = emit
        self._monotonic = monotonic
        self._sleep = sleep
        self._guard = Guard(settings)
        self._pausing = asyncio.Lock()
        self._unseen = 0
        self.count = 0
        self.seconds = 0.0
        self.codes: set[int] = set()

    def saved(self) -> None:
        """A day was saved: drive and Terminal are well."""
        self._unseen = 0
        self._guard.saved()

    async def over(self) -> None:
        """Returns at once, or when the running pause has ended."""
        async with self._pausing:
            pass

    async def until_gone(self, obstacle: Obstacle, count: int, shard: Shard | None = None) -> None:
        """Returns when the obstacle has gone, or the run is stopping. Raises what is in the way after `pause_limit_s`.

        `count` is how many pauses there had been when the work began that met the obstacle: if one has ended since, it
        was about this. An obstacle that cannot be seen a moment later is waited for too, but not time and again. What
        a Terminal has lost is looked for with the `shard` that met it.
        """
        async with self._pausing:
            if self._stopping():
                self.codes.add(obstacle.exit_code)
            elif count == self.count:
                async with self._held():
                    if isinstance(obstacle, Lost) and shard is not None:
                        await self._wait_for_terminal(obstacle, shard)
                    else:
                        await self._wait_for_drive(obstacle)

    async def between_transfers(self, cause: str, message: str, work: Callable[[], Awaitable[None]],
                                in_flight: Callable[[], int]) -> None:  # fmt: skip
        """Does the work when nothing is in flight, and lets nothing begin meanwhile; not if the run is stopping."""
        async with self._pausing, self._held():
            self._emit(Paused(cause, message, next="transfers in flight are finished first"))
            started = self._monotonic()
            while in_flight() and not self._stopping():
                await self._sleep(self._settings.pause_poll_s)
            gone = not self._stopping()
            if gone:
                await work()
            self._emit(Resumed(cause, self._monotonic() - started, gone))

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

    async def _wait_for_drive(self, obstacle: Obstacle) -> None:
        started = self._monotonic()
        still = await asyncio.to_thread(self._obstacle)
        self._unseen = 0 if still else self._unseen + 1
        if self._unseen > _UNSEEN:
            raise obstacle
        still = still or obstacle
        cause = type(still).__name__
        every_s = self._settings.pause_poll_s
        self._emit(Paused(cause, still.what, still.hint, "looks whether it is back; goes on by itself", every_s))
        while still is not None and not self._stopping():
            if self._monotonic() - started > self._settings.pause_limit_s:
                raise still
            await self._sleep(every_s)
            still = await asyncio.to_thread(self._obstacle)
        self._end(cause, started, still)

    async def _wait_for_terminal(self, lost: Lost, shard: Shard) -> None:
        started, cause = self._monotonic(), type(lost).__name__
        self._guard.lost(lost, started)
        still: Lost | None = lost
        while still is not None and not self._stopping():
            cause = type(still).__name__
            still = await self._looked_at_again(still, shard)
        self._end(cause, started, still)

    async def _looked_at_again(self, lost: Lost, shard: Shard) -> Lost | None:
        """What is still lost when it is time to look; it is raised when that is for too long."""
        due = self._monotonic() + self._guard.wait_s(self._monotonic())
        await self._tell_lost(lost, due)
        await self._rest(due)
        if self._stopping():
            return lost
        if self._guard.overdue(self._monotonic()):
            raise lost
        look = await self._look(shard)
        self._guard.looked(look.sight)
        return still_lost(look, lost)

    async def _tell_lost(self, lost: Lost, due: float) -> None:
        """The cause at once; who may be behind it as soon as that is known."""
        taken = self._guard.taken
        plan = "one small request, and none before; goes on by itself" if taken else "looks again; goes on by itself"
        told = Paused(type(lost).__name__, lost.what, lost.hint, plan, round(due - self._monotonic(), 3))
        self._emit(told)
        if taken and (suspects := await self._suspects()):
            self._emit(replace(told, next_s=max(0.0, round(due - self._monotonic(), 3)), suspects=suspects))

    def _end(self, cause: str, started: float, still: ThetabulkError | None) -> None:
        if still is not None:
            self.codes.add(still.exit_code)
        self._emit(Resumed(cause, self._monotonic() - started, gone=still is None))

    async def _rest(self, until: float) -> None:
        """In short naps: a run that is stopped does not wait for a cool-down."""
        nap_s = self._settings.pause_poll_s or self._settings.pause_limit_s
        while (left := until - self._monotonic()) > MOMENT_S and not self._stopping():
            await self._sleep(min(left, nap_s))

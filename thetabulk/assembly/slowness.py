"""Once a second: has the Terminal become slow? That is an event; a Terminal of ours is restarted between days."""

import asyncio
from collections.abc import Awaitable, Callable

from thetabulk.errors import ThetabulkError
from thetabulk.events import BytesReceived, Checking, Emit, Event, Notice, Slowed
from thetabulk.fetch.decline import Decline

_TICK_S = 1.0


class Slowness:
    """Hears the bytes that arrive, and looks for ever; cancel it when the run is over.

    `remedy` restarts the Terminal while nothing is in flight, at most every `cooldown_s` seconds. While the run is
    `paused`, no time passes here.
    """

    def __init__(
        self, decline: Decline, *, in_flight: Callable[[], int], paused: Callable[[], bool], emit: Emit,
        monotonic: Callable[[], float], cooldown_s: float, remedy: Callable[[str], Awaitable[None]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._decline = decline
        self._in_flight = in_flight
        self._paused = paused
        self._emit = emit
        self._monotonic = monotonic
        self._cooldown_s = cooldown_s
        self._remedy = remedy
        self._sleep = sleep
        self._received = 0
        self._not_before = float("-inf")

    def hear(self, event: Event) -> None:
        if isinstance(event, BytesReceived):
            self._received += event.count
        elif isinstance(event, Checking):
            self._decline.answered()

    async def run(self) -> None:
        while True:
            await self._sleep(_TICK_S)
            received, self._received = self._received, 0
            if self._paused():
                self._decline.begin_anew()
                continue
            if self._decline.tick(received, self._in_flight()):
                self._tell()
            if self._decline.slow and self._remedy is not None and self._monotonic() >= self._not_before:
                self._not_before = self._monotonic() + self._cooldown_s
                await self._restarted(self._remedy)

    async def _restarted(self, remedy: Callable[[str], Awaitable[None]]) -> None:
        try:
            await remedy("answers have become slow")
        except ThetabulkError as error:  # a Terminal that does not come back is for the breaker to see
            self._emit(Notice(f"the Terminal could not be restarted: {error.what}", "warning"))
        self._decline.begin_anew()

    def _tell(self) -> None:
        now, before = self._decline.last, self._decline.best
        if now is not None and before is not None:
            self._emit(Slowed(now.rate, before.rate, now.megabyte_s, before.megabyte_s, over=not self._decline.slow))

"""Once a second: the adaptive limit hears what happened, and whoever waits looks again."""

import asyncio
from collections.abc import Awaitable, Callable

from thetabulk.errors import TerminalUnavailable
from thetabulk.events import BreakerChanged, BytesReceived, Emit, Event, LimitChanged, Notice
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit
from thetabulk.fetch.slumber import Slumber

_TICK_S = 1.0


class Pulse:
    """Listens to the bytes that arrive, and ticks for ever; cancel it when the run is over.

    Raises TerminalUnavailable when the breaker has been open for `pause_limit_s`. After this machine has slept, `wake`
    is called: what was in flight then is suspect. While the run is `paused`, nobody asks, and so nobody is missing.
    """

    def __init__(
        self, limit: Limit, gate: Gate, breaker: Breaker, *, emit: Emit, pause_limit_s: float,
        monotonic: Callable[[], float], memory_percent: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] | None = None, wake: Callable[[], None] = lambda: None,
        paused: Callable[[], bool] = lambda: False, also: Callable[[], None] = lambda: None,
        asleep_s: float = 30.0,
    ) -> None:  # fmt: skip
        self._limit = limit
        self._wall = wall or monotonic
        self._wake = wake
        self._asleep_s = asleep_s
        self._paused = paused
        self._also = also
        self._gate = gate
        self._breaker = breaker
        self._emit = emit
        self._pause_limit_s = pause_limit_s
        self._monotonic = monotonic
        self._memory_percent = memory_percent
        self._sleep = sleep
        self._received = 0
        self._state = "closed"
        self._open_since: float | None = None
        self._told = limit.limit()

    def hear(self, event: Event) -> None:
        if isinstance(event, BytesReceived):
            self._received += event.count

    async def run(self) -> None:
        slumber = Slumber(self._monotonic(), self._wall(), every_s=_TICK_S, suspicious_s=self._asleep_s)
        while True:
            await self._sleep(_TICK_S)
            if slept_s := slumber.look(self._monotonic(), self._wall()):
                self._emit(Notice(f"nothing ran here for {slept_s:.0f} s (sleep, or Ctrl-Z): transfers begin again"))
                self._wake()
            received, self._received = self._received, 0
            in_flight = self._gate.in_flight
            held_back = in_flight + self._gate.waiting >= self._limit.limit() and self._state == "closed"
            held_back = held_back and not self._paused()
            self._limit.tick(
                received=received, in_flight=in_flight, busy=float(held_back), memory_percent=self._memory_percent()
            )
            self._tell_limit()
            self._tell_breaker()
            self._also()
            self._gate.changed()

    def _tell_limit(self) -> None:
        if self._limit.limit() != self._told:
            self._told = self._limit.limit()
            self._emit(LimitChanged(self._told, self._limit.why))

    def _tell_breaker(self) -> None:
        now = self._monotonic()
        state = self._breaker.state(now)
        if state == "closed" or self._paused():
            self._open_since = None
        elif self._open_since is None:
            self._open_since = now
        elif now - self._open_since > self._pause_limit_s:
            said = "has not answered" if self._breaker.absent else "has given no good answer"
            raise TerminalUnavailable(
                f"the Terminal {said} for {self._pause_limit_s:.0f} s: {self._breaker.cause}",
                hint="when it is back: thetabulk resume",
            )
        if state != self._state:
            self._state = state
            self._emit(BreakerChanged(state, self._breaker.cause, self._breaker.wait_s, self._breaker.absent))

"""A Terminal as a fluid in virtual time, for the adaptive limit: bytes flow, requests end, nothing sleeps."""

import math
import random
from dataclasses import dataclass

from thetabulk.fetch.limit import Limit
from thetabulk.fetch.verdict import Verdict

_STEP_S = 0.25


@dataclass(frozen=True)
class Terminal:
    """What it bears: `slots` are served at once, `queue` more wait, then 429. Above `knee` in service each request more
    takes `loss` of the total, and dies `dying` times a second. Sizes in MB, rates in MB/s."""

    slots: int = 12
    queue: int = 16
    total: float = 80.0
    per_stream: float = 8.0
    knee: int = 99
    loss: float = 0.12
    dying: float = 0.0
    errors: float = 0.0
    size: float = 12.0
    first_byte_s: float = 0.6
    memory_percent: float = 0.0  # per request, above 40


@dataclass
class _Stream:
    left: float
    begins_s: float


class Fluid:
    """Runs a Limit against Terminals, one after the other, and remembers what came of it."""

    def __init__(self, limit: Limit, *, workers: int = 12, seed: int = 1) -> None:
        self.limit = limit
        self.levels: list[int] = []
        self.received: list[float] = []  # MB per second
        self.refused = 0
        self.failed = 0
        self.memory_peak = 0.0
        self._workers = workers
        self._dice = random.Random(seed)
        self._streams: list[_Stream] = []
        self._asleep: list[float] = []
        self._now_s = 0.0

    def run(self, terminal: Terminal, seconds: int) -> float:
        """So many seconds more; the mean MB/s of their second half."""
        for _ in range(seconds):
            flowed = in_flight = 0.0
            for _ in range(4):
                flowed += self._step(terminal)
                in_flight += len(self._streams) / 4
            memory = 40 + terminal.memory_percent * in_flight if terminal.memory_percent else 0.0
            self.memory_peak = max(self.memory_peak, memory)
            self.limit.tick(received=int(flowed * 1e6), in_flight=in_flight, busy=1.0, memory_percent=memory)
            self.levels.append(self.limit.limit())
            self.received.append(flowed)
        half = self.received[-seconds // 2 :]
        return sum(half) / len(half)

    def _step(self, terminal: Terminal) -> float:
        self._asleep = [until for until in self._asleep if until > self._now_s]
        self._start(terminal)
        self._now_s += _STEP_S
        served = self._streams[: terminal.slots]
        for queued in self._streams[terminal.slots :]:
            queued.begins_s = self._now_s + terminal.first_byte_s
        above = max(0, len(served) - terminal.knee)
        active = [stream for stream in served if stream.begins_s <= self._now_s]
        share = max(0.1, 1 - terminal.loss * above)
        rate = min(terminal.per_stream * share, terminal.total * share / max(1, len(active)))
        return sum(self._flow(stream, terminal, rate * _STEP_S, above) for stream in active)

    def _start(self, terminal: Terminal) -> None:
        while len(self._streams) < self.limit.limit() and len(self._streams) + len(self._asleep) < self._workers:
            if len(self._streams) >= terminal.slots + terminal.queue:
                self.refused += 1
                self._end(Verdict.SLOW_DOWN)
                continue
            size = terminal.size * math.exp(self._dice.gauss(0, 0.4))
            self._streams.append(_Stream(size, self._now_s + terminal.first_byte_s))

    def _flow(self, stream: _Stream, terminal: Terminal, megabytes: float, above: int) -> float:
        flowed = min(stream.left, megabytes)
        stream.left -= flowed
        if self._dice.random() < terminal.dying * above * _STEP_S:
            self._streams.remove(stream)
            self._end(Verdict.RETRY)
        elif stream.left <= 1e-9:
            self._streams.remove(stream)
            self._end(Verdict.RETRY if self._dice.random() < terminal.errors else Verdict.SAVE)
        return flowed

    def _end(self, verdict: Verdict) -> None:
        self.limit.result(verdict, in_flight=len(self._streams))
        if verdict is not Verdict.SAVE:
            self.failed += verdict is Verdict.RETRY
            self._asleep.append(self._now_s + self._dice.uniform(0.5, 1.5))

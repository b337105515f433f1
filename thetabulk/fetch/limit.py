"""How many requests the Terminal, the account and this machine bear. Pure: seconds come as ticks.

Goodput leads (`climb.py`); refusals, errors, memory and outages bound it. Answers that say nothing about load (no data,
not in the subscription, asked wrongly) are no news here.
"""

from thetabulk.fetch.climb import Climb
from thetabulk.fetch.goodput import Meter
from thetabulk.fetch.restraints import Errors, Memory, Refusals
from thetabulk.fetch.verdict import Verdict

_START = 4
_ERRORS_CUT = 0.7
_QUIET_FAILURES = 3  # in a row, and not a byte meanwhile: nobody is there, and there is nothing to learn
_FAILURES = (Verdict.RETRY, Verdict.WAIT)


class Limit:
    """An adaptive limit between `lowest` and `highest`, for whoever holds requests back.

    Tell it every second what happened (`tick`), and how every request ended (`result`); `limit()` answers, and `why`
    gives the reason of the last change in a few words. A lower limit ends nothing that runs.
    """

    def __init__(self, lowest: int, highest: int, start: int = _START) -> None:
        self._highest = max(1, highest)
        self._lowest = min(max(1, lowest), self._highest)
        self._climb = Climb(min(max(start, self._lowest), self._highest), self._lowest)
        self._meter = Meter()
        self._refusals = Refusals(self._highest)
        self._errors = Errors()
        self._memory = Memory()
        self._room = self._highest
        self._in_flight = 0.0
        self._failures_without_a_byte = 0
        self.why = self._climb.why

    def limit(self) -> int:
        """How many may be in flight: at least 1, at most `highest`."""
        return self._climb.level

    @property
    def ceiling(self) -> int:
        """The most that may be tried: `highest`, less after a refusal, and while memory is short."""
        return max(self._lowest, min(self._refusals.ceiling, max(self._room, self._climb.level)))

    def tick(self, *, received: int, in_flight: float, busy: float, memory_percent: float = 0.0) -> None:
        """A second has passed, with so many bytes received and so many requests in flight.

        `busy` is the share of the second in which this limit was what held requests back: those in flight, waiting
        for the gate and backing off were as many as it admits, and neither breaker nor health had shut the gate.
        `memory_percent` is the share of the machine's memory that is not available; 0: not known.
        """
        self._in_flight = in_flight
        if received > 0:
            self._sign_of_life()
        self._errors.tick()
        self._watch_memory(in_flight, memory_percent)
        self._lift_ceiling()
        if self._quiet:  # the breaker's and the supervisor's business; zero bytes would look like a fall
            return
        sample = self._meter.tick(self._climb.level, received, in_flight, busy)
        if sample is not None:
            before = self._climb.level
            self._climb.after(sample, self.ceiling)
            self._moved_from(before)

    def result(self, verdict: Verdict, *, in_flight: int | None = None) -> None:
        """A request ended. `in_flight`: the others under way, if that is known better than by the last tick."""
        others = max(0, round(self._in_flight) - 1) if in_flight is None else in_flight
        self._refusals.answered()
        if verdict is Verdict.SLOW_DOWN:
            self._sign_of_life()
            self._refused(others)
        elif verdict is Verdict.SAVE:
            self._sign_of_life()
            self._ended(good=True)
        elif verdict in _FAILURES:
            self._failures_without_a_byte += 1
            if verdict is Verdict.RETRY:
                self._ended(good=False)

    @property
    def _quiet(self) -> bool:
        return self._failures_without_a_byte >= _QUIET_FAILURES

    def _sign_of_life(self) -> None:
        if self._quiet:
            self._meter.moved()
        self._failures_without_a_byte = 0

    def _refused(self, others_in_flight: int) -> None:
        before = self._climb.level
        if self._refusals.refused(before, others_in_flight, self._lowest):
            why = f"refused for load (429): at most {self.ceiling} for {self._refusals.span_s} s"
            self._climb.confine(self.ceiling, why)
            self._moved_from(before)

    def _ended(self, *, good: bool) -> None:
        before = self._climb.level
        self._meter.result(before, good)
        if self._errors.result(good):
            lower = max(self._lowest, int(before * _ERRORS_CUT))
            self._climb.restart(lower, "more than 20 % of the requests failed")
            self._moved_from(before)

    def _watch_memory(self, in_flight: float, percent: float) -> None:
        if percent <= 0:
            return
        before = self._climb.level
        self._room = self._memory.room(in_flight, percent)
        target = self._memory.target(before, self._room, percent)
        if target is not None and max(self._lowest, target) < before:
            self._climb.restart(max(self._lowest, target), f"{percent:.0f} % of the memory is taken")
            self._moved_from(before)

    def _lift_ceiling(self) -> None:
        expired = self._refusals.tick()
        if expired and self.ceiling >= expired + 2 and self._climb.lead == expired:
            self._climb.leap(self.ceiling)
            self._moved_from(expired)

    def _moved_from(self, before: int) -> None:
        if self._climb.level != before:
            self._meter.moved()
            self.why = self._climb.why

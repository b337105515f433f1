"""What a number of requests in flight brings: goodput, measured in epochs. Pure.

Goodput is bytes per second times the square of the share of requests that succeed: bytes of a request that fails are
received for nothing, and were paid for by the Terminal. Constants are those of the search over 19 simulated Terminals
(performance: "Adaptive concurrency"); no real one has been measured.
"""

from dataclasses import dataclass

_SETTLING_TICKS = 2  # after a change, until the new requests bring bytes
_DRAINING_TICKS = 20  # running requests are never ended, so a lower level takes time to come true
_EPOCH_MIN_S, _EPOCH_MAX_S = 3, 8
_PRIOR = 8.0  # a level without results is believed to fail as often as all do, with the weight of so many results
_MEMORY = 0.97  # of the counts, per result


@dataclass(frozen=True, slots=True)
class Sample:
    """One epoch at one level; bytes per second that counted, over so many seconds."""

    goodput: float
    seconds: int


@dataclass(slots=True)
class _Results:
    good: float = 0.0
    all: float = 0.0

    def add(self, good: bool) -> None:
        self.good = self.good * _MEMORY + good
        self.all = self.all * _MEMORY + 1


class Meter:
    """Turns ticks of one second, and the results of requests, into one Sample per epoch."""

    def __init__(self) -> None:
        self._overall = _Results()
        self._by_level: dict[int, _Results] = {}
        self._settling = 0
        self._draining = 0
        self._start_over()

    def moved(self) -> None:
        """The level is another one from now on: what has been measured in this epoch belongs to neither."""
        self._settling = _SETTLING_TICKS
        self._draining = _DRAINING_TICKS
        self._start_over()

    def result(self, level: int, good: bool) -> None:
        """A request ended. Refusals for load (429) do not belong here: the ceiling knows them."""
        self._overall.add(good)
        self._by_level.setdefault(level, _Results()).add(good)
        self._ended += 1

    def tick(self, level: int, received: int, in_flight: float, busy: float) -> Sample | None:
        """One second has passed; a Sample if that ends an epoch. `busy` as in `Limit.tick`."""
        if in_flight > level + 0.3 and self._draining > 0:
            self._draining -= 1
            return None
        if busy < 0.8:  # unused room is no reason for more room, nor for less
            return None
        if self._settling > 0:
            self._settling -= 1
            return None
        self._seconds += 1
        self._received += received
        enough = self._seconds >= _EPOCH_MIN_S and self._ended >= max(8, 2 * level)
        if not enough and self._seconds < _EPOCH_MAX_S:
            return None
        sample = Sample(self._received / self._seconds * self._success(level) ** 2, self._seconds)
        self._start_over()
        return sample

    def _start_over(self) -> None:
        self._seconds = 0
        self._received = 0
        self._ended = 0

    def _success(self, level: int) -> float:
        overall = self._overall.good / self._overall.all if self._overall.all else 1.0
        here = self._by_level.get(level, _Results())
        return (here.good + _PRIOR * overall) / (here.all + _PRIOR)

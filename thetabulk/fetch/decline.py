"""Has the Terminal become slow? Pure: seconds come as ticks.

Terminals that had been up for hours were seen to bring a fifth of what they brought after a restart, with answers that
took many times longer (thetadata-v3.md §3.2); incident 3 was fine for five minutes only. Less goodput alone says
nothing: fewer requests in flight, or smaller days, bring less too. So every answer must take longer as well, and every
megabyte of it.
"""

from dataclasses import dataclass

_LONGER = 1.5  # times, for an answer as a whole: small days take no longer, however little they bring a second
_MB = 1e6


@dataclass(frozen=True, slots=True)
class Window:
    """What a span of busy seconds has brought: bytes a second, and seconds that a megabyte and an answer took."""

    rate: float
    megabyte_s: float
    answer_s: float


class Decline:
    """Compares each window of `window_s` busy seconds with the best so far; `factor` times worse is slow."""

    def __init__(self, window_s: float, factor: float) -> None:
        self._window_s = window_s
        self._factor = factor
        self.best: Window | None = None
        self.last: Window | None = None
        self.slow = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """What has been measured in this window belongs to another time: a pause, a restart."""
        self._seconds = 0
        self._received = 0
        self._stream_s = 0
        self._answers = 0

    def answered(self) -> None:
        """An answer has come to its end."""
        self._answers += 1

    def tick(self, received: int, in_flight: int) -> bool:
        """A second has passed; True if `slow` has changed."""
        if in_flight == 0 and received == 0:
            return False
        self._seconds += 1
        self._received += received
        self._stream_s += max(1, in_flight)
        if self._seconds < self._window_s:
            return False
        before = self.slow
        self._judge(self._window())
        self.begin_anew()
        return self.slow is not before

    def _window(self) -> Window:
        megabyte_s = self._stream_s / (max(1, self._received) / _MB)
        return Window(self._received / self._seconds, megabyte_s, self._stream_s / max(1, self._answers))

    def _judge(self, window: Window) -> None:
        self.last = window
        if self.best is None or window.rate > self.best.rate:
            self.best = window
        self.slow = (
            window.rate * self._factor <= self.best.rate
            and window.megabyte_s >= self._factor * self.best.megabyte_s
            and window.answer_s >= _LONGER * self.best.answer_s
        )

"""Has this machine slept? Told by two clocks that stop differently. Pure.

The monotonic clock stands still in suspend (on macOS, and mostly on Linux), the wall clock does not; a process that was
stopped (Ctrl-Z) finds both ahead of its last look. A wall clock that was set forward looks like sleep, and is taken for
it: the price is a few transfers that are begun again.
"""


class Slumber:
    """Look at it every `every_s` seconds; `look` returns how long nothing of ours ran, 0.0 if that is at most
    `suspicious_s`: a loaded machine looks late."""

    def __init__(self, monotonic: float, wall: float, *, every_s: float, suspicious_s: float) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._every_s = every_s
        self._suspicious_s = suspicious_s

    def look(self, monotonic: float, wall: float) -> float:
        passed, shown = monotonic - self._monotonic, wall - self._wall
        self._monotonic, self._wall = monotonic, wall
        missed = max(passed, shown) - self._every_s
        return missed if missed > self._suspicious_s else 0.0

"""What bounds the climb, whatever goodput says: refusals for load, errors, memory. Pure: seconds come as ticks."""

import math

_CEILING_S, _CEILING_MAX_S, _CEILING_AGAIN_S = 180, 600, 60  # doubled when refused again so soon after it expired
_ERRORS_SHARE, _ERRORS_OF = 0.2, 10  # more than this share, of at least so many results
_WINDOW_S, _WINDOW_MAX_S = 30, 480  # doubled while cutting does not help
_MEMORY_GOAL, _MEMORY_HIGH, _MEMORY_FULL = 84.5, 85.0, 95.0  # per cent
_MEMORY_EVERY_S = 3
_SLOPE, _SLOPE_LEAST = 2.0, 0.2  # per cent of the memory per request


class Refusals:
    """A 429 sets a ceiling that expires. One reaction per round: what was sent before it is no second opinion.

    The Terminal serves as many as the account allows and queues 16 more; a 429 is the queue overflowing, or another
    program of the same account. Without an expiry one crowded minute would slow a week.
    """

    def __init__(self, highest: int) -> None:
        self._highest = highest
        self._left_s = 0
        self._since_expiry_s = _CEILING_AGAIN_S + 1
        self._refused_at = 0
        self._sent_before = 0
        self.ceiling = highest
        self.span_s = _CEILING_S

    def answered(self) -> None:
        """A request ended, in whatever way."""
        self._sent_before = max(0, self._sent_before - 1)

    def refused(self, level: int, others_in_flight: int, lowest: int) -> bool:
        """A request was refused while so many others were under way; True if that is news."""
        if self._sent_before > 0:
            return False
        again = self._since_expiry_s <= _CEILING_AGAIN_S and level <= self._refused_at
        if self._left_s == 0:
            self.span_s = min(_CEILING_MAX_S, self.span_s * 2) if again else _CEILING_S
        self._refused_at = level
        self._sent_before = others_in_flight
        self._left_s = self.span_s
        self.ceiling = min(self._highest, max(lowest, min(level - 1, others_in_flight)))
        return True

    def tick(self) -> int:
        """A second has passed; the ceiling that has just expired, or 0."""
        self._since_expiry_s += 1
        if self._left_s == 0:
            return 0
        self._left_s -= 1
        if self._left_s > 0:
            return 0
        expired, self.ceiling = self.ceiling, self._highest
        self._since_expiry_s = 0
        return expired


class Errors:
    """More than 20 % of the requests failed: cut once, then look away for a window.

    Where errors have nothing to do with load, cutting does not help, and the next window is twice as long.
    """

    def __init__(self) -> None:
        self._window_s = _WINDOW_S
        self._calm_s = 0
        self._forget()

    def tick(self) -> None:
        if self._calm_s > 0:
            self._calm_s -= 1
            return
        self._elapsed_s += 1
        if self._elapsed_s >= _WINDOW_S and self._ended >= _ERRORS_OF:  # a whole window without a cut
            self._window_s = _WINDOW_S
            self._forget()

    def result(self, good: bool) -> bool:
        """Is this the one that is too many?"""
        if self._calm_s > 0:
            return False
        self._ended += 1
        self._failed += not good
        if self._ended < _ERRORS_OF or self._failed <= _ERRORS_SHARE * self._ended:
            return False
        self._calm_s, self._window_s = self._window_s, min(_WINDOW_MAX_S, self._window_s * 2)
        self._forget()
        return True

    def _forget(self) -> None:
        self._elapsed_s = 0
        self._ended = 0
        self._failed = 0


class Memory:
    """Keeps 15 % of the machine's memory available, and learns what one request more takes of it."""

    def __init__(self) -> None:
        self._slope = _SLOPE
        self._seen: tuple[float, float] | None = None
        self._calm_s = 0

    def room(self, in_flight: float, percent: float) -> int:
        """A second has passed: how many requests the memory bears. `percent` of it is not available."""
        self._calm_s = max(0, self._calm_s - 1)
        if self._seen is None:
            self._seen = in_flight, percent
        moved = in_flight - self._seen[0]
        if abs(moved) >= 0.9:
            self._slope = max(_SLOPE_LEAST, 0.5 * self._slope + 0.5 * (percent - self._seen[1]) / moved)
            self._seen = in_flight, percent
        return math.floor(in_flight + (_MEMORY_GOAL - percent) / self._slope)

    def target(self, level: int, room: int, percent: float) -> int | None:
        """Where to shrink to, at most every 3 seconds; None while there is enough."""
        if percent < _MEMORY_HIGH or self._calm_s > 0:
            return None
        self._calm_s = _MEMORY_EVERY_S
        return level // 2 if percent >= _MEMORY_FULL else min(level - 1, room)

"""Whether the drive is what a run waits for: told when it begins, and when it is over."""

from collections import deque
from collections.abc import Callable

from thetabulk.events import DriveBusy, Emit

_WINDOW_S = 20.0
_EVIDENCE_S = 10.0
_BRAKE, _NO_BRAKE = 0.8, 0.5
"""Shares of the time. A drive that is busy for four fifths of it cannot take much more, however fast the line is."""


class DrivePace:
    """`look` at it now and then, as the pulse does: once a second."""

    def __init__(self, busy_s: Callable[[], float], monotonic: Callable[[], float], emit: Emit) -> None:
        self._busy_s = busy_s
        self._monotonic = monotonic
        self._emit = emit
        self._seen: deque[tuple[float, float]] = deque([(monotonic(), busy_s())])
        self._told = False

    def look(self) -> None:
        """Tells what has changed."""
        now, busy = self._monotonic(), self._busy_s()
        self._seen.append((now, busy))
        while self._seen[0][0] < now - _WINDOW_S:
            self._seen.popleft()
        since, before = self._seen[0]
        if now - since < _EVIDENCE_S:
            return
        share = (busy - before) / (now - since)
        if share >= _BRAKE or (self._told and share < _NO_BRAKE):
            slow = share >= _BRAKE
            if slow is not self._told:
                self._told = slow
                self._emit(DriveBusy(round(share, 2), over=not slow))

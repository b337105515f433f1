"""Closed, open, probing: told as "how many may be in flight". Pure: the time is an argument.

Only failures to get any answer count (refused, no connection, dropped before a status). Any HTTP answer, of any
status, is life: incident 1 was a Terminal restarted for hours because its 429s were taken for death.
"""

UNLIMITED = 1_000_000


class Breaker:
    """Opens after `failures` connection failures in a row; then one probe after 1, 2, 4 … `max_s` seconds.

    It holds requests back rather than failing them: a bulk job has time. Times are seconds of any monotonic clock.
    """

    def __init__(self, *, failures: int = 5, first_s: float = 1.0, max_s: float = 30.0) -> None:
        self._threshold = failures
        self._first_s = first_s
        self._max_s = max_s
        self._failures = 0
        self.cause = ""
        self.wait_s = 0.0
        self.reopen_at: float | None = None

    def succeeded(self) -> None:
        """There was an HTTP answer."""
        self._failures = 0
        self.cause = ""
        self.wait_s = 0.0
        self.reopen_at = None

    def failed(self, now: float, cause: str) -> None:
        """There was none. While open, the failures of requests that were sent before say nothing new."""
        self._failures += 1
        if self.state(now) == "open" or self._failures < self._threshold:
            return
        self.cause = cause
        self.wait_s = min(self._max_s, self.wait_s * 2 or self._first_s)
        self.reopen_at = now + self.wait_s

    def state(self, now: float) -> str:
        """closed, open or probing."""
        if self.reopen_at is None:
            return "closed"
        return "open" if now < self.reopen_at else "probing"

    def capacity(self, now: float) -> int:
        """How many may be in flight: all, none while open, one while probing."""
        return {"closed": UNLIMITED, "open": 0, "probing": 1}[self.state(now)]

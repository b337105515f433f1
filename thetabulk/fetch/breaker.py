"""Closed, open, probing: told as "how many may be in flight". Pure: the time is an argument.

Requests that all fail, one after the other, are an outage, whatever its cause; the cause decides how it ends. Nobody
is there (refused, dropped before a status, 474): a small question is enough to see when that is over, so it is asked
often. Somebody answers, but nothing good (429, 5xx, cut bodies, web pages): only a request for data can tell, so it is
tried more and more seldom. Neither is a reason to restart a Terminal: an answer of any status is life (incident 1).
"""

UNLIMITED = 1_000_000


class Breaker:
    """Opens after `failures` failed requests in a row; then one probe after 1, 2, 4 … `max_s` seconds; where somebody
    answers after 1, 3, 9 … `failing_max_s`, so that an hour of that is less than 30 requests, whatever was in flight.

    It holds requests back rather than failing them: a bulk job has time. Times are seconds of any monotonic clock.
    `absent`: nobody is there, as far as the last failure tells.
    """

    def __init__(
        self, *, failures: int = 5, first_s: float = 1.0, max_s: float = 30.0, failing_max_s: float = 600.0
    ) -> None:
        self._threshold = failures
        self._first_s = first_s
        self._longest_s = {True: max_s, False: failing_max_s}
        self._failures = 0
        self.absent = False
        self.cause = ""
        self.wait_s = 0.0
        self.reopen_at: float | None = None

    def succeeded(self) -> None:
        """There was a good answer, or at least a sign of life where nobody had been."""
        self._failures = 0
        self.absent = False
        self.cause = ""
        self.wait_s = 0.0
        self.reopen_at = None

    def failed(self, now: float, cause: str, *, absent: bool = True, at_least_s: float = 0.0) -> None:
        """A request failed. While open, the failures of requests that were sent before say nothing new.

        `at_least_s` is what the answer asks for (Retry-After): the next probe does not come earlier.
        """
        self._failures += 1
        if self.state(now) == "open" or self._failures < self._threshold:
            return
        self.absent = absent
        self.cause = cause
        self.wait_s = max(at_least_s, min(self._longest_s[absent], self.wait_s * (2 if absent else 3) or self._first_s))
        self.reopen_at = now + self.wait_s

    def state(self, now: float) -> str:
        """closed, open or probing."""
        if self.reopen_at is None:
            return "closed"
        return "open" if now < self.reopen_at else "probing"

    def capacity(self, now: float) -> int:
        """How many may be in flight: all, none while open, one while probing."""
        return {"closed": UNLIMITED, "open": 0, "probing": 1}[self.state(now)]

"""Attempts and back-off: the one ring that tries again. tenacity does the looping; what is here is the policy."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from thetabulk.config import FetchConfig
from thetabulk.errors import AttemptError, BadAnswer, TerminalAnswer
from thetabulk.fetch.verdict import Verdict, judge_error, parse_retry_after

Misfortune = AttemptError | BadAnswer  # what another try may mend
_AGAIN = (Verdict.RETRY, Verdict.SLOW_DOWN, Verdict.WAIT)


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt that ended badly. The next comes in `wait_s` seconds, unless this was the `last`."""

    attempt: int
    error: Misfortune
    verdict: Verdict
    wait_s: float
    last: bool


def retrying(
    settings: FetchConfig,
    *,
    rng: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    now: Callable[[], datetime],
    report: Callable[[Setback], None] = lambda setback: None,
    granted: Callable[[], bool] = lambda: True,
) -> AsyncRetrying:
    """`async for attempt in retrying(…): with attempt: …`, for one Shard; the last error is raised as it came.

    Tried again: RETRY, SLOW_DOWN and a BadAnswer, `settings.attempts` times in all. WAIT costs no attempt: nobody
    listened, so it is no news about the day. The breaker holds requests back then, and whoever watches it ends a run
    for which that lasts too long. Every other exception ends the loop at once: PAUSE and ABORT, which are for the run
    as a whole to wait for, and cancellation too.
    `rng` gives numbers in [0, 1), `now` the aware time of day, for a Retry-After that is a date. `granted` is asked
    before each attempt that counts, except the first: can the run as a whole afford it (`budget.py`)?
    """
    course = _Course(settings, rng, now, report, granted)
    return AsyncRetrying(
        sleep=sleep,
        retry=retry_if_exception(lambda error: isinstance(error, Misfortune) and verdict_of(error) in _AGAIN),
        after=course.note,
        wait=course.wait,
        stop=course.stop,
        before_sleep=course.tell,
        retry_error_callback=course.give_up,
    )


def verdict_of(error: Misfortune) -> Verdict:
    """What a failed attempt asks for. A body that is no answer to our request is worth another try, as a cut one is."""
    return judge_error(error) if isinstance(error, AttemptError) else Verdict.RETRY


class _Course:
    """How one Shard's attempts have gone so far."""

    def __init__(
        self,
        settings: FetchConfig,
        rng: Callable[[], float],
        now: Callable[[], datetime],
        report: Callable[[Setback], None],
        granted: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._rng = rng
        self._now = now
        self._report = report
        self._granted = granted
        self._verdict = Verdict.RETRY
        self._attempts = 0
        self._waits = 0

    def note(self, state: RetryCallState) -> None:
        self._verdict = verdict_of(_error(state))
        if self._verdict is Verdict.WAIT:
            self._waits += 1
        else:
            self._attempts += 1
            self._waits = 0

    def wait(self, state: RetryCallState) -> float:
        """What the Terminal asks for, else full jitter (AWS, "Exponential Backoff And Jitter")."""
        asked_s = self._asked_s(_error(state))
        if asked_s is not None:
            return min(asked_s, self._settings.retry_after_max_s)
        return self._rng() * self._bound_s(self._waits or self._attempts)

    def stop(self, state: RetryCallState) -> bool:
        if self._attempts >= self._settings.attempts:
            return True
        return self._verdict is not Verdict.WAIT and not self._granted()

    def tell(self, state: RetryCallState) -> None:
        self._report(Setback(state.attempt_number, _error(state), self._verdict, state.upcoming_sleep, last=False))

    def give_up(self, state: RetryCallState) -> None:
        error = _error(state)
        self._report(Setback(state.attempt_number, error, self._verdict, 0.0, last=True))
        raise error

    def _bound_s(self, tries: int) -> float:
        """1, 2, 4 … 60 seconds. The exponent is kept small: 2.0 ** 1024 is an error, not a large number."""
        first_s, max_s = self._settings.backoff_first_s, self._settings.backoff_max_s
        return min(max_s, first_s * 2.0 ** min(tries - 1, 32))

    def _asked_s(self, error: Misfortune) -> float | None:
        if not isinstance(error, TerminalAnswer) or not error.retry_after:
            return None
        return parse_retry_after(error.retry_after, self._now())


def _error(state: RetryCallState) -> Misfortune:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, Misfortune)  # the retry condition lets nothing else through
    return error

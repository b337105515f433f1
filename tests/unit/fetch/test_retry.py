"""Attempts and back-off: what is tried again, how often, and after how long."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.config import FetchConfig
from thetabulk.errors import BadAnswer, DiskFull, ShardError, TerminalAnswer, TransferFailed
from thetabulk.fetch.gate import Draining
from thetabulk.fetch.retry import Setback, retrying
from thetabulk.fetch.verdict import Verdict

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CUT = TransferFailed("cut", kind="cut")
NOBODY = TransferFailed("refused", kind="unreachable")
SLEPT = TransferFailed("this machine slept meanwhile", kind="slept")
REFUSAL = TerminalAnswer(403, "requires a value subscription")


class Trial:
    """Runs attempts that end as given, the last for ever, and writes down what happened."""

    def __init__(
        self, *ends: BaseException | None, settings: FetchConfig | None = None, dice: float = 0.5, granted: int = 99
    ) -> None:
        self.slept: list[float] = []
        self.told: list[Setback] = []
        self.attempts = 0
        self.error: BaseException | None = None
        self._ends = ends
        self.granted = granted
        asyncio.run(self._run(settings or FetchConfig(), lambda: dice))

    async def _run(self, settings: FetchConfig, rng: Callable[[], float]) -> None:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        try:
            async for attempt in retrying(
                settings, rng=rng, sleep=sleep, now=lambda: NOW, report=self.told.append, granted=self._grant
            ):
                with attempt:
                    self._attempt()
        except BaseException as error:  # noqa: BLE001  # a test looks at all of them
            self.error = error

    def _grant(self) -> bool:
        self.granted -= 1
        return self.granted >= 0

    def _attempt(self) -> None:
        end = self._ends[min(self.attempts, len(self._ends) - 1)]
        self.attempts += 1
        if end is not None:
            raise end


def test_what_works_is_asked_once() -> None:
    """And nothing is told."""
    trial = Trial(None)
    assert (trial.attempts, trial.slept, trial.told, trial.error) == (1, [], [], None)


def test_four_attempts_and_the_last_error_as_it_came() -> None:
    """The error itself, not one of the library."""
    trial = Trial(CUT)
    assert trial.attempts == 4
    assert trial.error is CUT


def test_the_back_off_doubles_and_is_jittered() -> None:
    """A random part of 1, 2, 4 … 60 seconds."""
    settings = FetchConfig(attempts=9)
    assert Trial(CUT, settings=settings).slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert Trial(CUT, settings=settings, dice=0.0).slept == [0.0] * 8


@pytest.mark.parametrize(
    "error",
    [
        CUT,
        BadAnswer("HTML", kind="text"),
        TerminalAnswer(500, "oops"),
        TerminalAnswer(403, "?"),
        TerminalAnswer(429, ""),
    ],
    ids=str,
)
def test_what_may_go_away_is_tried_again(error: ShardError) -> None:
    """Transfers that failed, bodies that were no answer, errors of the Terminal, refusals for load."""
    trial = Trial(error, error, None)
    assert (trial.attempts, trial.error) == (3, None)


@pytest.mark.parametrize(
    "error",
    [
        TerminalAnswer(472, "No data"),
        TerminalAnswer(200, "No data found for your request"),
        REFUSAL,
        TerminalAnswer(400, "Invalid interval"),
        TerminalAnswer(478, "Invalid session"),
        TerminalAnswer(474, "disconnected"),
        TerminalAnswer(571, "starting"),
        TerminalAnswer(570, "too large"),
        ShardError("contradicted"),
        DiskFull("full"),
        Draining(),
        asyncio.CancelledError(),
        KeyError("a mistake of ours"),
    ],
    ids=repr,
)
def test_everything_else_ends_it_at_once(error: BaseException) -> None:
    """Answers, what the whole run has to wait for, its end, cancellation, and mistakes of ours."""
    trial = Trial(error)
    assert (trial.attempts, trial.slept, trial.told) == (1, [], [])
    assert trial.error is error


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("7", 7.0),
        ("Fri, 20 Nov 2026 12:02:00 GMT", 120.0),
        ("315360000", 600.0),
        ("0", 0.0),
        ("-3", 0.5),
        ("soon", 0.5),
    ],
)
def test_retry_after_is_obeyed_within_reason(value: str, wait_s: float) -> None:
    """Both forms, at most ten minutes; without a sensible one, jitter."""
    assert Trial(TerminalAnswer(429, "", retry_after=value), None).slept == [wait_s]


def test_waiting_for_the_terminal_costs_no_attempts() -> None:
    """Ten times away, three times cut: the fourth real attempt is still had."""
    trial = Trial(*[NOBODY] * 10, CUT, *[SLEPT] * 5, CUT, CUT, None)
    assert trial.error is None
    assert trial.attempts == 19


def test_nobody_there_is_waited_for_without_end() -> None:
    """Nothing was sent, so it is no news about the day; how long is too long is decided for the run as a whole."""
    trial = Trial(*[NOBODY] * 2_000, CUT, CUT, CUT, None)
    assert (trial.error, trial.attempts) == (None, 2_004)
    assert max(trial.slept) == 30.0


def test_a_dropped_connection_costs_an_attempt() -> None:
    """The request was sent: perhaps this very day is what the Terminal falls over."""
    trial = Trial(TransferFailed("dropped", kind="dropped"))
    assert trial.attempts == 4


def test_a_retry_that_the_run_cannot_afford_is_not_made() -> None:
    """It is told as the last, with the error as it came; waiting for a Terminal is nobody's expense."""
    trial = Trial(*[NOBODY] * 5, CUT, *[NOBODY] * 5, CUT, CUT, granted=1)
    assert trial.error is CUT
    assert trial.attempts == 12
    assert [setback.last for setback in trial.told] == [False] * 11 + [True]


def test_the_last_attempt_is_no_expense() -> None:
    """Nothing is asked for that would not be used."""
    assert Trial(CUT).granted == 96


def test_every_setback_is_told_before_its_wait() -> None:
    """With the number of the attempt, its error, and the time until the next; the last one says so."""
    bad = BadAnswer("not ours", kind="header")
    trial = Trial(NOBODY, CUT, bad, CUT, CUT)
    assert trial.told == [
        Setback(1, NOBODY, Verdict.WAIT, 0.5, last=False),
        Setback(2, CUT, Verdict.RETRY, 0.5, last=False),
        Setback(3, bad, Verdict.RETRY, 1.0, last=False),
        Setback(4, CUT, Verdict.RETRY, 2.0, last=False),
        Setback(5, CUT, Verdict.RETRY, 0.0, last=True),
    ]


_ENDS = st.sampled_from([CUT, NOBODY, REFUSAL, TerminalAnswer(429, "", retry_after="9"), BadAnswer("?"), None])


@given(st.lists(_ENDS, min_size=1, max_size=60), st.floats(0, 1, exclude_max=True), st.integers(1, 6))
def test_it_always_ends(ends: list[BaseException | None], dice: float, attempts: int) -> None:
    """Whatever comes, once somebody is there, with no more attempts than allowed, and no wait longer than allowed."""
    trial = Trial(*ends, CUT, settings=FetchConfig(attempts=attempts), dice=dice)
    assert all(0 <= seconds <= 60 for seconds in trial.slept)
    assert len(trial.slept) == trial.attempts - 1
    counted = [end for end in [*ends, CUT][: trial.attempts] if end is not NOBODY and end is not None]
    assert len(counted) <= attempts

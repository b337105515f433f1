"""The table of what answers mean, and the texts that it looks into."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.errors import AttemptError, TerminalAnswer, TransferFailed
from thetabulk.fetch.verdict import Verdict, judge, judge_error, parse_retry_after, tier_in
from thetabulk.model import Tier

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REFUSAL = "This request requires a value subscription or higher, but you only have a FREE subscription."
WEB_PAGE = "<html><body>You don't have permission to access this resource.</body></html>"


@pytest.mark.parametrize(
    ("status", "text", "verdict"),
    [
        (200, "symbol,expiration\r\n", Verdict.SAVE),
        (200, "", Verdict.SAVE),
        (200, "No data found for your request", Verdict.EMPTY),
        (200, "\n NO DATA FOUND for your request \r\n", Verdict.EMPTY),
        (200, "No data found for your request\nsymbol,expiration", Verdict.SAVE),
        (472, "anything", Verdict.EMPTY),
        (403, REFUSAL, Verdict.REFUSE),
        (471, "permission denied", Verdict.REFUSE),
        (403, "Forbidden", Verdict.RETRY),
        (403, WEB_PAGE, Verdict.RETRY),
        (403, "a free value of standard quality", Verdict.RETRY),
        (471, "", Verdict.RETRY),
        *[(status, "Invalid interval: 7m", Verdict.ASKED_WRONGLY) for status in (400, 404, 410, 473, 476)],
        (429, "", Verdict.SLOW_DOWN),
        (474, "", Verdict.PAUSE),
        (571, "", Verdict.PAUSE),
        (478, "Invalid session ID.", Verdict.ABORT),
        *[(status, "Disconnected: ACCOUNT_ALREADY_CONNECTED\n", Verdict.ABORT) for status in (200, 403, 429, 474, 500)],
        (500, "Invalid session ID. This can occur if more than one terminal is running", Verdict.ABORT),
        (500, "<html>\nACCOUNT_ALREADY_CONNECTED</html>", Verdict.RETRY),
        (200, "symbol,expiration\nACCOUNT_ALREADY_CONNECTED", Verdict.SAVE),
        (570, "", Verdict.SPLIT),
        *[(status, "", Verdict.RETRY) for status in (470, 475, 477, 500, 502, 503, 572, 206, 302, 418)],
    ],
)
def test_what_an_answer_means(status: int, text: str, verdict: Verdict) -> None:
    """One row per status that is documented or was seen, and some that are neither."""
    assert judge(status, text) is verdict


@given(st.integers(), st.text())
def test_every_answer_has_a_meaning(status: int, text: str) -> None:
    """`judge` is total; only 200 leads to data, and what is not in the table may go away by itself."""
    verdict = judge(status, text)
    assert (verdict is Verdict.SAVE) <= (status == 200)
    if not 200 <= status < 600:
        assert verdict is Verdict.RETRY


def test_a_failed_attempt_means_what_its_answer_means() -> None:
    """Without an answer it may be tried again."""
    assert judge_error(TerminalAnswer(472, "No data")) is Verdict.EMPTY
    assert judge_error(TerminalAnswer(403, REFUSAL)) is Verdict.REFUSE
    assert judge_error(TransferFailed("gone", kind="cut")) is Verdict.RETRY
    assert judge_error(TransferFailed("sent, and dropped", kind="dropped")) is Verdict.RETRY
    assert judge_error(TransferFailed("nobody there", kind="unreachable")) is Verdict.WAIT
    assert judge_error(AttemptError("?")) is Verdict.RETRY


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        (REFUSAL, Tier.FREE),
        ("requires a professional subscription, you have a Standard subscription", Tier.STANDARD),
        ("The account currently has value access; standard is needed", Tier.VALUE),
        ("Current subscription: PROFESSIONAL", Tier.PRO),
        ("You only have a\nPRO subscription", Tier.PRO),
        ("requires a value subscription", None),
        ("You must have a value subscription", None),
        ("You do not have a value subscription", None),
        ("you have a freedom subscription", None),
        ("", None),
    ],
)
def test_a_refusal_may_name_the_tier_that_is_held(text: str, tier: Tier | None) -> None:
    """The held one, never the one that is needed."""
    assert tier_in(text) is tier


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("315360000", 315_360_000.0),
        ("Fri, 20 Nov 2026 12:02:00 GMT", 120.0),
        ("Fri, 20 Nov 2026 13:02:00 +0100", 120.0),
        ("Fri, 20 Nov 2026 12:02:00 -0000", 120.0),
        ("Fri, 20 Nov 2026 11:59:00 GMT", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        ("1e9", None),
        ("9" * 400, None),
        ("٣", None),
        ("Fri, 99 Nov 2026 12:02:00 GMT", None),
        ("Fri, 20 Nov 99999 12:02:00 GMT", None),
    ],
)
def test_retry_after_is_understood_in_both_forms(value: str, seconds: float | None) -> None:
    """Seconds or a date; a negative one, a past one and garbage are none."""
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_makes_trouble(value: str) -> None:
    """Whatever a server sends."""
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0


@given(st.timedeltas(timedelta(0), timedelta(days=4_000)))
def test_a_date_is_as_far_away_as_it_says(away: timedelta) -> None:
    """To the second, which is what the form can say."""
    at = NOW + away
    seconds = parse_retry_after(at.strftime("%a, %d %b %Y %H:%M:%S GMT"), NOW)
    assert seconds == int(away.total_seconds())

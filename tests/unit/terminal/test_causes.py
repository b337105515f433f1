"""What the Terminal's log says about it. The lines with a source are as seen live (thetadata-v3.md §1.5, §4)."""

import pytest

from thetabulk.model import Tier
from thetabulk.terminal.causes import Cause, Seen, after, blame, ended


def seen(*lines: str) -> Seen:
    known = Seen()
    for line in lines:
        known = after(known, line)
    return known


@pytest.mark.parametrize(
    ("line", "host", "port"),
    [
        ("Starting server at: http://0.0.0.0:25503/", "0.0.0.0", 25503),
        ("Starting server at http://127.0.0.1:25503/", "127.0.0.1", 25503),
        ("[2025-12-11 19:23:11] INFO  Starting server at: http://0.0.0.0:25504/", "0.0.0.0", 25504),
        ("Starting server at http://[::]:25503/", "[::]", 25503),
    ],
)
def test_both_forms_of_the_banner_are_read(line: str, host: str, port: int) -> None:
    """Builds differ in a colon; what they say may not be what they bind."""
    known = seen(line)
    assert (known.host, known.port, known.cause) == (host, port, None)


def test_the_entitlement_is_read_for_each_asset() -> None:
    """The banner is the authority on the subscription; other words than tiers are left out."""
    known = seen(
        "Subscriptions: Stock: STANDARD  Options: PROFESSIONAL  Index: FREE  Rate: FREE",
        "Max concurrent requests: 8",
    )
    assert known.tiers == {"stock": Tier.STANDARD, "option": Tier.PRO, "index": Tier.FREE, "rate": Tier.FREE}
    assert known.requests == 8
    assert seen("Subscriptions: Stock: PLATINUM  Options: VALUE").tiers == {"option": Tier.VALUE}
    assert seen("Subscriptions: none").tiers is None


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("Failed to start Theta Terminal server. Address 127.0.0.1:25503 already in use", Cause.PORT),
        ("java.net.BindException: Address already in use (Bind failed) 0.0.0.0:25503", Cause.PORT),
        ("[FPSS] Disconnected: ACCOUNT_ALREADY_CONNECTED", Cause.SESSION),
        ("Invalid session ID. This can occur if more than one terminal is running", Cause.SESSION),
        ("Disconnected: INVALID_CREDENTIALS", Cause.CREDENTIALS),
        ("login failed: SERVER_USER_DOES_NOT_EXIST", Cause.CREDENTIALS),
        ("reason FREE_ACCOUNT", Cause.CREDENTIALS),
        ("Wrong password", Cause.CREDENTIALS),
        ("Disconnected: TOO_MANY_REQUESTS", Cause.RATE),
        ('Exception in thread "main" java.lang.OutOfMemoryError: Java heap space', Cause.MEMORY),
        ("Subscriptions: Stock: FREE", None),
        ("SERVER_RESTARTING", None),
        ("CONNECTED", None),
    ],
)
def test_the_cause_in_a_line(line: str, cause: Cause | None) -> None:
    """A word that says nothing about a cause is none."""
    assert seen(line).cause is cause


def test_the_graver_cause_wins_whatever_comes_first() -> None:
    """A Terminal with wrong credentials may say several things; another login must not be tried."""
    lines = ("TOO_MANY_REQUESTS", "INVALID_CREDENTIALS", "java.net.BindException: Address already in use")
    assert seen(*lines).cause is Cause.CREDENTIALS
    assert seen(*reversed(lines)).cause is Cause.CREDENTIALS


def test_what_happened_is_explained_by_the_log_and_the_code() -> None:
    """The log first, then the code of a kernel short of memory, else what happened."""
    assert blame(Cause.EXIT, Seen(), 1) is Cause.EXIT
    assert blame(Cause.EXIT, Seen(), 137) is Cause.MEMORY
    assert blame(Cause.EXIT, Seen(), -9) is Cause.MEMORY
    assert blame(Cause.EXIT, Seen(), -15) is Cause.EXIT
    assert blame(Cause.HANG, Seen(cause=Cause.MEMORY)) is Cause.MEMORY
    assert blame(Cause.LATE, Seen(cause=Cause.SESSION)) is Cause.SESSION
    assert blame(Cause.ASKED, Seen(cause=Cause.SESSION)) is Cause.ASKED


def test_an_antivirus_that_opens_tls_gets_its_hint() -> None:
    """Seen at users' machines: Java does not trust what re-signs its connections."""
    assert "antivirus" in seen("sun.security.validator.ValidatorException: PKIX path building failed").hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "it exited with code 0"),
        (3, "it exited with code 3"),
        (-15, "it was ended by signal 15"),
        (None, "it ended"),
    ],
)
def test_how_it_ended_in_words(code: int | None, words: str) -> None:
    """None is no code: nobody could see it."""
    assert ended(code) == words

"""Why a Terminal is not well, read from what it logs, answers and exits with. Pure.

The vendor documents no log format. Every pattern says where its words were seen; words that nobody here has seen from
a live Terminal are marked so. They are only asked when the Terminal has exited or is not connected: a pattern that
matches too much restarts nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from thetabulk.model import Tier


class Cause(StrEnum):
    """What ended, or ends, the life of a Terminal. The order of the log's causes is who wins when several are seen."""

    CREDENTIALS = "bad-credentials"
    SESSION = "session-taken"
    PORT = "port-taken"
    MEMORY = "out-of-memory"
    RATE = "rate-limited"
    HANG = "hangs"
    LATE = "did-not-start"
    EXIT = "exited"
    ASKED = "asked"


_SAID = (
    # ThetaDataDx names these reasons of the vendor's servers and calls them permanent (reliability.md §5). The last
    # alternatives are plain English, not seen from a live Terminal.
    (Cause.CREDENTIALS, r"INVALID_(?:CREDENTIALS|LOGIN_VALUES|LOGIN_SIZE)|SERVER_USER_DOES_NOT_EXIST|\bFREE_ACCOUNT\b"),
    (Cause.CREDENTIALS, r"(?i:\b(?:invalid|wrong|bad|incorrect) (?:credentials|password|username|e-?mail))"),
    # Incident 1 (ACCOUNT_ALREADY_CONNECTED); "Invalid session ID" is the live text of status 478 (thetadata-v3.md §2).
    (Cause.SESSION, r"ACCOUNT_ALREADY_CONNECTED|Invalid session ID"),
    # Live: "Failed to start Theta Terminal server. Address 127.0.0.1:25503 already in use" (thetadata-v3.md §4.4);
    # incident 1: "java.net.BindException: Address already in use".
    (Cause.PORT, r"java\.net\.BindException|Address (?:\S+ )?already in use"),
    (Cause.MEMORY, r"java\.lang\.OutOfMemoryError|There is insufficient memory for the Java Runtime"),
    (Cause.RATE, r"\bTOO_MANY_REQUESTS\b"),  # a reason of the vendor's servers, as above
)  # fmt: skip
_CAUSES = tuple((cause, re.compile(pattern)) for cause, pattern in _SAID)

_BANNER = re.compile(r"Starting server at\W+(?:https?://)?(?P<host>\[[0-9a-fA-F:]+\]|[\w.]+):(?P<port>\d{1,5})\b")
"""Both live forms: `Starting server at: http://0.0.0.0:25503/` and `Starting server at http://127.0.0.1:25503/`."""

_SUBSCRIPTIONS = re.compile(r"\bSubscriptions:(?P<list>(?:\s*[A-Za-z]+:\s*[A-Za-z]+,?)+)")
_MOST_REQUESTS = re.compile(r"\bMax concurrent requests:\s*(?P<most>\d{1,3})\b")
"""Live: `Subscriptions: Stock: STANDARD  Options: PROFESSIONAL  Index: FREE  Rate: FREE` and `Max concurrent
requests: 8` (thetadata-v3.md §1.5: the authoritative entitlement)."""

_ASSETS = {"stock": "stock", "stocks": "stock", "option": "option", "options": "option", "index": "index",
           "indices": "index", "rate": "rate", "rates": "rate"}  # fmt: skip
_ENTITLEMENT = re.compile(r"([A-Za-z]+):\s*([A-Za-z]+)")
_DISTRUST = re.compile(r"PKIX path building failed|unable to find valid certification path")
_KILLED = (-9, 137)  # by the kernel: too little memory is by far the most likely reason (incident 1)
_JAVA_TOO_OLD = re.compile(r"UnsupportedClassVersionError")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a Terminal's log has said so far. `port` is where it says that it listens (it may say 127.0.0.1 and bind
    0.0.0.0), `tiers` and `requests` what its banner says that the account may do; None: not said."""

    cause: Cause | None = None
    host: str = ""
    port: int | None = None
    tiers: Mapping[str, Tier] | None = None
    requests: int | None = None
    hint: str = ""


def after(seen: Seen, line: str) -> Seen:
    """What is known after one more line."""
    for cause, pattern in _CAUSES:
        if pattern.search(line) and (seen.cause is None or _weight(cause) < _weight(seen.cause)):
            seen = replace(seen, cause=cause)
    if banner := _BANNER.search(line):
        seen = replace(seen, host=banner["host"], port=int(banner["port"]))
    if tiers := _tiers(line):
        seen = replace(seen, tiers=tiers)
    if most := _MOST_REQUESTS.search(line):
        seen = replace(seen, requests=int(most["most"]))
    if _DISTRUST.search(line):
        seen = replace(seen, hint="an antivirus program that opens TLS connections breaks Java's trust; except it")
    if _JAVA_TOO_OLD.search(line):
        seen = replace(seen, hint="the jar needs a newer Java: `thetabulk doctor` says which one is used")
    return seen


def pardoned(seen: Seen) -> Seen:
    """What counts of it once the Terminal is connected: whatever was in the way is not any more. Memory that has run
    out once stays a reason."""
    return seen if seen.cause is Cause.MEMORY else replace(seen, cause=None)


def blame(happened: Cause, seen: Seen, code: int | None = None) -> Cause:
    """The cause to act on: what happened (EXIT, HANG, LATE …), explained by the log and the exit code."""
    if happened is Cause.ASKED:
        return happened
    if seen.cause is not None:
        return seen.cause
    return Cause.MEMORY if happened is Cause.EXIT and code in _KILLED else happened


def ended(code: int | None) -> str:
    """How a process ended, in words; None is an end that nobody could see (it was not our child)."""
    if code is None:
        return "it ended"
    return f"it was ended by signal {-code}" if code < 0 else f"it exited with code {code}"


def _weight(cause: Cause) -> int:
    return list(Cause).index(cause)


def _tiers(line: str) -> dict[str, Tier]:
    """The tier of each asset that the banner names; a word that is no tier is left out."""
    found = _SUBSCRIPTIONS.search(line)
    tiers = {}
    for name, word in _ENTITLEMENT.findall(found["list"]) if found else ():
        if asset := _ASSETS.get(name.lower()):
            try:
                tiers[asset] = Tier.parse(word)
            except ValueError:
                continue
    return tiers

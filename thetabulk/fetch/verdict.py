"""One table says what answers mean. Pure.

Evidence per row: the status codes that the vendor documents, and which of them were seen live in v3
(thetadata-v3: "HTTP status codes"). Errors are plain text, never JSON.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from types import MappingProxyType

from thetabulk.errors import AttemptError, TerminalAnswer, TransferFailed
from thetabulk.model import Tier

NO_DATA_TEXT = "No data found for your request"


class Verdict(Enum):
    """What is to be done about an answer."""

    SAVE = "save"  # go on to the checks: the body decides, not the status
    EMPTY = "empty"  # no data is an answer, not a failure
    REFUSE = "refuse"  # not in this subscription: record the tier, do not ask again
    ASKED_WRONGLY = "asked-wrongly"  # our request is wrong: asking again cannot help
    SLOW_DOWN = "slow-down"  # fewer at a time, then again
    WAIT = "wait"  # nobody was there to be asked: no attempt at the day is used up by that
    PAUSE = "pause"  # the Terminal has no connection to the vendor: ask nothing until it has
    ABORT = "abort"  # another login took the session: stop asking and tell, never fight over it
    SPLIT = "split"  # too large: ask in parts, keep them only if all are valid
    RETRY = "retry"  # everything else may go away by itself


_BY_STATUS: Mapping[int, Verdict] = MappingProxyType({
    200: Verdict.SAVE,           # unless the whole body is the no-data text (395 "successes" of 30 bytes, incident 4)
    472: Verdict.EMPTY,          # live: holidays, before the history begins, below a floor
    403: Verdict.REFUSE,         # live: v3's way to say 471; only if the text says so, see `judge`
    471: Verdict.REFUSE,         # documented PERMISSION, not seen in v3
    400: Verdict.ASKED_WRONGLY,  # live: "Invalid interval", "Cannot specify '*'", "Too many days"
    404: Verdict.ASKED_WRONGLY,  # live: a path that does not exist, with an HTML body
    410: Verdict.ASKED_WRONGLY,  # live: every /v2 path and parameter name
    473: Verdict.ASKED_WRONGLY,  # documented INVALID_PARAMS, not seen (400 instead)
    476: Verdict.ASKED_WRONGLY,  # documented WRONG_IP: localhost and 127.0.0.1 in one Terminal life
    429: Verdict.SLOW_DOWN,      # live: the Terminal's queue of 16 overflowed
    474: Verdict.PAUSE,          # documented DISCONNECTED from the data servers
    571: Verdict.PAUSE,          # documented SERVER_STARTING
    478: Verdict.ABORT,          # live: "Invalid session ID": one session per account, the newer login wins
    570: Verdict.SPLIT,          # documented LARGE_REQUEST, not seen: days of 320 MB were served
    470: Verdict.RETRY,          # documented GENERAL, not seen
    475: Verdict.RETRY,          # documented TERMINAL_PARSE
    572: Verdict.RETRY,          # documented UNCAUGHT_ERROR
})  # fmt: skip

_SAYS_PERMISSION = re.compile(r"\b(subscriptions?|permissions?|tiers?|entitle\w*)\b", re.IGNORECASE)
_SAYS_SESSION = re.compile(r"\bACCOUNT_ALREADY_CONNECTED\b|\binvalid session id\b", re.IGNORECASE)
_HELD_TIER = re.compile(
    r"\b(?:you\s+have|only\s+ha(?:ve|s)|currently\s+ha(?:ve|s)|current\s+subscription(?:\s+is|:)?)"
    r"\s+(?:only\s+)?(?:an?\s+)?(free|value|standard|professional|pro)\b",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,6})?")


_LEARNED = {"empty": Verdict.EMPTY, "refused": Verdict.REFUSE}


def judge(status: int, text: str, means: str = "") -> Verdict:
    """The meaning of an answer, for every status there can be. `means` is what the vendor profile says of this very
    answer (fetch/learned.py): "empty", "refused", or "" where it says nothing.

    `text` is the body, or as much of it as was read. A 403 or 471 without the vendor's plain words about a
    subscription comes from something else on the way (a virus scanner, another program on the port): RETRY. Words
    about a session that was taken count whatever the status is (incident 1 knew them from the Terminal's log only).
    """
    if says_session_taken(text):
        return Verdict.ABORT
    if means:
        return _LEARNED[means]
    verdict = _BY_STATUS.get(status, Verdict.RETRY)
    if verdict is Verdict.REFUSE and not says_permission(text):
        return Verdict.RETRY
    if verdict is Verdict.SAVE and is_no_data(text):
        return Verdict.EMPTY
    return verdict


def judge_error(error: AttemptError) -> Verdict:
    """The meaning of a failed attempt: of its answer, if there was one. What found nobody to ask was never sent."""
    if isinstance(error, TerminalAnswer):
        return judge(error.status, error.text, error.means)
    free = isinstance(error, TransferFailed) and error.kind in ("unreachable", "slept")
    return Verdict.WAIT if free else Verdict.RETRY


def is_no_data(text: str) -> bool:
    """Is this whole body the vendor's no-data text, and nothing else?"""
    return text.strip().casefold() == NO_DATA_TEXT.casefold()


def says_session_taken(text: str) -> bool:
    """Do these plain words, one line of them, say that another login has the account's session?"""
    line = text.strip()
    return "\n" not in line and not line.startswith("<") and _SAYS_SESSION.search(line) is not None


def says_permission(text: str) -> bool:
    """Do these plain words speak of a subscription, tier or permission? A web page never counts."""
    return not text.lstrip().startswith("<") and _SAYS_PERMISSION.search(text) is not None


def tier_in(text: str) -> Tier | None:
    """The tier that the account holds, where a refusal names it: "you only have a FREE subscription"."""
    found = _HELD_TIER.search(text)
    return Tier.parse(found[1]) if found else None


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header, in seconds or as an HTTP date; `now` is aware. None for anything else.

    A date in the past is as useless as garbage. There is no upper bound here: the caller has one.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:  # "-0000": the zone is not known, the standard says UTC
        at = at.replace(tzinfo=UTC)
    try:
        seconds = (at - now).total_seconds()
    except OverflowError:
        return None
    return seconds if seconds >= 0 else None

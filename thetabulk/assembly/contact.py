"""First words with the Terminal: is it there, is it one, whose, and does it know the symbols?"""

import asyncio
import difflib
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from thetabulk.assembly import clock
from thetabulk.config import TerminalConfig, parse_tiers
from thetabulk.errors import BadAnswer, NotConnected, SessionTaken, TerminalUnavailable, TransferFailed, UsageError
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.fetcher import NOT_CONNECTED_HINT, SESSION_TAKEN_HINT
from thetabulk.fetch.verdict import Verdict, judge
from thetabulk.model import Request, Tier
from thetabulk.plan.datasets import symbols_request

STATUS = Request("/v3/terminal/mdds/status")
WORDS = ("CONNECTED", "DISCONNECTED", "UNVERIFIED", "ERROR")
_POLL_S = 0.5
_ANSWER_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Held:
    """The subscription that requests are made for; `assumed` until something has told it. `at_once` is what the account
    may have in flight, where that is known: a higher tier in another asset class counts for it."""

    tier: Tier
    assumed: bool
    at_once: int | None = None

    @property
    def requests(self) -> int:
        return self.at_once or self.tier.requests


def held_tier(config: TerminalConfig) -> Held:
    """The configured tier for options, else STANDARD, assumed."""
    found = parse_tiers(config.tier).get("option")
    return Held(found or Tier.STANDARD, found is None)


async def meet(
    client: Client, url: str, config: TerminalConfig, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = clock.monotonic,
    waiting: Callable[[TerminalUnavailable], None] = lambda problem: None,
) -> None:  # fmt: skip
    """Returns when the Terminal at the URL is connected.

    TerminalUnavailable if it is not there, not one, or not connected within `start_wait_s` (with `wait`: never, but
    `waiting` is told each time); SessionTaken if the account has no session there.
    """
    until = math.inf if config.wait else monotonic() + config.start_wait_s
    while True:
        problem = await _problem(client, url, min(_ANSWER_TIMEOUT_S, max(_POLL_S, until - monotonic())))
        if problem is None:
            return
        if monotonic() + _POLL_S > until:
            raise problem
        if config.wait:
            waiting(problem)
        await sleep(_POLL_S)


async def absence(client: Client, url: str) -> str:
    """What is wrong if the Terminal is not there, or not connected; else "". SessionTaken as in `meet`."""
    problem = await _problem(client, url, _ANSWER_TIMEOUT_S)
    return problem.what if problem else ""


async def _problem(client: Client, url: str, timeout_s: float) -> TerminalUnavailable | None:
    try:
        answer = await client.small(STATUS, timeout_s=timeout_s)
    except (TransferFailed, BadAnswer) as error:
        return no_answer(error, url)
    return status_problem(answer, url)


def no_answer(error: TransferFailed | BadAnswer, url: str) -> TerminalUnavailable:
    """What it means that the status could not be had."""
    if isinstance(error, TransferFailed) and error.kind == "unreachable":
        return TerminalUnavailable(
            f"no Theta Terminal answers at {url}",
            hint="start it (thetabulk terminal start; thetabulk doctor says what is missing), or try without one: "
            "thetabulk download QQQ --simulate",
        )
    return TerminalUnavailable(f"what answers at {url} is no Theta Terminal, or it is stuck: {error}")


def status_problem(answer: Answer, url: str) -> TerminalUnavailable | None:
    """What an answer to STATUS means: None if the Terminal can be asked. SessionTaken if it has no session."""
    word = answer.text.strip()
    if word == "UNVERIFIED":
        raise SessionTaken("the Terminal has no valid session (UNVERIFIED)", hint=SESSION_TAKEN_HINT)
    if judge(answer.status, word) is Verdict.ABORT:
        raise SessionTaken(f"the Terminal has no valid session ({word[:200]})", hint=SESSION_TAKEN_HINT)
    if answer.status == 429:
        return None  # alive, and busy: any answer is life, and data requests wait for their turn
    if word not in WORDS:
        return TerminalUnavailable(
            f"something else answers at {url} (HTTP {answer.status}), not a Theta Terminal v3",
            hint="is another program using the port? --url names another one",
        )
    if word != "CONNECTED":
        return NotConnected(
            f"the Terminal at {url} is {word}: it has lost the vendor's servers", hint=NOT_CONNECTED_HINT
        )  # fmt: skip
    return None


async def check_symbols(client: Client, symbols: Iterable[str]) -> str:
    """UsageError with the nearest names if the vendor lists no such symbol. Returns "" or, if the list could not be
    had, a sentence that says so: an unavailable list stops nothing."""
    try:
        answer = await client.small(symbols_request(), timeout_s=60)
    except (TransferFailed, BadAnswer) as error:
        return f"the vendor's list of symbols could not be had ({error})"
    listed = _symbols(answer)
    if not listed:
        return f"the vendor's list of symbols could not be had (HTTP {answer.status})"
    for symbol in symbols:
        if symbol not in listed:
            near = difflib.get_close_matches(symbol, listed, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "list/symbols of the Terminal has every name"
            raise UsageError(f"the vendor has no options of {symbol}", hint=hint)
    return ""


def _symbols(answer: Answer) -> list[str]:
    lines = [line.strip().strip('"') for line in answer.text.splitlines()]
    return lines[1:] if answer.status == 200 and lines[:1] == ["symbol"] else []

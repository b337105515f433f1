"""What the Terminal is asked: its status, and the golden request, for a known-good day that must return rows."""

import asyncio
from dataclasses import dataclass, replace

from thetabulk.assembly import contact
from thetabulk.config import Config, DoctorConfig
from thetabulk.errors import AccountError, BadAnswer, TerminalUnavailable, ThetabulkError, TransferFailed
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.verdict import Verdict, judge
from thetabulk.model import Request
from thetabulk.plan.datasets import dataset, probe_request

QUOTES = dataset("option/quote/1h")
_REPORTS = dataset("option/eod")
_STATUS_BYTES = 1 << 20
Reply = Answer | TransferFailed | BadAnswer


@dataclass(frozen=True, slots=True)
class Talk:
    """What was asked and answered. `trouble` is what is wrong with the status; `reached`: somebody took the connection;
    `foreign`: and is no Theta Terminal by what was said; `alive`: and is one, connected or not. `golden` and `reports`
    are the answers to the golden request, and to the same for end-of-day reports (asked if quotes are refused); None:
    not asked."""

    url: str
    trouble: ThetabulkError | None
    reached: bool = True
    foreign: bool = False
    alive: bool = False
    simulator: bool = False
    busy: bool = False
    golden: Reply | None = None
    reports: Reply | None = None


def talk(config: Config, url: str, *, golden: bool) -> Talk:
    """Asks; never raises for what the Terminal says or does not say."""
    return asyncio.run(_talk(config, url, golden=golden))


async def _talk(config: Config, url: str, *, golden: bool) -> Talk:
    settings = config.doctor
    async with Client(url, config.fetch) as client:
        try:
            answer = await client.small(contact.STATUS, limit_bytes=_STATUS_BYTES, timeout_s=settings.status_timeout_s)
        except (TransferFailed, BadAnswer) as error:
            unreachable = isinstance(error, TransferFailed) and error.kind == "unreachable"
            return Talk(url, contact.no_answer(error, url), reached=not unreachable)
        trouble = _trouble(answer, url)
        foreign = isinstance(trouble, TerminalUnavailable) and answer.text.strip() not in contact.WORDS
        said = Talk(
            url, trouble, foreign=foreign, alive=not foreign, simulator=client.simulator is not None,
            busy=answer.status == 429,
        )  # fmt: skip
        request = _golden_request(settings) if golden and trouble is None else None
        if request is None:
            return said
        found = await _ask(client, request, settings.golden_timeout_s)
        reports = None
        if isinstance(found, Answer) and judge(found.status, found.text) is Verdict.REFUSE:
            reports = await _ask(client, _golden_request(settings, reports=True) or request, settings.golden_timeout_s)
        return replace(said, golden=found, reports=reports)


async def _ask(client: Client, request: Request, timeout_s: float) -> Reply:
    try:
        return await client.small(request, timeout_s=timeout_s)
    except (TransferFailed, BadAnswer) as error:
        return error


def _trouble(answer: Answer, url: str) -> ThetabulkError | None:
    try:
        return contact.status_problem(answer, url)
    except AccountError as error:
        return error


def _golden_request(settings: DoctorConfig, *, reports: bool = False) -> Request | None:
    """None if the settings name no day."""
    if settings.golden_day is None or settings.golden_expiration is None:
        return None
    kind = _REPORTS if reports else QUOTES
    return probe_request(kind, settings.golden_symbol, settings.golden_day, settings.golden_expiration)

"""Small questions about a day: served, empty, refused, or nobody knows."""

from collections.abc import Mapping
from datetime import date
from typing import cast

import pytest

from tests.unit.fetch.raw_server import in_a_loop
from thetabulk.errors import BadAnswer, TransferFailed
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.prober import Prober
from thetabulk.model import Request

DAY = date(2024, 8, 2)
EXPIRATIONS, ROWS, CONTRACTS = "/expirations", "/rows", "/contracts"
LISTED = (200, 'symbol,expiration\n"QQQ","2024-07-19"\n"QQQ","2024-08-16"\n"QQQ","2024-08-02"\n')
SOME_ROWS = (200, "symbol,expiration\nQQQ,2024-08-02\n")
HEADER_ONLY = (200, "symbol,expiration\n")
NONE = (472, "No data found for your request")
REFUSAL = (403, "This requires a value subscription")
Told = tuple[int, str] | Exception


class Asked:
    """A client that answers by the path, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, Told]) -> None:
        self.answers = dict(answers)
        self.requests: list[str] = []

    async def small(self, request: Request, *, timeout_s: float) -> Answer:
        assert timeout_s > 0
        self.requests.append(request.text)
        told = self.answers[request.path]
        if isinstance(told, Exception):
            raise told
        return Answer(told[0], told[1].encode(), {}, 0.1)


def a_prober(rows: Told, contracts: Told = NONE, expirations: Told = LISTED) -> tuple[Prober, Asked]:
    asked = Asked({ROWS: rows, CONTRACTS: contracts, EXPIRATIONS: expirations})
    prober = Prober(
        cast(Client, asked), expirations=Request(EXPIRATIONS),
        one_expiration=lambda day, expiration: Request(ROWS, (("date", f"{day}"), ("expiration", f"{expiration}"))),
        contracts=lambda day: Request(CONTRACTS, (("date", f"{day}"),)),
    )  # fmt: skip
    return prober, asked


@pytest.mark.parametrize(
    ("rows", "contracts", "finding"),
    [
        (SOME_ROWS, NONE, "served"),
        (REFUSAL, SOME_ROWS, "refused"),
        (NONE, SOME_ROWS, "served"),
        (NONE, NONE, "empty"),
        (NONE, REFUSAL, "refused"),
        ((200, "No data found for your request"), NONE, "empty"),
        (NONE, HEADER_ONLY, "unknown"),
        (HEADER_ONLY, SOME_ROWS, "unknown"),
        ((200, "<html>\n<p>a proxy\n"), SOME_ROWS, "unknown"),
        ((200, ""), NONE, "unknown"),
        ((403, "blocked"), SOME_ROWS, "unknown"),
        ((400, "Invalid expiration"), SOME_ROWS, "unknown"),
        ((429, "busy"), SOME_ROWS, "unknown"),
        ((474, "disconnected"), SOME_ROWS, "unknown"),
        ((478, "session taken"), SOME_ROWS, "unknown"),
        ((500, "oops"), SOME_ROWS, "unknown"),
        (TransferFailed("nobody", kind="unreachable"), SOME_ROWS, "unknown"),
        (BadAnswer("too large", kind="oversize"), SOME_ROWS, "unknown"),
        (NONE, TransferFailed("stalled", kind="stalled"), "unknown"),
    ],
    ids=str,
)
@in_a_loop
async def test_only_clear_answers_count(rows: Told, contracts: Told, finding: str) -> None:
    """The data's own endpoint first, because a list may be served where data are not; a list has the last word about
    an expiration without rows. Everything else is unknown, and makes no boundary."""
    prober, _ = a_prober(rows, contracts)
    assert await prober.probe(DAY) == finding


@in_a_loop
async def test_one_expiration_is_asked_for_never_a_whole_day() -> None:
    """The first that had not expired: it is listed for weeks by then."""
    prober, asked = a_prober(SOME_ROWS)
    await prober.probe(date(2024, 7, 22))
    assert asked.requests[1:] == ["/rows?date=2024-07-22&expiration=2024-08-02"]


@in_a_loop
async def test_expirations_are_asked_for_once() -> None:
    """However many days are probed."""
    prober, asked = a_prober(SOME_ROWS)
    for _ in range(3):
        await prober.probe(DAY)
    assert asked.requests.count(EXPIRATIONS) == 1


@pytest.mark.parametrize(
    "expirations", [TransferFailed("cut", kind="cut"), REFUSAL, (200, "nonsense\n"), HEADER_ONLY], ids=str
)
@in_a_loop
async def test_without_expirations_the_list_of_contracts_decides(expirations: Told) -> None:
    """No answer about them is no answer about the day."""
    prober, asked = a_prober(REFUSAL, SOME_ROWS, expirations)
    assert await prober.probe(DAY) == "served"
    assert not [request for request in asked.requests if request.startswith(ROWS)]


@in_a_loop
async def test_expirations_that_were_not_to_be_had_are_asked_for_again() -> None:
    """The Terminal was away for a moment."""
    prober, asked = a_prober(REFUSAL, SOME_ROWS, TransferFailed("cut", kind="cut"))
    await prober.probe(DAY)
    asked.answers[EXPIRATIONS] = LISTED
    assert await prober.probe(DAY) == "refused"


@in_a_loop
async def test_a_day_after_every_expiration_is_asked_of_the_list() -> None:
    """There is no expiration to ask for."""
    prober, asked = a_prober(SOME_ROWS, NONE)
    assert await prober.probe(date(2030, 1, 2)) == "empty"
    assert asked.requests == [EXPIRATIONS, "/contracts?date=2030-01-02"]

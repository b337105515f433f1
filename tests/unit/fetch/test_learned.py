"""A vendor's own words for "no data" and "not in your subscription", once first contact has learned them."""

import asyncio
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fetch.raw_server import CHUNKED, END, Wire, answer, chunk, in_a_loop, serving, sized
from thetabulk.config import FetchConfig
from thetabulk.errors import TerminalAnswer, TransferFailed
from thetabulk.fetch.client import Client
from thetabulk.fetch.learned import Learned, plain
from thetabulk.fetch.verdict import Verdict, judge, judge_error
from thetabulk.model import Request

NOTHING = (200, "Nothing here for {symbol} on {date}")
BEYOND = (403, "{date} is beyond your plan")
LEARNED = Learned.of([NOTHING], [BEYOND])
ASKED = Request("/v3/option/history/quote", (("symbol", "QQQ"), ("date", "2024-08-03")))
SETTINGS = FetchConfig(batch_bytes=1_024)


@pytest.mark.parametrize(
    ("text", "symbol", "without"),
    [
        ("No QQQ on 2024-08-03.", "QQQ", "No {symbol} on {date}."),
        ("20240803 is closed ", "QQQ", "{date} is closed"),
        ("QQQM is not QQQ", "QQQ", "QQQM is not {symbol}"),
        ("Max 365 days, code 12345678", "", "Max 365 days, code 12345678"),
        ("Nothing", "", "Nothing"),
    ],
)
def test_what_differs_from_day_to_day_is_taken_out(text: str, symbol: str, without: str) -> None:
    """Dates in both forms, and the symbol as a word; other numbers belong to the answer."""
    assert plain(text, symbol) == without


@given(st.dates(), st.sampled_from(["QQQ", "SPXW", "A"]))
def test_every_day_and_symbol_is_the_same_answer(day: object, symbol: str) -> None:
    assert LEARNED.meaning(200, f"Nothing here for {symbol} on {day}\n", symbol) == "empty"
    assert LEARNED.meaning(403, f"{day} is beyond your plan", symbol) == "refused"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (472, "Nothing here for QQQ on 2024-08-03"),
        (200, "Nothing here for QQQ on 2024-08-03, or is there?"),
        (200, "Nothing here for SPY on 2024-08-03"),
        (200, ""),
        (403, "Forbidden"),
    ],
)
def test_only_the_whole_answer_is_learned(status: int, text: str) -> None:
    """Another status, another sentence, another symbol: nobody has learned what that means."""
    assert LEARNED.meaning(status, text, "QQQ") == ""


def test_the_learned_meaning_comes_before_the_table() -> None:
    """The table knows 400 as our mistake; this vendor says it of days before its history."""
    assert judge(400, "whatever", "empty") is Verdict.EMPTY
    assert judge(403, "whatever", "refused") is Verdict.REFUSE
    assert judge(400, "whatever") is Verdict.ASKED_WRONGLY
    assert judge_error(TerminalAnswer(403, "Beyond", means="refused")) is Verdict.REFUSE
    assert judge_error(TerminalAnswer(403, "Beyond")) is Verdict.RETRY


@in_a_loop
async def test_a_learned_text_with_200_is_never_fed() -> None:
    """It is an answer without data, not a body that has to be refused; a small one says what it means, too."""
    body = b"Nothing here for QQQ on 2024-08-03\n"
    fed: list[bytes] = []
    async with serving(answer(sized(body))) as server, Client(server.url, SETTINGS) as client:
        await client.stream(ASKED, fed.append)
        client.follow(LEARNED)
        with pytest.raises(TerminalAnswer) as caught:
            await client.stream(ASKED, fed.append)
        small = await client.small(ASKED)
    assert fed == [body]
    assert judge_error(caught.value) is Verdict.EMPTY
    assert (small.status, small.means) == (200, "empty")


@in_a_loop
async def test_a_longer_text_than_the_documented_one_is_heard_to_its_end() -> None:
    """The opening that is kept aside is as long as the longest learned answer."""
    body = ("There is nothing to be had " * 15).strip()
    learned = Learned.of([(200, body)], [])
    async with serving(answer(sized(body.encode()))) as server, Client(server.url, SETTINGS) as client:
        client.follow(learned)
        with pytest.raises(TerminalAnswer):
            await client.stream(ASKED, lambda batch: pytest.fail("fed"))


@in_a_loop
async def test_a_learned_status_says_what_it_means() -> None:
    """In the error of a stream."""
    body = b"2024-08-03 is beyond your plan"
    async with serving(answer(sized(body, "403 Forbidden"))) as server, Client(server.url, SETTINGS) as client:
        client.follow(LEARNED)
        with pytest.raises(TerminalAnswer) as caught:
            await client.stream(ASKED, lambda batch: None)
    assert judge_error(caught.value) is Verdict.REFUSE


@in_a_loop
async def test_patience_is_three_times_the_learned_first_byte() -> None:
    """A Terminal that was seen to think for longer than the time-out is not given up."""

    async def slow(wire: Wire) -> None:
        await asyncio.sleep(0.3)
        await answer(sized(b"rows\n"))(wire)

    impatient = FetchConfig(batch_bytes=1_024, first_byte_timeout_s=0.1)
    async with serving(slow) as server, Client(server.url, impatient) as client:
        with pytest.raises(TransferFailed, match="stalled"):
            await client.small(ASKED)
        client.follow(Learned(), first_byte_s=2.0)
        found = await client.small(ASKED)
    assert found.body == b"rows\n"
    assert 0.25 <= found.header_s <= found.first_byte_s <= found.seconds


@in_a_loop
async def test_header_and_first_byte_are_told_apart() -> None:
    """A Terminal may answer at once, and then think."""

    async def late(wire: Wire) -> None:
        await wire.send(CHUNKED)
        await asyncio.sleep(0.2)
        await wire.send(chunk(b"rows\n") + END)

    async with serving(late) as server, Client(server.url, SETTINGS) as client:
        found = await client.small(ASKED)
    assert found.first_byte_s - found.header_s >= 0.15


@in_a_loop
async def test_encodings_are_offered_only_to_see_what_comes_of_it() -> None:
    """A compressed body comes as it was sent; unasked it is refused."""
    packed = gzip.compress(b"rows\n")
    encoded = answer(sized(packed, "200 OK", "Content-Encoding: gzip"))
    async with serving(encoded) as server, Client(server.url, SETTINGS) as client:
        found = await client.small(ASKED, encodings="gzip")
        with pytest.raises(TransferFailed, match="encoded"):
            await client.small(ASKED)
    assert (found.headers["content-encoding"], gzip.decompress(found.body)) == ("gzip", b"rows\n")

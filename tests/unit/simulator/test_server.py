"""The wire: what comes back, and how the account's limits feel."""

import asyncio
import json
from collections.abc import Callable
from datetime import date

import pytest

from tests.unit.simulator.asking import CHAIN_DAY, CONTRACTS, DAY, EOD, INTEREST, QUOTE, asking
from thetabulk import __version__
from thetabulk.model import Tier
from thetabulk.simulator.endpoints import ENDPOINTS
from thetabulk.simulator.instruments import all_symbols
from thetabulk.simulator.server import HEADER

NO_DATA = "No data found for your request"


async def until(true: Callable[[], bool]) -> None:
    """Lets everyone else go on until something is the case."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  (nobody here can set an event)
            await asyncio.sleep(0)


async def test_data_are_chunked_and_say_where_they_come_from() -> None:
    """No length, CSV, and a header that no real Terminal sends."""
    async with asking(seed=7) as asker:
        reply = await asker.chain_day()
    assert reply.status == 200
    assert reply.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in reply.headers
    assert reply.headers["Content-Type"] == "text/csv"
    assert reply.headers[HEADER] == f"{__version__} seed=7"
    assert reply.lines[0] == ",".join(ENDPOINTS[QUOTE].columns)
    assert reply.text.endswith("\n")


async def test_the_contract_list_is_the_days_quotes() -> None:
    """The same set, in no order."""
    async with asking() as asker:
        quotes, contracts = await asker.chain_day(), await asker.get(CONTRACTS, symbol="QQQ", date=DAY)
    listed = [tuple(row[1:]) for row in contracts.rows]
    assert set(listed) == set(quotes.keys)
    assert len(listed) == len(set(listed))
    assert listed != sorted(listed)


async def test_both_line_formats_are_served() -> None:
    """Quoted with LF, or bare with CRLF; the final line end is there in both."""
    async with asking() as live, asking(line_format="spec") as spec:
        first, second = (await live.chain_day()).body, (await spec.chain_day()).body
    assert first.splitlines()[1].startswith(b'"QQQ","2024-08-02",')
    assert second.splitlines()[1].startswith(b"QQQ,2024-08-02,")
    assert second.count(b"\r\n") == first.count(b"\n")
    assert second.endswith(b"\r\n")


async def test_ndjson_tells_the_same_rows() -> None:
    """One object a row, with the columns' names."""
    async with asking() as asker:
        csv = await asker.chain_day()
        reply = await asker.chain_day(format="ndjson")
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in reply.lines]
    assert len(rows) == len(csv.rows)
    assert list(rows[0]) == list(ENDPOINTS[QUOTE].columns)
    assert [row["bid_size"] for row in rows] == [int(row[5]) for row in csv.rows]


@pytest.mark.parametrize(
    ("path", "params", "status", "text"),
    [
        (QUOTE, {"date": "2024-08-03"}, 472, NO_DATA),
        (QUOTE, {"date": "2024-07-04"}, 472, NO_DATA),
        (QUOTE, {"date": "2012-05-31"}, 472, NO_DATA),
        (QUOTE, {"date": "2030-01-02", "expiration": "2030-01-18"}, 472, NO_DATA),
        (QUOTE, {"symbol": "NOPE"}, 472, NO_DATA),
        (QUOTE, {"symbol": "AABA"}, 472, NO_DATA),
        (QUOTE, {"expiration": "2024-08-17"}, 472, NO_DATA),
        (QUOTE, {"strike": "1.000"}, 472, NO_DATA),
        (QUOTE, {"date": "2015-12-31"}, 403, "requiring a professional subscription"),
        (QUOTE, {"interval": "60000"}, 400, "Invalid interval: 60000"),
        (QUOTE, {"root": "QQQ"}, 410, "root -> symbol"),
        ("/v2/hist/option/quote", {}, 410, "We have upgraded to API v3"),
        ("/v3/option/list/contracts", {}, 404, "<html>"),
    ],
)
async def test_refusals_are_plain_text_with_the_live_codes(
    path: str, params: dict[str, str], status: int, text: str
) -> None:
    """472, 403, 400, 410 and a page for 404, each with its words; they too say who they are from."""
    async with asking() as asker:
        reply = await asker.get(path, **{**CHAIN_DAY, **params})
    assert reply.status == status
    assert text in reply.text
    assert reply.headers["Content-Type"].startswith("text/html" if status == 404 else "text/plain")
    assert HEADER in reply.headers


async def test_lists() -> None:
    """Symbols, expirations, strikes, days with data, and the calendar."""
    async with asking() as asker:
        symbols = await asker.get("/v3/option/list/symbols")
        expirations = await asker.get("/v3/option/list/expirations", symbol="QQQ,SPY")
        strikes = await asker.get("/v3/option/list/strikes", symbol="QQQ", expiration="2024-08-16")
        days = await asker.get("/v3/option/list/dates/quote", symbol="QQQ", expiration="2024-08-16")
        quotes = await asker.chain_day(expiration="2024-08-16")
        calendar = [
            await asker.get("/v3/calendar/today"),
            await asker.get("/v3/calendar/on_date", date="2024-12-25"),
            await asker.get("/v3/calendar/year_holidays", year="2024"),
        ]
        unknown = await asker.get("/v3/option/list/expirations", symbol="NOPE")
    assert [row[0] for row in symbols.rows] == list(all_symbols())
    assert {row[0] for row in expirations.rows} == {"QQQ", "SPY"}
    assert ["QQQ", "2012-06-16"] in expirations.rows
    assert {key[1] for key in quotes.keys} <= {row[1] for row in strikes.rows}
    assert [DAY] in days.rows
    assert days.rows[-1] == ["2024-08-16"]
    assert [reply.rows[0] for reply in calendar] == [
        ["open", "09:30:00", "16:00:00"], ["full_close", "", ""], ["2024-01-01", "full_close", "", ""],
    ]  # fmt: skip
    assert unknown.status == 472


async def test_max_dte_and_strike_range_select() -> None:
    """Near expirations, and the strikes around the spot; the list of contracts knows max_dte too."""
    async with asking() as asker:
        whole = await asker.chain_day()
        near = await asker.chain_day(max_dte=20)
        around = await asker.chain_day(strike_range=1)
        listed = await asker.get(CONTRACTS, symbol="QQQ", date=DAY, max_dte=20)
    assert set(near.keys) == {key for key in whole.keys if key[0] <= "2024-08-22"} < set(whole.keys)
    assert {tuple(row[1:]) for row in listed.rows} == set(near.keys)
    for expiration in {key[0] for key in around.keys}:
        assert 1 <= len({key[1] for key in around.keys if key[0] == expiration}) <= 3


async def test_a_hole_has_no_data_anywhere() -> None:
    """Neither quotes nor reports nor lists; its neighbours have."""
    holes = ((date(2024, 8, 1), date(2024, 8, 2)),)
    async with asking(holes=holes) as asker:
        missing = [
            await asker.chain_day(),
            await asker.get(EOD, symbol="QQQ", expiration="*", start_date=DAY, end_date=DAY),
            await asker.get(INTEREST, symbol="QQQ", expiration="*", date=DAY),
            await asker.get(CONTRACTS, symbol="QQQ", date=DAY),
        ]
        days = await asker.get("/v3/option/list/dates/quote", symbol="QQQ", expiration="2024-08-16")
        neighbour = await asker.chain_day(date="2024-08-05")
    assert [reply.status for reply in missing] == [472] * 4
    assert [DAY] not in days.rows
    assert neighbour.status == 200


async def test_status_calls_answer_whatever_goes_on() -> None:
    """CONNECTED, or what the test says; they are in the log like everything else."""
    async with asking(tier=Tier.FREE) as asker:
        assert (await asker.get("/v3/terminal/mdds/status")).text == "CONNECTED"
        asker.simulator.status = "UNVERIFIED"
        assert (await asker.get("/v3/terminal/fpss/status")).text == "UNVERIFIED"
        assert [(request.path, request.status) for request in asker.simulator.requests] == [
            ("/v3/terminal/mdds/status", 200), ("/v3/terminal/fpss/status", 200),
        ]  # fmt: skip


async def test_no_more_than_the_tier_allows_at_once_and_then_the_queue_and_then_429() -> None:
    """VALUE has 2 places; with a queue of 3 the sixth and seventh request are turned away."""
    async with asking("delay:seconds=0.1", tier=Tier.VALUE, queue=3) as asker:
        replies = await asyncio.gather(*(asker.chain_day(date=f"2024-08-{day:02}") for day in (1, 2, 5, 6, 7, 8, 9)))
        assert sorted(reply.status for reply in replies) == [200] * 5 + [429] * 2
        assert asker.simulator.peak_in_flight == 2
        assert asker.simulator.peak_waiting == 3
        assert asker.simulator.in_flight == 0
        assert (await asker.chain_day()).status == 200


async def test_lists_and_status_take_no_place() -> None:
    """While the only place is taken they answer at once."""
    async with asking("stall:at=0", places=1, queue=0) as asker:
        stalled = asyncio.create_task(asker.chain_day())
        await until(lambda: asker.simulator.in_flight == 1)
        assert (await asker.get(CONTRACTS, symbol="QQQ", date=DAY)).status == 200
        assert (await asker.get("/v3/terminal/mdds/status")).status == 200
        assert (await asker.get("/v3/calendar/today")).status == 200
        assert (await asker.chain_day(date="2024-08-01")).status == 429
        stalled.cancel()


async def test_a_client_that_goes_away_gives_its_place_back() -> None:
    """Whether it was being served or stood in the queue."""
    async with asking("stall:at=0,days=2024-08-02", places=1, queue=2) as asker:
        stalled = [asyncio.create_task(asker.chain_day()) for _ in range(2)]
        await until(lambda: asker.simulator.peak_waiting == 1)
        for task in stalled:
            task.cancel()
        assert (await asker.chain_day(date="2024-08-01")).status == 200


async def test_a_day_asked_again_comes_from_memory() -> None:
    """And is the same; part of it is another answer."""
    async with asking() as asker:
        first = await asker.chain_day()
        again = await asker.chain_day()
        calls = await asker.chain_day(right="call")
    assert first.body == again.body != calls.body


async def test_shutdown_says_ok_and_stops() -> None:
    """The call is unauthenticated, as in the real one."""
    async with asking() as asker:
        assert (await asker.get("/v3/terminal/shutdown")).text == "OK"
        await asyncio.wait_for(asker.simulator.stopped.wait(), 5)


async def test_a_long_answer_comes_in_pieces_and_whole() -> None:
    """Several megabytes, generated while they are sent, equal to the sum of their parts."""
    async with asking(tier=Tier.PRO) as asker:
        whole = await asker.chain_day(expiration="2024-08-16", interval="1s", end_time="12:00:00")
        parts = [await asker.chain_day(expiration="2024-08-16", strike=strike, interval="1s", end_time="12:00:00")
                 for strike in dict.fromkeys(key[1] for key in whole.keys)]  # fmt: skip
    assert len(whole.body) > 8 << 20
    assert whole.lines[1:] == [line for part in parts for line in part.lines[1:]]

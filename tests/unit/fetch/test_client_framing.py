"""What a client must not believe: the lying bodies of a raw server."""

import asyncio
import gzip

import pytest

from tests.unit.fetch.raw_server import (
    CHUNKED,
    END,
    RawServer,
    Script,
    Wire,
    answer,
    answer_and_close,
    chunk,
    head,
    in_a_loop,
    serving,
    sized,
)
from thetabulk.config import FetchConfig
from thetabulk.errors import BadAnswer, TerminalAnswer, TransferFailed
from thetabulk.fetch.client import Client, StreamInfo
from thetabulk.model import Request

DAY = Request("/v3/option/history/quote", (("symbol", "QQQ"), ("date", "20240802"), ("strike", "*")))
ROWS = b"".join(b"row %06d\n" % number for number in range(2_000))
IMPATIENT = FetchConfig(first_byte_timeout_s=0.25, idle_timeout_s=0.25, connect_timeout_s=1.0)


async def ask(raw: RawServer, settings: FetchConfig = IMPATIENT) -> tuple[bytes, StreamInfo]:
    """Stream one day; what was fed, and what is told about it."""
    fed: list[bytes] = []
    async with Client(raw.url, settings) as client:
        info = await client.stream(DAY, fed.append)
    return b"".join(fed), info


@in_a_loop
async def test_a_chunked_body_arrives_whole_and_in_order() -> None:
    """Every byte, in the order sent, however it is cut into chunks and pieces."""
    parts = [chunk(ROWS[at : at + 777]) for at in range(0, len(ROWS), 777)]
    async with serving(answer(CHUNKED, *parts, END)) as raw:
        fed, info = await ask(raw, FetchConfig(batch_bytes=1_024))
    assert fed == ROWS
    assert info.bytes == len(ROWS)
    assert info.headers["transfer-encoding"] == "chunked"
    assert 0 <= info.first_byte_s <= info.seconds


@in_a_loop
async def test_the_request_is_sent_as_it_is_recorded() -> None:
    """The wildcard stays a `*`, plain bytes are asked for, and the path is the recorded one."""
    async with serving(answer(sized(ROWS))) as raw:
        await ask(raw)
    assert raw.heads[0].startswith("GET /v3/option/history/quote?symbol=QQQ&date=20240802&strike=* HTTP/1.1\r\n")
    assert "Accept-Encoding: identity\r\n" in raw.heads[0]


CUT = {
    "in the middle of a chunk": (CHUNKED, chunk(ROWS)[:5_000]),
    "between two chunks": (CHUNKED, chunk(ROWS)),
    "before the last line end": (CHUNKED, chunk(ROWS), b"0\r\n"),
    "inside a chunk's length": (CHUNKED, chunk(ROWS), b"1f"),
    "with a length that is no number": (CHUNKED, chunk(ROWS), b"zz\r\nrow\r\n", END),
    "short of its length": (sized(ROWS)[:-1],),
}


@pytest.mark.parametrize("parts", CUT.values(), ids=CUT)
@in_a_loop
async def test_a_body_without_its_proper_end_is_cut(parts: tuple[bytes, ...]) -> None:
    """A cut stream never counts as complete."""
    async with serving(answer_and_close(*parts)) as raw:
        with pytest.raises(TransferFailed) as caught:
            await ask(raw)
    assert caught.value.kind == "cut"


@in_a_loop
async def test_a_reset_in_the_middle_is_a_cut() -> None:
    """RST after data began."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED, chunk(ROWS))
        await asyncio.sleep(0.02)
        wire.reset()

    async with serving(script) as raw:
        with pytest.raises(TransferFailed) as caught:
            await ask(raw)
    assert caught.value.kind == "cut"


PROTOCOL = {
    "ends with its connection": head() + ROWS,
    "HTTP/1.0": head().replace(b"1.1", b"1.0") + ROWS,
    "206": sized(ROWS, "206 Partial Content", "Content-Range: bytes 0-9/10"),
    "204": head("204 No Content"),
    "gzip": sized(gzip.compress(ROWS), "200 OK", "Content-Encoding: gzip"),
    "gzip, cut, with the length of the rest": sized(gzip.compress(ROWS)[:900], "200 OK", "Content-Encoding: gzip"),
    "redirect": sized(b"", "302 Found", "Location: http://192.0.2.1/"),
    "a header line of 20 kB": sized(ROWS, "200 OK", "X-Long: " + "x" * 20_000),
    "length and chunks": head("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked") + chunk(ROWS) + END,
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}


@pytest.mark.parametrize("parts", PROTOCOL.values(), ids=PROTOCOL)
@in_a_loop
async def test_an_odd_head_is_refused_before_its_body_is_believed(parts: bytes) -> None:
    """None of these comes from a healthy Terminal, and each was seen to pass for success."""
    fed: list[bytes] = []
    async with serving(answer_and_close(parts)) as raw, Client(raw.url, IMPATIENT) as client:
        with pytest.raises(TransferFailed) as caught:
            await client.stream(DAY, fed.append)
    assert caught.value.kind == "protocol"
    assert fed == []


@in_a_loop
async def test_a_redirect_is_not_followed() -> None:
    """One request only, and none to where the answer points."""
    async with serving(answer_and_close(sized(b""))) as other:
        redirect = sized(b"", "307 Temporary Redirect", f"Location: {other.url}/v3/list")
        async with serving(answer(redirect)) as raw, Client(raw.url, IMPATIENT) as client:
            with pytest.raises(TransferFailed, match="not followed"):
                await client.small(DAY)
        assert other.heads == []


@in_a_loop
async def test_bytes_beyond_the_length_never_reach_the_body_nor_the_next_answer() -> None:
    """The excess is dropped with its connection."""
    async with serving(answer(sized(ROWS) + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")) as raw:
        async with Client(raw.url, IMPATIENT) as client:
            for _ in range(2):
                fed: list[bytes] = []
                await client.stream(DAY, fed.append)
                assert b"".join(fed) == ROWS
    assert raw.connections == 2


@in_a_loop
async def test_a_close_delimited_body_is_taken_where_settings_allow_it() -> None:
    """Then the checks of the store are all there is."""
    async with serving(answer_and_close(head() + ROWS)) as raw:
        fed, _ = await ask(raw, FetchConfig(allow_close_delimited=True))
    assert fed == ROWS


@in_a_loop
async def test_a_web_page_with_status_200_goes_to_the_checks() -> None:
    """The body decides, not the content type: a Terminal's is not documented."""
    page = b"<html><body>captive portal</body></html>"
    async with serving(answer(sized(page, "200 OK", "Content-Type: text/html"))) as raw:
        fed, _ = await ask(raw)
    assert fed == page


@in_a_loop
async def test_a_body_without_end_stops_at_the_ceiling() -> None:
    """Also when its length is announced."""

    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED)
        while True:
            await wire.send(chunk(ROWS))

    scripts: list[Script] = [endless, answer(sized(ROWS))]
    for script in scripts:
        async with serving(script) as raw:
            with pytest.raises(BadAnswer) as caught:
                await ask(raw, FetchConfig(body_ceiling_bytes=10_000))
        assert caught.value.kind == "oversize"


async def _stall_after_the_head(wire: Wire) -> None:
    await wire.request()
    await wire.send(CHUNKED)
    await wire.until_the_client_goes()


async def _stall_before_the_head(wire: Wire) -> None:
    await wire.request()
    await wire.until_the_client_goes()


async def _stall_in_the_middle(wire: Wire) -> None:
    await wire.request()
    await wire.send(CHUNKED, chunk(ROWS))
    await wire.until_the_client_goes()


async def _drip(wire: Wire) -> None:
    await wire.request()
    await wire.send(CHUNKED)
    while True:
        await wire.send(chunk(b"x"))
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [_stall_before_the_head, _stall_after_the_head, _stall_in_the_middle, _drip])
@in_a_loop
async def test_a_stream_that_stands_still_or_drips_is_stalled(script: Script) -> None:
    """No total time-out is needed for every stream to end."""
    async with serving(script) as raw:
        with pytest.raises(TransferFailed) as caught:
            await ask(raw)
    assert caught.value.kind == "stalled"


@in_a_loop
async def test_a_slow_parser_is_not_a_stalled_terminal() -> None:
    """Time spent waiting for `feed` is not the Terminal's."""
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    fed: list[bytes] = []

    def slow(batch: bytes) -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
        fed.append(batch)

    async with serving(answer(CHUNKED, chunk(ROWS), chunk(ROWS), END)) as raw:
        settings = FetchConfig(first_byte_timeout_s=0.1, idle_timeout_s=0.1, batch_bytes=1_024)
        async with Client(raw.url, settings) as client:
            loop.call_later(0.3, gate.set)
            await client.stream(DAY, slow)
    assert b"".join(fed) == ROWS + ROWS


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@in_a_loop
async def test_a_connection_dropped_before_a_status_is_told_and_asked_once(reset: bool) -> None:
    """aiohttp would send it again by itself; here only the retry ring does."""

    async def script(wire: Wire) -> None:
        await wire.request()
        if reset:
            wire.reset()

    async with serving(script) as raw:
        with pytest.raises(TransferFailed) as caught:
            await ask(raw)
    assert caught.value.kind == "dropped"
    assert len(raw.heads) == 1


@in_a_loop
async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """Connection refused."""
    async with serving(answer()) as raw:
        pass
    with pytest.raises(TransferFailed) as caught:
        await ask(raw)
    assert caught.value.kind == "unreachable"


@in_a_loop
async def test_connections_are_kept_and_used_again() -> None:
    """Asked to close, Jetty may end a body with its connection."""
    async with serving(answer(CHUNKED, chunk(ROWS), END)) as raw, Client(raw.url, IMPATIENT) as client:
        for _ in range(3):
            await client.stream(DAY, lambda batch: None)
    assert raw.connections == 1


@in_a_loop
async def test_the_text_of_an_error_is_bounded_and_needs_no_proper_end() -> None:
    """A 500 with an endless or cut text is still a 500."""

    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(head("500 Oops", "Transfer-Encoding: chunked"))
        while True:
            await wire.send(chunk(b"Internal server error " * 100))

    cut = answer_and_close(head("429 Busy", "Content-Length: 900", "Retry-After: 7") + b"Too many")
    for script, status in ((endless, 500), (cut, 429)):
        async with serving(script) as raw:
            with pytest.raises(TerminalAnswer) as caught:
                await ask(raw)
        assert caught.value.status == status
        assert 0 < len(caught.value.text) <= 4_096
    assert caught.value.retry_after == "7"
    assert caught.value.path == DAY.text

"""The client's promises about statuses, exceptions, feeding and cancelling."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from aioresponses import aioresponses

from tests.unit.fetch.raw_server import CHUNKED, END, Wire, answer, chunk, in_a_loop, serving, sized
from thetabulk.config import FetchConfig
from thetabulk.errors import BadAnswer, TerminalAnswer, TransferFailed
from thetabulk.fetch.client import Client, _ending_with_its_connection, first_byte_timeout_s, translate
from thetabulk.model import Request

_MODULES = (aiohttp, client_exceptions, http_exceptions)
URL = "http://127.0.0.1:25503"
LIST = Request("/v3/option/list/symbols")
ROWS = b"row\n" * 1_000
SETTINGS = FetchConfig(batch_bytes=1_024)


@pytest.fixture
def terminal() -> Iterator[aioresponses]:
    """A Terminal made of canned answers."""
    with aioresponses() as canned:
        yield canned


def say(terminal: aioresponses, status: int, text: str, **headers: str) -> None:
    """Answer the next request for the list like this."""
    sent = {"Content-Length": str(len(text)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    terminal.get(URL + LIST.text, status=status, body=text, headers=sent)


@in_a_loop
async def test_small_raises_for_no_status(terminal: aioresponses) -> None:
    """Whoever probes wants to know what was said, whatever it was."""
    async with Client(URL, SETTINGS) as client:
        for status in (200, 400, 403, 404, 429, 472, 474, 478, 500, 571):
            say(terminal, status, f"text of {status}", X_Some="thing")
            got = await client.small(LIST)
            assert (got.status, got.text, got.headers["x-some"]) == (status, f"text of {status}", "thing")
            assert got.seconds >= 0


@in_a_loop
async def test_stream_raises_what_the_terminal_says(terminal: aioresponses) -> None:
    """Status, text, Retry-After and the request are all in the error."""
    say(terminal, 429, "Too many requests", Retry_After="12")
    async with Client(URL, SETTINGS) as client:
        with pytest.raises(TerminalAnswer) as caught:
            await client.stream(LIST, lambda batch: None)
    error = caught.value
    assert (error.status, error.text, error.retry_after, error.path) == (429, "Too many requests", "12", LIST.text)


@pytest.mark.parametrize("text", ["No data found for your request", "\r\nno data found for your request \n"])
@in_a_loop
async def test_a_200_that_is_the_no_data_text_is_never_fed(terminal: aioresponses, text: str) -> None:
    """395 "successes" of 30 bytes were once counted."""
    fed: list[bytes] = []
    say(terminal, 200, text)
    async with Client(URL, SETTINGS) as client:
        with pytest.raises(TerminalAnswer) as caught:
            await client.stream(LIST, fed.append)
    assert (caught.value.status, caught.value.text) == (200, text)
    assert fed == []


@in_a_loop
async def test_other_short_bodies_are_fed(terminal: aioresponses) -> None:
    """A header line without rows is for the checks to refuse."""
    fed: list[bytes] = []
    say(terminal, 200, "symbol,date\r\n")
    async with Client(URL, SETTINGS) as client:
        assert (await client.stream(LIST, fed.append)).bytes == 13
    assert fed == [b"symbol,date\r\n"]


@in_a_loop
async def test_an_empty_body_feeds_nothing(terminal: aioresponses) -> None:
    """And is told as 0 bytes."""
    say(terminal, 200, "")
    async with Client(URL, SETTINGS) as client:
        info = await client.stream(LIST, lambda batch: pytest.fail("fed"))
    assert info.bytes == 0


@in_a_loop
async def test_the_simulator_is_known_by_its_header(terminal: aioresponses) -> None:
    """From any answer, of any status; a Terminal has none."""
    async with Client(URL, SETTINGS) as client:
        assert (client.answered, client.simulator) == (False, None)
        say(terminal, 472, "No data", X_Thetabulk_Simulator="1")
        await client.small(LIST)
        assert (client.answered, client.simulator) == (True, "1")
        say(terminal, 200, "CONNECTED")
        await client.small(LIST)
        assert (client.answered, client.simulator) == (True, None)


@in_a_loop
async def test_small_has_a_ceiling_and_a_timeout() -> None:
    """Neither a large nor a late answer is waited for to its end."""

    async def late(wire: Wire) -> None:
        await wire.request()
        await wire.until_the_client_goes()

    async with serving(answer(sized(ROWS))) as raw, Client(raw.url, SETTINGS) as client:
        with pytest.raises(BadAnswer) as large:
            await client.small(LIST, limit_bytes=100)
    async with serving(late) as raw, Client(raw.url, SETTINGS) as client:
        with pytest.raises(TransferFailed) as stalled:
            await client.small(LIST, timeout_s=0.05)
    assert (large.value.kind, stalled.value.kind) == ("oversize", "stalled")


def _exception_classes() -> list[type[BaseException]]:
    """Every exception class of the library's client side, but for those of web sockets and of multipart bodies."""
    found = {kind for module in _MODULES for _, kind in inspect.getmembers(module, inspect.isclass)}
    foreign = {kind for kind in found if issubclass(kind, Exception) and kind.__module__.startswith("aiohttp")}
    others = {kind for kind in foreign if kind.__name__.startswith(("WSMessage", "WebSocket", "BadContentDisposition"))}
    own = {OSError, ConnectionResetError, BrokenPipeError, TimeoutError, asyncio.IncompleteReadError}
    return sorted((foreign - others) | own, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", _exception_classes(), ids=lambda kind: kind.__name__)
@in_a_loop
async def test_no_exception_of_the_library_slips_through(terminal: aioresponses, kind: type[BaseException]) -> None:
    """Whatever class aiohttp may raise, a caller sees a TransferFailed."""
    error = kind.__new__(kind)
    if isinstance(error, Exception) and kind.__str__ not in (Exception.__str__, OSError.__str__):
        kind = type(kind.__name__, (kind,), {"__str__": lambda self: "made without its arguments"})
        error = kind.__new__(kind)
    terminal.get(URL + LIST.text, exception=error)
    async with Client(URL, SETTINGS) as client:
        with pytest.raises(TransferFailed) as caught:
            await client.stream(LIST, lambda batch: None)
    assert caught.value.kind in {"unreachable", "dropped", "cut", "stalled", "protocol"}
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (aiohttp.ServerDisconnectedError(), "dropped", "cut"),
        (ConnectionResetError(104, "reset"), "dropped", "cut"),
        (aiohttp.ClientOSError(104, "reset"), "dropped", "cut"),
        (aiohttp.ConnectionTimeoutError("connecting"), "unreachable", "unreachable"),
        (TimeoutError("no byte"), "stalled", "stalled"),
        (aiohttp.ClientPayloadError("short"), "dropped", "cut"),
        (aiohttp.InvalidURL("http://"), "protocol", "protocol"),
        (http_exceptions.BadStatusLine("SSH-2.0"), "protocol", "protocol"),
    ],
)
def test_what_failed_depends_on_whether_there_was_an_answer(error: Exception, before: str, after: str) -> None:
    """Dropped before a status counts for the breaker, dropped in the body does not."""
    assert translate(error, answered=False).kind == before
    assert translate(error, answered=True).kind == after


@in_a_loop
async def test_feed_runs_in_a_worker_thread_one_batch_at_a_time() -> None:
    """In order, never two at once, in batches of at least the size asked for."""
    sizes: list[int] = []
    busy = threading.Lock()

    def feed(batch: bytes) -> None:
        assert threading.current_thread() is not threading.main_thread()
        assert busy.acquire(blocking=False)
        sizes.append(len(batch))
        busy.release()

    received: list[int] = []
    async with serving(answer(CHUNKED, *[chunk(ROWS[:700])] * 40, END)) as raw, Client(raw.url, SETTINGS) as client:
        info = await client.stream(LIST, feed, on_bytes=received.append)
    assert sum(sizes) == sum(received) == info.bytes == 28_000
    assert all(size >= 1_024 for size in sizes[:-1])


@in_a_loop
async def test_what_feed_raises_ends_the_stream_and_its_connection() -> None:
    """A body that is wrong in its first batch is not downloaded to its end."""

    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED)
        while True:
            await wire.send(chunk(ROWS))

    def feed(batch: bytes) -> None:
        raise BadAnswer("not our header", kind="header")

    async with serving(endless) as raw, Client(raw.url, SETTINGS) as client:
        for _ in range(2):
            with pytest.raises(BadAnswer, match="not our header"):
                await client.stream(LIST, feed)
        assert raw.connections == 2


@in_a_loop
async def test_what_feed_raises_for_the_last_batch_is_not_lost() -> None:
    """Nor where the body was cut after it."""

    def feed(batch: bytes) -> None:
        raise BadAnswer("not our header", kind="header")

    async def cut(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED, chunk(ROWS))
        await asyncio.sleep(0.02)

    for script in (answer(sized(ROWS)), cut):
        async with serving(script) as raw, Client(raw.url, SETTINGS) as client:
            with pytest.raises(BadAnswer, match="not our header"):
                await client.stream(LIST, feed)


@in_a_loop
async def test_cancelling_waits_for_the_running_job() -> None:
    """Nobody closes a file under a writer; not even when cancelled twice."""
    entered, leave = threading.Event(), threading.Event()
    left: list[str] = []

    def feed(batch: bytes) -> None:
        entered.set()
        leave.wait(5)
        left.append("job")

    async def stalls(wire: Wire) -> None:
        await wire.request()
        await wire.send(CHUNKED, chunk(ROWS))
        await wire.until_the_client_goes()

    async with serving(stalls) as raw, Client(raw.url, SETTINGS) as client:
        task = asyncio.create_task(client.stream(LIST, feed))
        task.add_done_callback(lambda done: left.append("stream"))
        await asyncio.to_thread(entered.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        assert not task.done()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
    assert left == ["job", "stream"]


def test_a_body_whose_connection_was_gone_before_anybody_looked_fails() -> None:
    """aiohttp would let its reader wait for ever; a body that has ended is left alone."""
    for ended in (False, True):
        content = Mock(is_eof=Mock(return_value=ended), exception=Mock(return_value=None))
        response = Mock(content=content, connection=Mock(protocol=Mock(closed=None)))
        with _ending_with_its_connection(response):
            assert content.set_exception.called is not ended


@in_a_loop
async def test_a_client_is_used_inside_its_block_only() -> None:
    """Anything else is a mistake of ours, told at once."""
    with pytest.raises(RuntimeError, match="async with"):
        await Client(URL, SETTINGS).small(LIST)


def test_patience_for_the_first_byte_is_learned() -> None:
    """Three times the 99th percentile, never below the setting, and not from a handful of answers."""
    assert first_byte_timeout_s([500.0] * 19, 900.0) == 900.0
    assert first_byte_timeout_s([500.0] * 20, 900.0) == 1_500.0
    assert first_byte_timeout_s([1.0] * 400 + [800.0], 900.0) == 900.0

"""One GET to the Terminal, streamed. The only file that knows aiohttp: its exceptions become ours here.

What an HTTP library lets through as success is refused here, because each was seen to pass (raw server, 18 bodies):
bodies that end with their connection, compressed ones, a 206 nobody asked for, bodies without end, redirects.
Content is not judged: the Terminal's content types are not documented, and the checks of the store see every byte.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError
from yarl import URL

from thetabulk.config import FetchConfig
from thetabulk.errors import BadAnswer, ShardError, TerminalAnswer, TransferFailed
from thetabulk.fetch.allocator import tune_allocator
from thetabulk.fetch.feeder import Feeder
from thetabulk.fetch.learned import Learned
from thetabulk.fetch.verdict import Verdict, judge
from thetabulk.model import Request

SIMULATOR_HEADER = "X-Thetabulk-Simulator"
_ERROR_TEXT_BYTES = 4_096
_NO_DATA_BYTES = 200  # a body up to this size may be the no-data text under status 200
_KEEP_ALIVE_S = 5.0  # well below Jetty's 30 s, so that we rarely write into a connection that is just being closed
_FIRST_BYTES_KEPT = 500

_FOREIGN = (aiohttp.ClientError, HttpProcessingError, aiohttp.EofStream, OSError, EOFError)
_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (  # the first that fits
    ((aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError), "unreachable"),
    ((aiohttp.ServerTimeoutError, TimeoutError), "stalled"),
    ((aiohttp.ClientPayloadError, PayloadEncodingError, aiohttp.EofStream, EOFError), "cut"),
    ((aiohttp.ServerFingerprintMismatch,), "protocol"),
    ((aiohttp.ClientConnectionError,), "cut"),
    ((aiohttp.ClientError, HttpProcessingError), "protocol"),
    ((OSError,), "cut"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole small answer, of any status; header names in lower case. From asking it took `header_s` to the status
    line, `first_byte_s` to the first byte of the body, `seconds` to the last. `means` is what the vendor profile has
    learned of this answer: "empty", "refused", or ""."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float
    header_s: float = 0.0
    first_byte_s: float = 0.0
    means: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A whole 200 body has been fed: how many bytes, and when the first and the last of them came."""

    status: int
    bytes: int
    first_byte_s: float
    seconds: float
    headers: Mapping[str, str]


def first_byte_timeout_s(seen_s: Collection[float], floor_s: float) -> float:
    """The floor or three times the 99th percentile of what was seen lately, whichever is longer."""
    if len(seen_s) < 20:
        return floor_s
    return max(floor_s, 3 * sorted(seen_s)[int(len(seen_s) * 0.99)])


def translate(error: BaseException, *, answered: bool) -> TransferFailed:
    """A foreign exception as ours. `unreachable`: nobody was there to be asked; `dropped`: the request was sent, and
    the connection ended before any status came. The breaker counts both."""
    kind = next(kind for types, kind in _KINDS if isinstance(error, types))
    if kind == "cut" and not answered:
        kind = "dropped"
    return TransferFailed(f"{kind}: {str(error) or type(error).__name__}", kind=kind)


@contextmanager
def _translated(*, answered: bool) -> Iterator[None]:
    try:
        yield
    except _FOREIGN as error:
        raise translate(error, answered=answered) from error


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET again by itself, at once and unseen, when its connection is dropped.

    That would be twice the load on a Terminal that drops connections because of load (aiohttp 3.14, client.py,
    `retry_persistent_connection`, also on fresh connections). It tries again for its own exceptions only.
    """
    with _translated(answered=False):
        return await handler(request)


class Client:
    """Asks one Terminal. `async with Client(url, settings) as client:`; `url` as `check_url` gives it.

    `answered` tells whether there was any HTTP answer yet, `simulator` how the last one marked itself: None for a
    Terminal. The number of connections is not limited here; that is the gate's business.
    """

    def __init__(self, url: str, settings: FetchConfig) -> None:
        self._url = url
        self._settings = settings
        self._first_bytes_s: deque[float] = deque(maxlen=_FIRST_BYTES_KEPT)
        self._session: aiohttp.ClientSession | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._learned = Learned()
        self._first_byte_floor_s = settings.first_byte_timeout_s
        self.answered = False
        self.simulator: str | None = None

    async def __aenter__(self) -> Self:
        tune_allocator()
        self._executor = ThreadPoolExecutor(max(4, self._settings.workers_max), thread_name_prefix="feed")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            # Kept alive on purpose: asked to close, Jetty may end a body with its connection instead of chunking it.
            headers={"Accept-Encoding": "identity", "User-Agent": "thetabulk"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_send_once,),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, executor = self._open()
        await session.close()
        executor.shutdown(wait=False)  # nothing runs any more: every stream has waited for its job

    def follow(self, learned: Learned, *, first_byte_s: float = 0.0) -> None:
        """From now on answers mean what the vendor profile has `learned`, and nobody is given up before three times
        the first byte's time that it saw."""
        self._learned = learned
        self._first_byte_floor_s = max(self._settings.first_byte_timeout_s, 3 * first_byte_s)

    async def small(
        self, request: Request, *, limit_bytes: int = 16 << 20, timeout_s: float | None = None, encodings: str = ""
    ) -> Answer:
        """A whole small answer in memory: lists, status, probes. Never raises for a status.

        `encodings` are offered as `Accept-Encoding`, to see what comes of it; the body is then as it was sent.
        Raises TransferFailed, also when `timeout_s` is over, and BadAnswer for a body above `limit_bytes`.
        """
        with _translated(answered=True):
            async with asyncio.timeout(timeout_s), self._get(request, limit_bytes, encodings) as reading:
                pieces = []
                while piece := await reading.more():
                    pieces.append(piece)
                body, seconds = b"".join(pieces), reading.seconds
                means = self._meaning(request, reading.status, body) if len(body) <= _ERROR_TEXT_BYTES else ""
                return Answer(
                    reading.status, body, reading.headers, seconds, reading.header_s, reading.first_byte_s, means
                )

    async def stream(
        self, request: Request, feed: Callable[[bytes], None], *, on_bytes: Callable[[int], None] = lambda count: None
    ) -> StreamInfo:
        """Give a whole 200 body to `feed`, in batches and in order, from a worker thread.

        `on_bytes` gets the size of every piece as it comes, in the event loop.
        Raises TerminalAnswer for every other status, and for a 200 that is nothing but the vendor's words (no data, a
        lost session); TransferFailed if the body did not come to its proper end; BadAnswer above the byte ceiling; and
        whatever `feed` raises.
        Nothing of a body counts until this has returned. A cancellation waits for the running `feed`.
        """
        _, executor = self._open()
        async with self._get(request, self._settings.body_ceiling_bytes) as reading:
            if reading.status != 200:
                raise await self._terminal_answer(reading, request)
            opening = b""
            text_bytes = max(_NO_DATA_BYTES, self._learned.longest_bytes)
            batch_bytes = max(self._settings.batch_bytes, text_bytes + 1)
            async with Feeder(feed, batch_bytes, executor) as feeder:
                while piece := await reading.more():
                    on_bytes(len(piece))
                    if reading.received <= text_bytes:
                        opening += piece
                    await feeder.add(piece)
                if reading.received <= text_bytes:
                    text, means = opening.decode("utf-8", "replace"), self._meaning(request, 200, opening)
                    if judge(200, text, means) is not Verdict.SAVE:
                        raise TerminalAnswer(200, text, path=request.text, means=means)
                await feeder.finish()
            self._first_bytes_s.append(reading.first_byte_s)
            return StreamInfo(200, reading.received, reading.first_byte_s, reading.seconds, reading.headers)

    def _open(self) -> tuple[aiohttp.ClientSession, ThreadPoolExecutor]:
        if self._session is None or self._executor is None:
            raise RuntimeError("the client is used outside of its `async with`")
        return self._session, self._executor

    def _meaning(self, request: Request, status: int, body: bytes) -> str:
        return self._learned.meaning(status, body.decode("utf-8", "replace"), dict(request.params).get("symbol", ""))

    async def _terminal_answer(self, reading: "_Reading", request: Request) -> TerminalAnswer:
        retry_after, text = reading.headers.get("retry-after", ""), await reading.some_text()
        means = self._meaning(request, reading.status, text.encode())
        return TerminalAnswer(reading.status, text, retry_after=retry_after, path=request.text, means=means)

    @asynccontextmanager
    async def _get(
        self, request: Request, ceiling_bytes: int, encodings: str = ""
    ) -> AsyncIterator["_Reading"]:  # fmt: skip
        session, _ = self._open()
        url = URL(f"{self._url}/{request.text.lstrip('/')}", encoded=True)
        started = asyncio.get_running_loop().time()
        patience_s = first_byte_timeout_s(self._first_bytes_s, self._first_byte_floor_s)
        headers = {"Accept-Encoding": encodings} if encodings else None
        with _translated(answered=False):
            async with asyncio.timeout(patience_s):
                response = await session.get(url, allow_redirects=False, headers=headers)
        try:
            self.answered = True
            self.simulator = response.headers.get(SIMULATOR_HEADER)
            _refuse_odd_heads(response, self._settings, ceiling_bytes, encoded=bool(encodings))
            with _ending_with_its_connection(response):
                yield _Reading(response, self._settings, ceiling_bytes, started, patience_s)
        finally:
            response.close()  # a connection whose body came to its end is back in the pool already


class _Reading:
    """The body of one answer, with patience: for the first byte, then for so many bytes per idle time-out.

    Only time spent waiting for the Terminal counts; while the parser is behind, nobody is stalled but us.
    """

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        settings: FetchConfig,
        ceiling_bytes: int,
        started: float,
        patience_s: float,
    ) -> None:
        self._content = response.content
        self._settings = settings
        self._ceiling_bytes = ceiling_bytes
        self._loop = asyncio.get_running_loop()
        self._started = started
        self.header_s = self.seconds
        self._left_s = patience_s - self.header_s
        self._since_mark = 0
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.received = 0
        self.first_byte_s = 0.0

    @property
    def seconds(self) -> float:
        return self._loop.time() - self._started

    async def more(self) -> bytes:
        """What has come since the last call, at least one byte; nothing at the proper end of the body."""
        asked = self._loop.time()
        with _translated(answered=True):
            try:
                async with asyncio.timeout(self._left_s):
                    piece = await self._content.readany()
            except TimeoutError as error:
                raise TimeoutError(
                    f"{self._since_mark} bytes within the time-out, {self.received} bytes in all"
                ) from error
        self._left_s -= self._loop.time() - asked
        self._count(len(piece))
        return piece

    async def some_text(self) -> str:
        """The opening of an error's text; a text that does not arrive whole is no further error."""
        body = b""
        with suppress(ShardError):
            while len(body) < _ERROR_TEXT_BYTES and (piece := await self.more()):
                body += piece
        return body[:_ERROR_TEXT_BYTES].decode("utf-8", "replace")

    def _count(self, size: int) -> None:
        if self.received == 0:
            self.first_byte_s = self.seconds
        first = self.received == 0 and size > 0
        self.received += size
        self._since_mark += size
        if first or self._since_mark >= self._settings.idle_progress_bytes:
            self._left_s, self._since_mark = self._settings.idle_timeout_s, 0
        if self.received > self._ceiling_bytes:
            raise BadAnswer(f"the body is larger than {self._ceiling_bytes} bytes", kind="oversize")


@contextmanager
def _ending_with_its_connection(response: aiohttp.ClientResponse) -> Iterator[None]:
    """A body that has neither ended nor failed when its connection is gone fails then.

    After a chunk size that is no number aiohttp 3.14.5 closes the connection and lets the reader wait for ever
    (its compiled parser; found with the raw server): the slot would be held until the idle time-out.
    """

    def gone(_: object = None) -> None:
        if not response.content.is_eof() and response.content.exception() is None:
            response.content.set_exception(aiohttp.ClientPayloadError("the connection ended before the body"))

    protocol = (
        response.connection.protocol if response.connection is not None else None
    )  # None: the body is here already
    closed = protocol.closed if protocol is not None else None  # `is`: a protocol is a queue, and false when empty
    if closed is None:
        if protocol is not None:  # the connection was gone before we looked
            gone()
        yield
        return
    closed.remove_done_callback(_look_at)  # once per connection, however many answers it brings
    closed.add_done_callback(_look_at)
    closed.add_done_callback(gone)
    try:
        yield
    finally:
        closed.remove_done_callback(gone)


def _look_at(closed: asyncio.Future[None]) -> None:
    """asyncio complains about an exception that nobody has looked at: here, a reset of an idle connection."""
    if not closed.cancelled():
        closed.exception()


def _refuse_odd_heads(
    response: aiohttp.ClientResponse, settings: FetchConfig, ceiling_bytes: int, *, encoded: bool
) -> None:  # fmt: skip
    """Raise for heads that a Terminal does not send, before a byte of the body is believed."""
    status, headers = response.status, response.headers
    if 300 <= status < 400:
        raise _protocol(f"HTTP {status}: redirects are not followed (to {headers.get('Location', 'nowhere')!r})")
    if status in (204, 206):
        raise _protocol(f"HTTP {status}: a part or nothing, although the whole was asked for")
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity") and not encoded:
        raise _protocol(f"the body is encoded ({encoding!r}), although plain bytes were asked for")
    length = response.content_length
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    if status == 200 and length is None and not chunked and not settings.allow_close_delimited:
        raise _protocol("the body has neither length nor chunks: its end cannot be told from a cut")
    if status == 200 and length is not None and length > ceiling_bytes:
        raise BadAnswer(f"a body of {length} bytes is announced, more than {ceiling_bytes}", kind="oversize")


def _protocol(message: str) -> TransferFailed:
    return TransferFailed(f"protocol: {message}", kind="protocol")

"""The wire: Theta Terminal v3's HTTP interface over `answers`, with an account's limits and planned faults.

Errors are plain text, data are chunked without Content-Length, and every response says in `X-Thetabulk-Simulator` that
no exchange has ever seen these prices. Only 127.0.0.1 is bound, whatever happens.
"""

import asyncio
import socket
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Self
from zoneinfo import ZoneInfo

from aiohttp import web

from thetabulk import __version__
from thetabulk.model import Tier
from thetabulk.simulator.account import Account, Turnstile
from thetabulk.simulator.answers import Library
from thetabulk.simulator.assets import PATHS, bars
from thetabulk.simulator.body import chunks, expected_bytes
from thetabulk.simulator.cache import ChunkCache
from thetabulk.simulator.damage import Wound, cut_at
from thetabulk.simulator.endpoints import FPSS_STATUS, MDDS_STATUS, SHUTDOWN
from thetabulk.simulator.faults import ACCOUNT, CONTENT, INSTEAD, SENDING, STATUS, Fault, Occasion, striking
from thetabulk.simulator.lines import LINE_FORMATS
from thetabulk.simulator.queries import FIRST_DAY, Query, parse
from thetabulk.simulator.refusals import NO_DATA, STATUS_TEXTS, Refusal, substitute
from thetabulk.simulator.settings import SimulatorConfig

HOST = "127.0.0.1"
HEADER = "X-Thetabulk-Simulator"
DRIPS_PER_S = 10
RATES = {"drip": 1_000, "degrade": 20_000}  # bytes a second
NEW_YORK = "America/New_York"
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass(slots=True)
class LoggedRequest:
    """A request as it came. `status` is 0 while it is answered, and for what was cut off before the status line."""

    path: str
    params: dict[str, str]
    status: int = 0
    faults: tuple[str, ...] = ()
    bytes: int = 0


class Simulator:
    """A Terminal in this process: `async with Simulator(config) as simulator:` serves at `simulator.url`.

    `requests` is the log; `peak_in_flight` and `peak_waiting` count what was served at once and what stood in the
    queue; `status` is what the status calls answer.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        others = {asset: tier for asset, tier in self.config.manners.tiers.items() if asset != "option"}
        self.account = Account(self.config.tier, self.config.floor, self.config.floor_answer, others)
        self.requests: list[LoggedRequest] = []
        self.peak_in_flight = self.peak_waiting = 0
        self.status = "CONNECTED"
        self.stopped = asyncio.Event()
        self.port = self.config.port
        self._turnstile: Turnstile[asyncio.Future[None]] = Turnstile(
            self.config.places or self.account.requests, self.config.queue
        )
        self._cache = ChunkCache(self.config.cache_limit)
        self._lines = LINE_FORMATS[self.config.line_format]
        self._attempts: Counter[str] = Counter()
        self._numbers: Counter[bool] = Counter()
        self._looks = 0
        self._first_request_s: float | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def in_flight(self) -> int:
        return self._turnstile.inside

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Opens the port. Raises OSError if it is taken."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2, auto_decompress=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.config.port)
        try:
            await site.start()
        except OSError:
            await self.stop()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Closes the port and every connection."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        self.stopped.set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        logged = LoggedRequest(request.path, dict(request.query))
        self.requests.append(logged)
        try:
            response = await self._answer(request, logged)
        except Refusal as refusal:
            response = self._refusal(refusal, logged)
        except ConnectionError:  # whoever asked has gone away; aiohttp would print a traceback
            return web.Response()
        logged.status = response.status
        return response

    async def _answer(self, request: web.Request, logged: LoggedRequest) -> web.StreamResponse:
        if request.path in (MDDS_STATUS, FPSS_STATUS):
            return self._status(request.path)
        if request.path == SHUTDOWN:
            asyncio.get_running_loop().call_later(0.05, self.stopped.set)
            return self._text(200, "OK")
        if request.path in PATHS:
            return self._bars(request.path, logged)
        query = parse(request.path, logged.params, self._today())
        if not query.endpoint.counted:
            return await self._serve(request, query, logged)
        async with self._place():
            return await self._serve(request, query, logged)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of the account's places, in turn. Raises `Refusal` 429 when the queue is full."""
        ticket = asyncio.get_running_loop().create_future()
        admitted = self._turnstile.arrive(ticket)
        if admitted == "full":
            raise Refusal(429, STATUS_TEXTS[429])
        if admitted == "wait":
            self.peak_waiting = max(self.peak_waiting, len(self._turnstile.waiting))
            try:
                await ticket
            except asyncio.CancelledError:
                if not self._turnstile.give_up(ticket):
                    self._leave()
                raise
        self.peak_in_flight = max(self.peak_in_flight, self._turnstile.inside)
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        ticket = self._turnstile.leave()
        if ticket is not None and not ticket.done():
            ticket.set_result(None)

    async def _serve(self, request: web.Request, query: Query, logged: LoggedRequest) -> web.StreamResponse:
        occasion = self._occasion(request, query)
        faults = striking(self.config.faults, self.config.seed, occasion)
        logged.faults = tuple(fault.name for fault in faults)
        for fault in faults:
            if fault.kind == INSTEAD:
                return self._instead(fault, query)
            if fault.kind == SENDING and fault.name == "reset" and "at" not in fault.options:
                return self._cut_off(request, web.Response(), reset=True)
        first = self._account(faults).check(query)
        library = self._library()
        sending = next((fault for fault in faults if fault.kind == SENDING), None)
        content = [fault for fault in faults if fault.kind == CONTENT]
        expected = await asyncio.to_thread(expected_bytes, library, query, first) if sending or content else 0
        wounds = [self._wound(fault, query, occasion, expected) for fault in content]
        pieces = chunks(library, query, first, wounds, self._cache)
        at = cut_at(sending, sending.draw(self.config.seed, occasion, "at"), expected) if sending else 0
        return await self._send(request, query, pieces, _Sender(logged, sending, at))

    def _status(self, path: str) -> web.Response:
        """What the Terminal says of itself: `status`, unless a fault says otherwise."""
        self._looks += 1
        occasion = Occasion(self._looks, path, self._looks, "status", "", date.min, self._seconds())
        found = [fault for fault in striking(self.config.faults, self.config.seed, occasion) if fault.kind == STATUS]
        word = found[0].text("word", "DISCONNECTED") if found else self.status
        return self._text(int(word), STATUS_TEXTS[int(word)]) if word.isdecimal() else self._text(200, word)

    def _account(self, faults: list[Fault]) -> Account:
        """The account as it is for a request: another one, if it has shrunk."""
        shrunk = next((fault for fault in faults if fault.kind == ACCOUNT), None)
        if shrunk is None:
            return self.account
        return replace(self.account, tier=Tier.parse(shrunk.text("tier", "free")), floor=None)

    def _seconds(self) -> float:
        """Since the first request for data or a list."""
        now = asyncio.get_running_loop().time()
        return 0.0 if self._first_request_s is None else now - self._first_request_s

    def _occasion(self, request: web.Request, query: Query) -> Occasion:
        if self._first_request_s is None:
            self._first_request_s = asyncio.get_running_loop().time()
        text = f"{request.path}?{'&'.join(sorted(f'{name}={value}' for name, value in request.query.items()))}"
        self._attempts[text] += 1
        self._numbers[query.endpoint.counted] += 1
        return Occasion(
            self._numbers[query.endpoint.counted], text, self._attempts[text], query.endpoint.name, query.symbol,
            query.first, self._seconds(),
        )  # fmt: skip

    def _wound(self, fault: Fault, query: Query, occasion: Occasion, expected: int) -> Wound:
        before = query.first - timedelta(3 if query.first.weekday() == 0 else 1)
        dice = fault.where(self.config.seed, occasion)
        other = "SPY" if query.symbol != "SPY" else "QQQ"
        columns = query.endpoint.columns
        return Wound(fault, dice, columns, expected, self._lines.newline, query.first, before, query.symbol, other)

    async def _send(
        self, request: web.Request, query: Query, pieces: Iterator[bytes], sender: "_Sender"
    ) -> web.StreamResponse:  # fmt: skip
        """Sends the answer, generating it in a thread piece by piece. Raises `Refusal` 472 if there is none."""
        await sender.wait()
        await asyncio.sleep(self.config.manners.header_s)
        piece = await asyncio.to_thread(next, pieces, None)
        if piece is None:
            raise Refusal(472, NO_DATA)
        response = web.StreamResponse(headers=self._headers())
        response.content_type = "application/x-ndjson" if query.json else "text/csv"
        response.enable_chunked_encoding()
        if self.config.manners.gzip and "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        await asyncio.sleep(max(0.0, self.config.manners.first_byte_s - self.config.manners.header_s))
        sender.logged.status = 200
        while piece is not None and await sender.write(response, piece):
            piece = await asyncio.to_thread(next, pieces, None)
        if sender.breaks:
            return self._cut_off(request, response, reset=sender.name == "reset")
        await response.write_eof()
        return response

    def _instead(self, fault: Fault, query: Query) -> web.Response:
        """The answer that comes instead of the data."""
        name = fault.text("answer", "500") if fault.name in ("list-fails", "degrade") else fault.name
        status, text, content_type = substitute(name, self._lines.header(query.endpoint.columns).decode())
        response = self._text(status, fault.text("text", text), content_type)
        if "retry_after" in fault.options:
            response.headers["Retry-After"] = _retry_after(fault.options["retry_after"])
        return response

    def _cut_off(self, request: web.Request, response: web.StreamResponse, *, reset: bool) -> web.StreamResponse:
        """Ends the connection without ending the answer; a reset throws away what the client has not read yet."""
        transport = request.transport
        if transport is not None and reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()
        elif transport is not None:
            transport.close()
        return response

    def _bars(self, path: str, logged: LoggedRequest) -> web.Response:
        """Stocks and indices: of what the account may have there, only as much as a first contact asks for."""
        body = bars(path, logged.params, self.account.others, self.config.seed, self._lines)
        return web.Response(body=body, content_type="text/csv", headers=self._headers())

    def _refusal(self, refusal: Refusal, logged: LoggedRequest) -> web.Response:
        """An answer without data, in the words of the vendor profile, if it has any."""
        day, symbol = _day_of(logged.params), logged.params.get("symbol", "")
        told = self.config.manners.answer(refusal.status, day, symbol, FIRST_DAY)
        status, text = told or (refusal.status, refusal.text)
        return self._text(status, text, refusal.content_type)

    def _text(self, status: int, text: str, content_type: str = "text/plain") -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {HEADER: f"{__version__} seed={self.config.seed}"}

    def _today(self) -> date:
        return self.config.today or datetime.now(ZoneInfo(NEW_YORK)).date()

    def _library(self) -> Library:
        config = self.config
        return Library(
            config.seed, config.small, self._lines, self._today(), config.holes, config.half_day_rows, config.manners
        )  # fmt: skip


class _Sender:
    """Writes an answer as a fault lets it: late, slowly, with a long pause, or only the first `at` bytes."""

    def __init__(self, logged: LoggedRequest, fault: Fault | None, at: int) -> None:
        self.logged, self.at = logged, at
        self.name = fault.name if fault else ""
        self.breaks = self.name in ("cut", "reset")
        self.pauses = self.name == "stall"
        self.rate = fault.number("rate", RATES[self.name]) if fault and self.name in RATES else 0
        self.seconds = float(fault.text("seconds", "3600" if self.pauses else "1")) if fault else 0.0

    async def wait(self) -> None:
        if self.name == "delay":
            await asyncio.sleep(self.seconds)

    async def write(self, response: web.StreamResponse, piece: bytes) -> bool:
        """False when the connection is to be broken now."""
        left = self.at - self.logged.bytes
        if (self.breaks or self.pauses) and left <= len(piece):
            await self._put(response, piece[:left])
            if self.breaks:
                return False
            self.pauses, piece = False, piece[left:]
            await asyncio.sleep(self.seconds)
        await self._put(response, piece)
        return True

    async def _put(self, response: web.StreamResponse, piece: bytes) -> None:
        step = max(self.rate // DRIPS_PER_S, 1) if self.rate else max(len(piece), 1)
        for start in range(0, len(piece), step):
            await response.write(piece[start : start + step])
            if self.rate:
                await asyncio.sleep(step / self.rate)
        self.logged.bytes += len(piece)


def _day_of(params: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(params.get("date") or params.get("start_date", ""))
    except ValueError:
        return None


def _retry_after(text: str) -> str:
    """`date` and `date+30` become a date so many seconds ahead; anything else is sent as it is."""
    if not text.startswith("date"):
        return text
    ahead = timedelta(seconds=int(text.partition("+")[2] or 0))
    return format_datetime(datetime.now(UTC) + ahead, usegmt=True)

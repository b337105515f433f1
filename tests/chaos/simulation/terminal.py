"""The transport: a Terminal and the way to it, in place of `thetabulk.fetch.client.Client`."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Self

from tests.chaos.simulation.truth import REFUSAL, SYMBOL, Truth, contracts, expirations
from tests.chaos.simulation.weather import Weather
from tests.cli.small_store import HEADER
from tests.virtual_time import now
from thetabulk.config import FetchConfig
from thetabulk.errors import TerminalAnswer, TransferFailed
from thetabulk.fetch.client import Answer, StreamInfo
from thetabulk.fetch.learned import Learned
from thetabulk.fetch.verdict import NO_DATA_TEXT
from thetabulk.model import Request, Tier

_STATUSES = {
    "disconnected": 474, "disconnected, it says connected": 474, "starting": 571, "session taken": 478,
    "session taken, it says connected": 478, "500": 500, "429": 429,
}  # fmt: skip
_SAID = {"disconnected": b"DISCONNECTED", "starting": b"DISCONNECTED", "session taken": b"UNVERIFIED"}
"""By the status of a Terminal in such weather."""
_HTML = b"<html><body>502 Bad Gateway</body></html>\n"
_TWICE_IS_PROOF = ("cut at a row", "no last contract")  # the same lacking answer again is the vendor's last word
_ANSWER_S = 0.05
_STATUS_PATH = "/v3/terminal/mdds/status"


@dataclass(frozen=True)
class Asked:
    """A request for data, when, and for which day."""

    at_s: float
    day: date


@dataclass
class Terminal:
    """Answers by truth and weather, as many at once as the account allows. `watch` is told of every request for data
    when it begins, and when it has ended."""

    truth: Truth
    weather: Weather
    seconds: Callable[[], float]
    watch: Callable[[date, bool], None] = lambda day, begins: None
    asked: list[Asked] = field(default_factory=list)
    small: int = 0
    _whole: Counter[date] = field(default_factory=Counter)
    _shortened: set[date] = field(default_factory=set)
    _places: asyncio.Semaphore | None = None

    def client(self, url: str, settings: FetchConfig) -> "SimulatedClient":
        self._places = asyncio.Semaphore(Tier.STANDARD.requests)
        return SimulatedClient(self, settings)

    async def answer_small(self, request: Request) -> Answer:
        self.small += 1
        await asyncio.sleep(_ANSWER_S)
        outage = self.weather.outage(now())
        if outage == "unreachable":
            raise TransferFailed("unreachable: connection refused", kind="unreachable")
        if request.path == _STATUS_PATH:
            return self._said(200, _SAID.get(outage, b"CONNECTED"))
        if outage in ("dropped", "stalled", "cut"):
            raise TransferFailed(f"{outage}: no answer", kind=outage)
        if outage:
            return self._said(_STATUSES.get(outage, 500), b"Internal server error")
        return self._list(request)

    def _list(self, request: Request) -> Answer:
        params = dict(request.params)
        if request.path.endswith("/list/symbols"):
            return self._said(200, f"symbol\n{SYMBOL}\n".encode())
        if request.path.endswith("/list/expirations"):
            return self._said(200, expirations())
        day = date.fromisoformat(params["date"])
        kind = self.truth.kind(day)
        if kind in ("empty", "refused"):
            return self._said(*{"empty": (472, NO_DATA_TEXT.encode()), "refused": (403, REFUSAL.encode())}[kind])
        if "/list/contracts/" in request.path:
            return self._said(500, b"") if self.weather.list_fails() else self._said(200, contracts())
        return self._said(200, self.truth.body(day, 2))

    @staticmethod
    def _said(status: int, body: bytes) -> Answer:
        return Answer(status, body, {}, _ANSWER_S)

    async def stream(self, request: Request, settings: FetchConfig, feed: Callable[[bytes], None],
                     on_bytes: Callable[[int], None]) -> StreamInfo:  # fmt: skip
        day = date.fromisoformat(dict(request.params)["date"])
        self.asked.append(Asked(now(), day))
        self.watch(day, True)
        try:
            fate = self.weather.fate(now())
            if fate in _TWICE_IS_PROOF:
                fate = "" if day in self._shortened else fate
                self._shortened.add(day)
            if fate:
                await self._fail_early(fate, settings)
            assert self._places is not None
            async with self._places:
                await asyncio.sleep(self.seconds() / 2)
                kind = self.truth.kind(day)
                if kind in ("empty", "refused") and fate not in ("html", "header only"):
                    raise TerminalAnswer(*{"empty": (472, NO_DATA_TEXT), "refused": (403, REFUSAL)}[kind])
                self._whole[day] += not fate
                body = _damaged(_part(self.truth.body(day, self._whole[day] or 1), request), fate, day)
                half = len(body) // 2
                for piece in (body[:half], body[half:]):
                    if piece:
                        on_bytes(len(piece))
                        feed(piece)
                    await asyncio.sleep(self.seconds() / 4)
                    if fate == "cut":
                        raise TransferFailed("cut: the connection ended before the body", kind="cut")
                    if outage := self.weather.outage(now()):
                        await self._fail_early(outage, settings)
                return StreamInfo(200, len(body), 0.1, 1.0, {})
        finally:
            self.watch(day, False)

    async def _fail_early(self, fate: str, settings: FetchConfig) -> None:
        """Fates that show before the body does."""
        await asyncio.sleep(0.01)
        if fate in ("unreachable", "dropped"):
            raise TransferFailed(f"{fate}: no answer", kind=fate)
        if fate == "stalled":
            await asyncio.sleep(settings.first_byte_timeout_s)
            raise TransferFailed("stalled: 0 bytes within the time-out", kind="stalled")
        if fate == "429, retry after":
            raise TerminalAnswer(429, "Too many requests", retry_after="90")
        if fate in _STATUSES:
            raise TerminalAnswer(_STATUSES[fate], "something is wrong")


def _part(body: bytes, request: Request) -> bytes:
    """The rows that were asked for: all of them, or those of one right, or of a time of day."""
    wanted = dict(request.params)
    if not body:
        return b""
    header, *rows = body.splitlines(keepends=True)
    kept = [
        row for row in rows
        if wanted["right"] in ("both", row.split(b",")[3].strip(b'"').decode().lower())
        and wanted["start_time"].encode() <= row.split(b",")[4][11:19] <= wanted["end_time"].encode()
    ]  # fmt: skip
    return b"".join((header, *kept))


def _damaged(body: bytes, fate: str, day: date) -> bytes:
    rows = body.splitlines(keepends=True)
    if fate == "html":
        return _HTML
    if fate == "header only":
        return HEADER.encode()
    if fate == "another day":
        return body.replace(f"{day}T".encode(), b"2015-03-02T")
    if fate == "cut at a row":
        return b"".join(rows[:-3])
    if fate == "no last contract":
        return b"".join(rows[:-7])
    return body


class SimulatedClient:
    """The same calls as the real one. No simulator by its header: the store that is made holds "a Terminal's" data."""

    simulator = None
    answered = True

    def __init__(self, terminal: Terminal, settings: FetchConfig) -> None:
        self._terminal = terminal
        self._settings = settings

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was opened."""

    def follow(self, learned: Learned, *, first_byte_s: float = 0.0) -> None:
        """This vendor's words are the documented ones."""

    async def small(self, request: Request, *, limit_bytes: int = 0, timeout_s: float | None = None) -> Answer:
        return await self._terminal.answer_small(request)

    async def stream(
        self, request: Request, feed: Callable[[bytes], None], *, on_bytes: Callable[[int], None] = lambda count: None
    ) -> StreamInfo:
        return await self._terminal.stream(request, self._settings, feed, on_bytes)

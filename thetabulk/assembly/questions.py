"""The questions of first contact (thetadata-v3.md §8), asked one after the other, and what their answers decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from thetabulk.assembly import clock
from thetabulk.config import FetchConfig, ProbeConfig
from thetabulk.errors import NotConnected, SessionTaken, ShardError
from thetabulk.events import Emit, Notice
from thetabulk.fetch.client import Answer, Client
from thetabulk.fetch.fetcher import NOT_CONNECTED_HINT, SESSION_TAKEN_HINT
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.learned import plain
from thetabulk.fetch.verdict import Verdict, judge, tier_in
from thetabulk.model import Collection, Request, Shard, Tier
from thetabulk.plan import facts
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import contracts_request, dataset, request_for
from thetabulk.plan.facts import Key, ListFact, Table
from thetabulk.plan.profile import LADDERS, GridFact, Profile, Told, meanings, requests_at_once, tier_by_days
from thetabulk.redaction import without_accounts

CLOSES_AT_FOUR = ("AAPL", "MSFT")
"""Their options end at 16:00, where those of QQQ, SPY, IWM and the index roots go on until 16:15."""

BEFORE_HISTORY = (date(2012, 5, 15), date(2012, 4, 10))
"""Sessions before anything that the vendor has (thetadata-v3.md §1.5)."""

ENCODINGS = "gzip, deflate, br, zstd"
_SETTLED_SINCE = 3  # sessions: lists and quotes of the very last day may still be growing (§5.6)
_SMALL, _MINUTE = "option/quote/1h", "option/quote/1m"
_MEANS = {Verdict.EMPTY: "empty", Verdict.REFUSE: "refused"}
_MOST_TEXT = 500
_ABOUT = {"weekend": "a Saturday", "holiday": "a holiday", "before": "a day before history"}
_TOO_MANY = 3  # so many 429 in all, and first contact is over: it never adds to a storm


@dataclass(frozen=True, slots=True)
class Heard:
    """A question and its answer; without one `error` says why."""

    question: str
    request: Request
    answer: Answer | None
    error: str = ""


@dataclass(slots=True)
class Asking:
    """Asks one thing at a time, at the run's pace, until the time for first contact is over."""

    client: Client
    settings: ProbeConfig
    fetch: FetchConfig
    emit: Emit
    heard: list[Heard] = field(default_factory=list)
    _gate: Gate = field(init=False)
    _until: float = field(init=False)
    _busy: int = 0

    def __post_init__(self) -> None:
        self._gate = Gate((lambda: 1,), launch_gap_s=self.fetch.launch_gap_s, now=clock.monotonic)
        self._until = clock.monotonic() + self.settings.limit_s

    async def ask(self, question: str, request: Request, *, encodings: str = "") -> Answer | None:
        """The answer, of whatever status; None if there was none in time.

        Raises SessionTaken for a session that was taken, NotConnected for a Terminal that has lost its servers: then
        nothing that is said about days means anything.
        """
        answer, error = None, "not asked: the time for first contact is over"
        if self._busy >= _TOO_MANY:
            error = "not asked: the Terminal says that it is asked too much (429)"
        elif (left_s := self._until - clock.monotonic()) > 0:
            self.emit(Notice(f"asking: {question}"))
            answer, error = await self._answer(request, min(left_s, self.settings.patience_s), encodings)
        self.heard.append(Heard(question, request, answer, error))
        if answer is not None and answer.status == 478:
            raise SessionTaken(f"the session was taken over ({answer.text.strip()[:200]})", hint=SESSION_TAKEN_HINT)
        if answer is not None and answer.status in (474, 571):
            raise NotConnected(f"the Terminal is not connected ({answer.text.strip()[:200]})", hint=NOT_CONNECTED_HINT)
        self._busy += answer is not None and answer.status == 429
        return answer

    async def table(self, question: str, request: Request) -> Table | None:
        """The rows of the answer; None if it has none."""
        return rows_in(await self.ask(question, request))

    async def _answer(self, request: Request, patience_s: float, encodings: str) -> tuple[Answer | None, str]:
        try:
            async with self._gate.slot():
                return await self.client.small(
                    request, limit_bytes=self.settings.answer_bytes, timeout_s=patience_s, encodings=encodings
                ), ""  # fmt: skip
        except ShardError as error:
            return None, str(error)


def rows_in(answer: Answer | None) -> Table | None:
    return facts.table(answer.body) if answer is not None and answer.status == 200 else None


@dataclass(frozen=True, slots=True)
class Days:
    """The days that are asked about: a whole and a half session, and days without data."""

    whole: date
    half: date | None
    weekend: date
    holiday: date


def days_to_ask(calendar: Calendar, settled: Sequence[date]) -> Days:
    """The newest of each kind of which everything should be known by now."""
    known = settled[:-_SETTLED_SINCE]
    whole = next(day for day in reversed(known) if not calendar.is_half_day(day))
    half = next((day for day in reversed(known) if calendar.is_half_day(day)), None)
    earlier = (whole - timedelta(days=number) for number in range(1, 400))
    closed = [day for day in earlier if not calendar.is_session(day)]
    weekend = next(day for day in closed if day.weekday() == 5)
    return Days(whole, half, weekend, next(day for day in closed if day.weekday() < 5))


class Conversation:
    """All the questions about one symbol, in their order: `hold` asks them, `profile` says what was decided."""

    def __init__(self, asking: Asking, symbol: str, calendar: Calendar, settled: Sequence[date]) -> None:
        self._asking = asking
        self._symbol = symbol
        self._calendar = calendar
        self._days = days_to_ask(calendar, settled)
        self._body = b""  # of an answer with rows, from which the print style is read
        self._style: Table | None = None
        self._grids: list[GridFact] = []
        self._lists: list[ListFact | None] = []
        self._told: list[Told] = []
        self._reached: dict[str, dict[date | None, Answer | None]] = {}
        self._compression: str | None = None
        self.served = False

    async def hold(self) -> None:
        days = self._days
        contract = await self._about(self._symbol, days.whole, ends=("16:15:00", "16:00:00"), compare=True)
        await self._about(self._four(), days.whole)
        if days.half is not None:
            await self._about(self._symbol, days.half, compare=True)
            await self._about(self._four(), days.half)
        if not self.served:
            await self._report()
        await self._days_without_data()
        for asset in LADDERS:
            await self._ladder(asset)
        if contract is not None:
            await self._packed(contract)

    def profile(self, banner: str, today: date) -> Profile:
        """What all the answers decide; `banner` is what the Terminal has printed at its start, if we know it."""
        style, answers = self._style, [one for one in self._asking.heard if rows_in(one.answer) is not None]
        told = meanings(self._told, served=self.served)
        tiers, tiers_from = self._tiers(told, banner)
        heads = [one.answer for one in answers if one.answer is not None]
        return Profile(
            probed=today.isoformat(),
            symbol=self._symbol,
            terminal=self._asking.client.simulator or (heads[0].headers.get("server", "") if heads else ""),
            columns=facts.columns_unlike(style, dataset(_SMALL).header) if style and self.served else None,
            line_end=facts.line_end(self._body),
            final_newline=facts.final_newline(self._body),
            header_quoted=style.header_quoted if style else None,
            quoted=facts.quoted_columns(style) if style else None,
            stamps=facts.stamp_style(style) if style else None,
            order=facts.row_order(style) if style else None,
            grids=tuple(self._grids),
            contract_list=facts.worst_list(self._lists),
            told=told,
            framing=facts.framing(heads[0].headers) if heads else None,
            compression=self._compression,
            header_s=max((round(one.header_s, 3) for one in heads), default=None),
            first_byte_s=max((round(one.first_byte_s, 3) for one in heads), default=None),
            tiers={asset: tier.text for asset, tier in tiers.items()},
            tiers_from=tiers_from,
            requests=facts.requests_in_banner(banner) or requests_at_once(tiers),
        )

    def _four(self) -> str:
        return next(name for name in CLOSES_AT_FOUR if name != self._symbol)

    async def _about(
        self, symbol: str, day: date, *, ends: tuple[str, ...] = ("16:15:00",), compare: bool = False
    ) -> Key | None:  # fmt: skip
        """The chain of a day, hour by hour; its list of contracts; and minute by minute one strike of it."""
        half = self._calendar.is_half_day(day)
        kind = "a half-day" if half else "a whole day"
        answer = await self._asking.ask(f"{symbol}, {kind}: every contract, once an hour", chain(symbol, day))
        found = rows_in(answer)
        if found is None or answer is None:
            return None
        if self._style is None:
            self._style, self._body, self.served = found, answer.body, True
        keys = facts.contract_keys(found)
        if compare:
            listed = rows_in(await self._asking.ask(f"{symbol}, {kind}: the list", contracts_request(symbol, day)))
            self._lists.append(facts.compare_list(facts.contract_keys(listed) if listed else None, keys))
        contract = a_contract(keys, day)
        for end in ends:
            minutes = await self._asking.ask(
                f"{symbol}, {kind}: one strike until {end[:5]}", one(symbol, day, contract, end)
            )
            table = rows_in(minutes)
            grid = facts.minute_grid(table) if table else None
            if grid is not None:
                self._grids.append(GridFact(symbol, half, end[:5], grid.first, grid.last, grid.rows))
        return contract

    async def _report(self) -> None:
        """For an account without quotes: how the Terminal prints, from what everybody may have."""
        kind = dataset("option/eod")
        request = request_for(Shard(Collection(kind.name, "", self._symbol), self._days.whole), kind)
        answer = await self._asking.ask(f"{self._symbol}, an end-of-day report", request)
        if answer is not None and (found := rows_in(answer)) is not None:
            self._style, self._body = found, answer.body

    async def _days_without_data(self) -> None:
        days = self._days
        for about, day in (
            ("weekend", days.weekend), ("holiday", days.holiday), *(("before", day) for day in BEFORE_HISTORY),
        ):  # fmt: skip
            self._tell(about, await self._asking.ask(f"{self._symbol}, {_ABOUT[about]}", chain(self._symbol, day)))

    async def _ladder(self, asset: str) -> None:
        """From the oldest day on, until one is served or an answer names the tier that is held."""
        reached = self._reached[asset] = {}
        for day, _ in LADDERS[asset]:
            answer = await self._asking.ask(f"{asset}: is {day or 'the newest day'} served?", self._step(asset, day))
            reached[day] = answer
            if rows_in(answer) is not None:
                return
            if asset == "option" and day is not None:
                self._tell("above", answer)
                again = self._calendar.previous(day - timedelta(days=60))  # two days that say the same mean it
                self._tell(
                    "above", await self._asking.ask("option: is a day before it served?", chain(self._symbol, again))
                )
            if answer is not None and tier_in(answer.text) is not None:
                return

    def _step(self, asset: str, day: date | None) -> Request:
        at = day or self._days.whole
        if asset == "option":
            return chain(self._symbol, at)
        path, symbol = {"stock": ("/v3/stock/history/ohlc", self._symbol), "index": ("/v3/index/history/price", "SPX")}[
            asset
        ]
        when = (("date", at.isoformat()), ("interval", "1h"), ("start_time", "09:30:00"), ("end_time", "16:15:00"))
        return Request(path, (("symbol", symbol), *when, ("format", "csv")))

    async def _packed(self, contract: Key) -> None:
        request = one(self._symbol, self._days.whole, contract, "16:15:00")
        answer = await self._asking.ask("the same with Accept-Encoding", request, encodings=ENCODINGS)
        if answer is not None and answer.status == 200:
            self._compression = answer.headers.get("content-encoding", "none")

    def _tell(self, about: str, answer: Answer | None) -> None:
        """An answer without rows, with what its status means by the documentation."""
        if answer is None or rows_in(answer) is not None:
            return
        text = plain(without_accounts(answer.text[:_MOST_TEXT]), self._symbol)
        self._told.append(Told(about, answer.status, text, _MEANS.get(judge(answer.status, answer.text), "")))

    def _tiers(self, told: Sequence[Told], banner: str) -> tuple[dict[str, Tier], dict[str, str]]:
        """By asset class, and how each is known: a Terminal's banner, its words in a refusal, or the days it served."""
        tiers = facts.tiers_in_banner(banner)
        sources = dict.fromkeys(tiers, "banner")
        means = {(one.status, one.text): one.means for one in told}
        for asset, reached in self._reached.items():
            if asset in tiers:
                continue
            named = [tier for answer in reached.values() if answer and (tier := tier_in(answer.text))]
            tier = (
                named[0]
                if named
                else tier_by_days(asset, {day: self._served(means, one) for day, one in reached.items()})
            )
            if tier is not None:
                tiers[asset], sources[asset] = tier, "its words" if named else "days served"
        return tiers, sources

    def _served(self, means: Mapping[tuple[int, str], str], answer: Answer | None) -> bool | None:
        if answer is None:
            return None
        if rows_in(answer) is not None:
            return True
        text = plain(without_accounts(answer.text[:_MOST_TEXT]), self._symbol)
        documented = _MEANS.get(judge(answer.status, answer.text), "")
        return False if documented or means.get((answer.status, text)) else None


def chain(symbol: str, day: date) -> Request:
    """Every contract of a day, but few rows of each."""
    kind = dataset(_SMALL)
    return request_for(Shard(Collection(kind.name, "", symbol), day), kind)


def one(symbol: str, day: date, contract: Key, end: str) -> Request:
    """The minutes of one strike, as a call and a put."""
    kind = dataset(_MINUTE)
    expiration, strike, _ = contract
    whole = request_for(Shard(Collection(kind.name, "", symbol), day), kind)
    return whole.with_params(expiration=expiration, strike=strike, end_time=end)


def a_contract(keys: frozenset[Key], day: date) -> Key:
    """One in the middle of the first expiration that is not the day itself."""
    later = [key for key in keys if key[0] > f"{day:%Y%m%d}"] or list(keys)
    first = min(key[0] for key in later)
    strikes = sorted((key for key in later if key[0] == first), key=lambda key: (float(key[1]), key[2]))
    return strikes[len(strikes) // 2]

"""What a request asks for: names, forms, defaults and limits of the official API, and its refusals.

Unknown parameters are ignored without a word, bad values answer 400, what was v2 answers 410, and a wrong path answers
404 with a page of HTML; texts as seen live where they are known (thetadata-v3.md §1.2, §1.4, §2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from thetabulk.model import INTERVALS_MS
from thetabulk.simulator.calendar import FIRST_YEAR, OPEN_S
from thetabulk.simulator.endpoints import ENDPOINTS, Endpoint
from thetabulk.simulator.listing import CALL, PUT
from thetabulk.simulator.refusals import NOT_FOUND, UPGRADED, Refusal

FIRST_DAY = date(2012, 6, 1)  # nothing before it, for anyone (thetadata-v3.md §1.5)
REPORT_DAYS, QUOTE_DAYS = 365, 31
DAY_MS = 86_400_000

V2_NAMES = {
    "annual_div": "annual_dividend", "exp": "expiration", "ivl": "interval", "perf_boost": "*unnecessary*",
    "pretty_time": "*unnecessary*", "rate": "rate_type", "root": "symbol", "rth": "*unnecessary*",
    "sec": "*path parameter*", "under_price": "stock_price", "use_csv": "format",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A valid request. `expiration` and `strike_mills` None mean all; `first` and `last` are both included."""

    endpoint: Endpoint
    symbols: tuple[str, ...] = ()
    first: date = date.min
    last: date = date.min
    expiration: date | None = None
    strike_mills: int | None = None
    rights: tuple[str, ...] = (CALL, PUT)
    start_ms: int = OPEN_S * 1_000
    end_ms: int = 57_600_000
    interval_ms: int = 1_000
    max_dte: int | None = None
    strike_range: int | None = None
    year: int = 0
    json: bool = False

    @property
    def symbol(self) -> str:
        return self.symbols[0] if self.symbols else ""


def parse(path: str, params: Mapping[str, str], today: date) -> Query:
    """The query that a request means. Raises `Refusal` 400, 404 or 410."""
    if path.startswith("/v2/"):
        raise Refusal(410, UPGRADED.format(what=f"instead of {path}", names=""))
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        raise Refusal(404, NOT_FOUND.format(path=re.sub("[<>&]", "?", path)), "text/html")
    old = sorted(set(params) & set(V2_NAMES))
    if old:
        mapping = "".join(f"\t{name} -> {V2_NAMES[name]}\n" for name in old)
        names = f"Deprecated query parameters:\n{mapping}"
        raise Refusal(410, UPGRADED.format(what="query parameters instead", names=names))
    form = _Form(params)
    query = _READERS[endpoint.name](endpoint, form)
    if endpoint.counted:
        _check_span(query, "*" if query.expiration is None else "", today)
    return query


class _Form:
    """The parameters, each read in its form or refused with 400."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self.params = params
        wanted = params.get("format", "csv")
        if wanted not in ("csv", "json", "ndjson", "html"):
            raise Refusal(400, f"Invalid format: {wanted}")
        if wanted in ("json", "html"):
            raise Refusal(400, f"This simulator does not serve format={wanted}; it serves csv and ndjson")
        self.json = wanted == "ndjson"

    def required(self, name: str) -> str:
        value = self.params.get(name, "")
        if not value:
            raise Refusal(400, f"Missing required parameter: {name}")
        return value

    def day(self, name: str) -> date:
        return _day(name, self.required(name))

    def days(self, *, one_day: bool) -> tuple[date, date]:
        """`date` overrides `start_date` and `end_date` where both exist."""
        if one_day and self.params.get("date"):
            return self.day("date"), self.day("date")
        first, last = self.day("start_date"), self.day("end_date")
        if first > last:
            raise Refusal(400, "The start date must not be after the end date")
        return first, last

    def expiration(self, *, star: bool) -> date | None:
        text = self.required("expiration")
        if text == "*":
            if not star:
                raise Refusal(400, "Cannot specify '*' for the date")
            return None
        return _day("expiration", text)

    def strike(self) -> int | None:
        text = self.params.get("strike", "*")
        if text == "*":
            return None
        found = re.fullmatch(r"(\d{1,7})(?:\.(\d{1,3}))?", text)
        if not found:
            raise Refusal(400, f"Invalid strike: {text}")
        return int(found[1]) * 1_000 + int((found[2] or "").ljust(3, "0"))

    def rights(self) -> tuple[str, ...]:
        text = self.params.get("right", "both")
        rights = {"both": (CALL, PUT), "call": (CALL,), "c": (CALL,), "put": (PUT,), "p": (PUT,)}.get(text.lower())
        if rights is None:
            raise Refusal(400, f"Invalid right: {text}")
        return rights

    def number(self, name: str, least: int) -> int | None:
        text = self.params.get(name, "")
        if not text:
            return None
        if not re.fullmatch(r"\d{1,6}", text) or int(text) < least:
            raise Refusal(400, f"Invalid {name}: {text}")
        return int(text)

    def time(self, name: str, default_ms: int) -> int:
        text = self.params.get(name, "")
        if not text:
            return default_ms
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,3}))?", text)
        if not found:
            raise Refusal(400, f"Invalid {name}: {text}")
        seconds = int(found[1]) * 3_600 + int(found[2]) * 60 + int(found[3])
        return seconds * 1_000 + int((found[4] or "").ljust(3, "0"))

    def interval(self) -> int:
        text = self.params.get("interval", "1s")
        if text not in INTERVALS_MS:
            raise Refusal(400, f"Invalid interval: {text}")
        if INTERVALS_MS[text] < 1_000:
            raise Refusal(400, f"This simulator does not serve interval={text}; its finest interval is 1s")
        return INTERVALS_MS[text]

    def symbols(self, *, required: bool = True) -> tuple[str, ...]:
        text = self.required("symbol") if required else self.params.get("symbol", "*")
        return tuple(symbol for symbol in text.split(",") if symbol)


def _history(endpoint: Endpoint, form: _Form) -> Query:
    first, last = form.days(one_day=endpoint.name != "eod")
    query = Query(
        endpoint, (form.required("symbol"),), first, last, form.expiration(star=True), form.strike(), form.rights(),
        max_dte=form.number("max_dte", 0), strike_range=form.number("strike_range", 1), json=form.json,
    )  # fmt: skip
    if endpoint.name != "quote":
        return query
    return Query(
        endpoint, query.symbols, first, last, query.expiration, query.strike_mills, query.rights,
        form.time("start_time", query.start_ms), form.time("end_time", query.end_ms), form.interval(),
        query.max_dte, query.strike_range, json=form.json,
    )  # fmt: skip


def _contracts(endpoint: Endpoint, form: _Form) -> Query:
    day = form.day("date")
    return Query(
        endpoint, form.symbols(required=False), day, day, max_dte=form.number("max_dte", 0), json=form.json
    )  # fmt: skip


def _dates(endpoint: Endpoint, form: _Form) -> Query:
    expiration = form.expiration(star=False)
    return Query(
        endpoint, (form.required("symbol"),), expiration=expiration, strike_mills=form.strike(), rights=form.rights(),
        json=form.json,
    )  # fmt: skip


def _year(endpoint: Endpoint, form: _Form) -> Query:
    text = form.required("year")
    if not re.fullmatch(r"\d{4}", text) or int(text) < FIRST_YEAR:
        raise Refusal(400, f"Invalid year: {text}")
    return Query(endpoint, year=int(text), json=form.json)


def _on_date(endpoint: Endpoint, form: _Form) -> Query:
    day = form.day("date")
    return Query(endpoint, first=day, last=day, json=form.json)


_READERS = {
    "quote": _history,
    "eod": _history,
    "open_interest": _history,
    "symbols": lambda endpoint, form: Query(endpoint, json=form.json),
    "expirations": lambda endpoint, form: Query(endpoint, form.symbols(), json=form.json),
    "strikes": lambda endpoint, form: Query(
        endpoint, form.symbols(), expiration=form.expiration(star=False), json=form.json
    ),
    "contracts": _contracts,
    "traded-contracts": _contracts,
    "dates": _dates,
    "traded-dates": _dates,
    "today": lambda endpoint, form: Query(endpoint, json=form.json),
    "on-date": _on_date,
    "year-holidays": _year,
}


def _check_span(query: Query, star: str, today: date) -> None:
    """How many days one request may span, and what cannot be asked about today (thetadata-v3.md §1.4)."""
    days = (query.last - query.first).days + 1
    quote = query.endpoint.name == "quote"
    if query.last >= today and star:
        raise Refusal(400, "Cannot fetch current-day data without specifying an expiration")
    if query.last >= today and query.endpoint.name == "eod":
        raise Refusal(400, "EOD is not available for the current day")
    if quote and star and days > 1:
        raise Refusal(400, "When expiration=*, you must request data a day-at-a-time")
    most = QUOTE_DAYS if quote else REPORT_DAYS
    if days > most:
        raise Refusal(400, f"Too many days between start and end date; max {most} days allowed")
    if quote and days > 1 and query.interval_ms < 60_000:
        raise Refusal(400, "Intervals less than 1m are available only for single-day requests")


def _day(name: str, text: str) -> date:
    try:
        if re.fullmatch(r"\d{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Refusal(400, f"Invalid {name}: {text}")

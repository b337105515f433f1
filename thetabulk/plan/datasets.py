"""The catalogue: what can be recorded, what its answer looks like, and how it is asked for.

A dataset is a row of `_CATALOGUE`; adding one is adding a row. Headers are those transcribed from live responses,
equal to the spec (thetadata-v3.md §1.3); tiers and parameters are the spec's (its Appendix A).
"""

from dataclasses import dataclass, replace
from datetime import date, time

from thetabulk.errors import UsageError
from thetabulk.model import INTERVALS_MS, Column, Dataset, Request, Shard, Tier

OPENS = time(9, 30)
ENDS = time(16, 15)
"""What is asked for. The API's default end of 16:00 silently drops the 15 minutes in which QQQ, SPY, IWM and the index
roots still trade; the surplus elsewhere costs 4 % (thetadata-v3.md §5.1)."""

_STORED = tuple(name for name, length in INTERVALS_MS.items() if length >= INTERVALS_MS["1m"])
_PROBE_INTERVAL = "1h"


def _columns(text: str) -> tuple[Column, ...]:
    """`"bid:price ask:price"` as columns, after the four that every option answer begins with."""
    contract = "symbol:symbol expiration:expiration strike:strike right:right "
    return tuple(Column(*word.split(":")) for word in (contract + text).split())


_QUOTE = (
    "bid_size:size bid_exchange:code bid:price bid_condition:code "
    "ask_size:size ask_exchange:code ask:price ask_condition:code"
)
_DAY_BAR = "open:price high:price low:price close:price volume:count count:count "


@dataclass(frozen=True, slots=True)
class _Row:
    """A dataset without its interval; `by_range` where the endpoint knows no `date`, only start_date and end_date."""

    dataset: Dataset
    intervals: tuple[str, ...] = ()
    by_range: bool = False

    def at(self, interval: str) -> Dataset:
        name = f"{self.dataset.name}/{interval}"
        return replace(self.dataset, name=name, interval=interval, interval_ms=INTERVALS_MS[interval])


_CATALOGUE = (
    _Row(
        Dataset("option/quote", "/v3/option/history/quote", _columns(f"timestamp:timestamp {_QUOTE}"), Tier.VALUE),
        intervals=_STORED,
    ),
    _Row(
        Dataset(
            "option/open_interest",
            "/v3/option/history/open_interest",
            _columns("timestamp:timestamp open_interest:size"),
            Tier.VALUE,
            sparse=True,  # the exchange sent none for a contract: no row (§5.4)
        )
    ),
    _Row(
        Dataset(
            "option/eod",
            "/v3/option/history/eod",
            _columns(f"created:timestamp last_trade:timestamp {_DAY_BAR}{_QUOTE}"),
            Tier.FREE,
            day_column="created",
            builds=True,  # before 2022 two build passes are served (§5.3)
        ),
        by_range=True,
    ),
)
_BY_PATH = {row.dataset.path: row for row in _CATALOGUE}
DATASETS = {
    dataset.name: dataset
    for row in _CATALOGUE
    for dataset in ([row.at(interval) for interval in row.intervals] or [row.dataset])
}
"""Every dataset under its full name: `option/quote/1m`, …, `option/open_interest`, `option/eod`."""


def dataset(name: str, interval: str = "1m") -> Dataset:
    """`dataset("option/quote", "5m")` is `dataset("option/quote/5m")`.

    An interval in the name wins over `interval`, which is not looked at where a dataset has none. UsageError says
    what exists: the datasets, the API's intervals, or which of those thetabulk stores.
    """
    for row in _CATALOGUE:
        if name == row.dataset.name:
            return row.at(_stored(interval, row)) if row.intervals else row.dataset
        if row.intervals and name.startswith(f"{row.dataset.name}/"):
            return row.at(_stored(name.removeprefix(f"{row.dataset.name}/"), row))
    known = ", ".join(row.dataset.name for row in _CATALOGUE)
    raise UsageError(f"there is no dataset {name!r}", hint=f"the datasets are {known}")


def _stored(interval: str, row: _Row) -> str:
    if interval in row.intervals:
        return interval
    if interval in INTERVALS_MS:
        raise UsageError(
            f"the API has the interval {interval}, but thetabulk does not store it",
            hint=f"{row.dataset.name} is stored at {', '.join(row.intervals)}",
        )
    raise UsageError(
        f"{interval!r} is not an interval of the API, whose are {', '.join(INTERVALS_MS)}",
        hint=f"{row.dataset.name} is stored at {', '.join(row.intervals)}",
    )


def request_for(shard: Shard, dataset: Dataset) -> Request:
    """The one canonical request for a whole Shard: every parameter explicit, in one order, so that texts compare.

    `strike=*` and `right=both` are sent although they are the defaults: left out, the upstream is said to enumerate
    strikes one by one (§1.2). A part of the day is `request_for(…).with_params(right="call")`.
    """
    selected = shard.collection.selected
    return Request(
        dataset.path,
        (
            ("symbol", shard.symbol),
            ("expiration", "*"),
            ("strike", "*"),
            ("right", selected.get("right", "both")),
            *_when(dataset, shard.day, dataset.interval),
            *((name, selected[name]) for name in ("max_dte", "strike_range") if name in selected),
            ("format", "csv"),
        ),
    )


def probe_request(dataset: Dataset, symbol: str, day: date, expiration: date) -> Request:
    """A small question about a day: one expiration, at most eight rows per contract."""
    return Request(
        dataset.path,
        (
            ("symbol", symbol),
            ("expiration", expiration.isoformat()),
            ("strike", "*"),
            ("right", "both"),
            *_when(dataset, day, _PROBE_INTERVAL if dataset.interval else ""),
            ("format", "csv"),
        ),
    )


def _when(dataset: Dataset, day: date, interval: str) -> tuple[tuple[str, str], ...]:
    text = day.isoformat()
    days = (("start_date", text), ("end_date", text)) if _BY_PATH[dataset.path].by_range else (("date", text),)
    if not interval:
        return days
    return (*days, ("interval", interval), ("start_time", OPENS.isoformat()), ("end_time", ENDS.isoformat()))


def contracts_request(symbol: str, day: date, max_dte: int | None = None) -> Request:
    """The contracts that were quoted on a day; the path needs its last part, or the answer is 404 (§1.1)."""
    narrowed = () if max_dte is None else (("max_dte", str(max_dte)),)
    params = (("symbol", symbol), ("date", day.isoformat()), *narrowed, ("format", "csv"))
    return Request("/v3/option/list/contracts/quote", params)


def expirations_request(symbol: str) -> Request:
    """Every expiration there ever was."""
    return Request("/v3/option/list/expirations", (("symbol", symbol), ("format", "csv")))


def symbols_request() -> Request:
    """Every option root."""
    return Request("/v3/option/list/symbols", (("format", "csv"),))


def grid_of(dataset: Dataset, half_day: bool) -> dict[int, str]:
    """The known grids: rows per contract -> the times, `{391: "09:30–16:00", 406: "09:30–16:15"}` at one minute.

    On half-days also 211 and 226, to 13:00 and 13:15 (real half-days have been seen as large as full ones). Where
    a coarse interval cannot tell two ends apart, the text names both. Empty for a dataset without a grid.
    """
    if dataset.interval_ms is None:
        return {}
    ends = (time(13, 0), time(13, 15), time(16, 0), ENDS) if half_day else (time(16, 0), ENDS)
    grids: dict[int, str] = {}
    for end in ends:
        rows = (_minutes(end) - _minutes(OPENS)) * 60_000 // dataset.interval_ms + 1
        shown = f"{end:%H:%M}"
        grids[rows] = f"{grids[rows]} or {shown}" if rows in grids else f"{OPENS:%H:%M}–{shown}"
    return grids


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute

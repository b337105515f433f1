"""What is served: the paths, their columns, the subscription they need, and whether they take one of the account's
places. From the OpenAPI file (`x-min-subscription`, response schemas).
"""

from dataclasses import dataclass

from thetabulk.model import Tier

_CONTRACT = ("symbol", "expiration", "strike", "right")
_QUOTE = (
    "bid_size", "bid_exchange", "bid", "bid_condition", "ask_size", "ask_exchange", "ask", "ask_condition",
)  # fmt: skip
_TEXT_COLUMNS = frozenset(
    ("symbol", "expiration", "right", "timestamp", "created", "last_trade", "date", "type", "open", "close")
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`counted` requests take one of the account's places; status, list and calendar calls do not. `history` ones obey
    the account's first day."""

    name: str
    path: str
    columns: tuple[str, ...]
    needs: Tier
    counted: bool = False
    history: bool = False

    @property
    def numeric(self) -> frozenset[str]:
        """The columns that are numbers in JSON. `open` and `close` are prices here and times in the calendar."""
        prices = {"open", "close"} if self.counted else set()
        return frozenset(self.columns) - _TEXT_COLUMNS | prices


def _endpoints() -> tuple[Endpoint, ...]:
    history, lists = "/v3/option/history/", "/v3/option/list/"
    stamped = (*_CONTRACT, "timestamp")
    report = (*_CONTRACT, "created", "last_trade", "open", "high", "low", "close", "volume", "count", *_QUOTE)
    daily = ("type", "open", "close")
    return (
        Endpoint("quote", history + "quote", (*stamped, *_QUOTE), Tier.VALUE, True, True),
        Endpoint("eod", history + "eod", report, Tier.FREE, True, True),
        Endpoint("open_interest", history + "open_interest", (*stamped, "open_interest"), Tier.VALUE, True, True),
        Endpoint("symbols", lists + "symbols", ("symbol",), Tier.FREE),
        Endpoint("expirations", lists + "expirations", ("symbol", "expiration"), Tier.FREE),
        Endpoint("strikes", lists + "strikes", ("symbol", "strike"), Tier.FREE),
        Endpoint("contracts", lists + "contracts/quote", _CONTRACT, Tier.VALUE, history=True),
        Endpoint("traded-contracts", lists + "contracts/trade", _CONTRACT, Tier.VALUE, history=True),
        Endpoint("dates", lists + "dates/quote", ("date",), Tier.FREE),
        Endpoint("traded-dates", lists + "dates/trade", ("date",), Tier.FREE),
        Endpoint("today", "/v3/calendar/today", daily, Tier.FREE),
        Endpoint("on-date", "/v3/calendar/on_date", daily, Tier.VALUE),
        Endpoint("year-holidays", "/v3/calendar/year_holidays", ("date", *daily), Tier.VALUE),
    )


ENDPOINTS = {endpoint.path: endpoint for endpoint in _endpoints()}
"""By path."""

DATA = ("quote", "eod", "open_interest")

MDDS_STATUS, FPSS_STATUS, SHUTDOWN = "/v3/terminal/mdds/status", "/v3/terminal/fpss/status", "/v3/terminal/shutdown"

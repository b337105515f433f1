"""What an options account gets to hear about stocks and indices: a refusal that names the tier held, or a few bars.

Only as much as a first contact asks for; nobody downloads stocks here. Floors: thetadata-v3.md §1.5.
"""

from collections.abc import Mapping
from datetime import date

from thetabulk.model import Tier
from thetabulk.simulator.calendar import session_number
from thetabulk.simulator.instruments import INSTRUMENTS
from thetabulk.simulator.lines import LineFormat, cents_text
from thetabulk.simulator.refusals import NO_DATA, Refusal
from thetabulk.simulator.underlying import underlying

PATHS = {"/v3/stock/history/ohlc": "stock", "/v3/index/history/price": "index"}
_FLOORS = {
    "stock": {Tier.PRO: date(2012, 6, 1), Tier.STANDARD: date(2016, 1, 1), Tier.VALUE: date(2021, 1, 1)},
    "index": {Tier.PRO: date(2017, 1, 1), Tier.STANDARD: date(2022, 1, 1), Tier.VALUE: date(2023, 1, 1)},
}
_COLUMNS = {
    "stock": ("timestamp", "open", "high", "low", "close", "volume", "count", "vwap"),
    "index": ("timestamp", "price"),
}
_WORDS = {Tier.PRO: "professional"}
_HOURS = range(0, 390, 60)


def bars(path: str, params: Mapping[str, str], held: Mapping[str, Tier], seed: int, lines: LineFormat) -> bytes:
    """An hour a line, of one day. Raises `Refusal`: 400, 403 for a day above the tier held, 472 without data."""
    asset = PATHS[path]
    try:
        day = date.fromisoformat(params.get("date", ""))
    except ValueError:
        raise Refusal(400, f"Invalid date: {params.get('date', '')}") from None
    tier = held.get(asset, Tier.FREE)
    needed = next((each for each in Tier if day >= _FLOORS[asset].get(each, date.max)), None)
    if needed is None:
        raise Refusal(472, NO_DATA)
    if tier.rank < needed.rank:
        raise refusal(asset, needed, tier)
    symbol, number = params.get("symbol", ""), session_number(day)
    if number is None or (symbol not in INSTRUMENTS):
        raise Refusal(472, NO_DATA)
    cents = INSTRUMENTS[symbol].unit_cents
    prices = [cents_text(level * cents) for level in underlying(seed, symbol).path(number)]
    rows = []
    for minute in _HOURS:
        stamp, price = lines.stamp(day, (570 + minute) * 60_000), prices[minute]
        rows.append(b",".join([stamp, *([price] * 4), b"0,0", price] if asset == "stock" else [stamp, price]))
    return lines.header(_COLUMNS[asset]) + b"".join(row + lines.newline for row in rows)


def refusal(asset: str, needed: Tier, held: Tier) -> Refusal:
    """In the words that the option endpoints use; those of the others have not been seen."""
    article = "an" if asset == "index" else "a"
    return Refusal(
        403,
        f"Requesting {article} {asset} endpoint requiring a {_WORDS.get(needed, needed.text)} subscription, but you "
        f"only have a {_WORDS.get(held, held.text).upper()} subscription. Please consider upgrading!",
    )

"""Days that are odd and good: what vendors have been seen to send, and what a strict reader might trip over.

Each oddity changes a day, and says which remark has to be made about it. Whatever is combined, the day is to be saved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from random import Random

from tests.chaos.asking import Answer
from tests.unit.store.answers import (
    DAY,
    EOD,
    HOURLY,
    HOURS,
    LIVE,
    MINUTELY,
    OPEN_INTEREST,
    SPEC,
    SYMBOL,
    Printer,
    Row,
    chain,
    end_of_day,
    minutes,
    open_interest,
    quotes,
)
from thetabulk.model import Collection, Contract, Dataset, Right, Shard
from thetabulk.plan.datasets import grid_of

REMARKS = {
    "doubled": "came more than once",
    "expired": " had expired",
    "unlisted": "not in the vendor's list",
    "absent": "listed contracts are absent",
    "decimals": "more than 2 decimals",
    "no number": " no number",
    "negative": " negative",
    "maybe cut": "its last field may be cut",
    "no line end": "the last row has no line end",
    "print": "printed unlike the others",
    "order": "did not come contract by contract",
    "places": "prices are printed with",
    "crossed": "rows are crossed",
    "zero": "every quote is zero",
    "builds": "different rows a contract",
}
"""The words by which a remark is known. `maybe cut` comes before `no line end`, which is part of it."""

SECOND_ASKING = {"doubled", "expired", "unlisted", "decimals", "no number", "negative", "maybe cut"}


@dataclass
class Day:
    """A good day in the making. `remarks` are those that it has to be given; `confirmed`, whether it has to come twice
    before it is believed."""

    dataset: Dataset
    rows: list[Row]
    printer: Printer
    half_day: bool = False
    listed: frozenset[Contract] | None = frozenset()
    remarks: set[str] = field(default_factory=set)
    confirmed: bool = False
    mixed_line_ends: bool = False
    quoted_header: bool = False

    def __post_init__(self) -> None:
        self.listed = frozenset(self.contracts)

    @property
    def contracts(self) -> list[Contract]:
        return list(dict.fromkeys(row.contract for row in self.rows))

    def remark(self, *tags: str) -> None:
        self.remarks |= set(tags)
        self.confirmed = self.confirmed or not SECOND_ASKING.isdisjoint(tags)

    def answer(self, dice: Random) -> Answer:
        body = self.printer.body(self.dataset, self.rows)
        header, _, rest = body.partition(b"\n")
        if self.quoted_header:
            names = header.rstrip(b"\r").split(b",")
            header = b",".join(b'"' + name + b'"' for name in names) + header[len(header.rstrip(b"\r")) :]
        if self.mixed_line_ends:
            place = dice.randrange(rest.count(b"\n") - 1)
            at = [index for index, byte in enumerate(rest) if byte == ord("\n")][place]
            start = at - rest[:at].endswith(b"\r")
            rest = rest[:start] + (b"\n" if start < at else b"\r\n") + rest[at + 1 :]
        shard = Shard(Collection(self.dataset.name, "", SYMBOL), DAY)
        return Answer(shard, self.dataset, header + b"\n" + rest, self.listed, grid_of(self.dataset, self.half_day))

    @property
    def proof(self) -> str:
        if self.confirmed or "absent" in self.remarks:
            return "remarks"
        return "full" if self.listed else "no-contract-list"


def plain(dice: Random) -> Day:
    """A day of any kind without anything odd: any dataset, any known grid, whole and half days, both line formats."""
    printer = dice.choice((LIVE, SPEC))
    kind = dice.choice(("hours", "hours", "hours", "minutes", "open interest", "end of day"))
    if kind == "open interest":
        return Day(OPEN_INTEREST, open_interest(chain(dice.randint(1, 30))), printer)
    if kind == "end of day":
        return Day(EOD, end_of_day(chain(dice.randint(1, 30))), printer)
    half_day = dice.random() < 0.5
    if kind == "hours":
        times: Sequence[time] = HOURS[: dice.choice((4, 7)) if half_day else 7]
        strikes = dice.choice((1, 2, 5, 30))
    else:
        times = minutes(dice.choice((211, 226, 391, 406)) if half_day else dice.choice((391, 406)))
        strikes = 1
    rows = quotes(chain(strikes, dice.choice((1, 2))), times)
    return Day(HOURLY if kind == "hours" else MINUTELY, rows, printer, half_day)


def by_time(day: Day, _: Random) -> None:
    if day.dataset.interval_ms and len(day.contracts) > 1:
        day.rows.sort(key=lambda row: str(row.values[0]))
        day.remark("order")


def shuffled(day: Day, dice: Random) -> None:
    if len(day.rows) > 8 and len(day.contracts) > 1 and day.dataset.interval_ms:
        dice.shuffle(day.rows)
        day.remark("order")


def without_a_list(day: Day, _: Random) -> None:
    """Refused, failing or empty: the day is saved, and its proof says so."""
    if "absent" not in day.remarks:
        day.remarks.discard("unlisted")
        day.listed = None


def a_longer_list(day: Day, dice: Random) -> None:
    """At most one in a hundred, or in ten where the exchange sends nothing for some, has not come."""
    share = 10 if day.dataset.sparse else 100
    if not day.listed or len(day.contracts) < share or "absent" in day.remarks:
        return
    others = [Contract(date(2025, 1, 17), 900_000 + dice.randrange(1_000) * 500, Right.CALL)]
    day.listed |= frozenset(others)
    day.remark("absent")
    day.confirmed = day.confirmed or not day.dataset.sparse


def doubled_rows(day: Day, dice: Random) -> None:
    """A row, a few in a row, or a whole contract, right behind or much later."""
    if day.dataset.builds:
        return
    per_contract = len(day.rows) // len(day.contracts)
    start = dice.randrange(len(day.rows))
    count = dice.choice((1, 3, per_contract))
    place = dice.choice((start + 1, len(day.rows)))
    day.rows[place:place] = day.rows[start : start + count]
    day.remark("doubled")
    if not _in_order(day):
        day.remark("order")


def expired_in_1882(day: Day, _: Random) -> None:
    """Seen live: roots whose list has expirations of the nineteenth century."""
    _one_more(day, Contract(date(1882, 5, 19), 100_000, Right.CALL))
    day.remark("expired")


def listed_at_noon(day: Day, dice: Random) -> None:
    """A contract that the list of the day does not have yet."""
    _one_more(day, Contract(date(2024, 12, 20), 500_000 + 500 * dice.randrange(100), Right.PUT))


def _one_more(day: Day, contract: Contract) -> None:
    if contract in day.contracts:
        return
    last = day.rows[-1].contract
    day.rows += [replace(row, contract=contract) for row in day.rows if row.contract == last]
    if day.listed is not None:
        day.remark("unlisted")
    if not _in_order(day):
        day.remark("order")


def one_price(text: str, *tags: str) -> Callable[[Day, Random], None]:
    """One price of one row is this."""

    def change(day: Day, dice: Random) -> None:
        prices = [index for index, column in enumerate(day.dataset.columns[4:]) if column.kind == "price"]
        if prices and "doubled" not in day.remarks:
            place, price = dice.randrange(1, len(day.rows)), dice.choice(prices)
            if isinstance(day.rows[place].values[price], _Price):
                return  # another oddity has been here
            day.rows[place] = day.rows[place].but(price, _Price(text))
            day.remark(*tags)

    change.__name__ = f"one_price_{text}"
    return change


class _Price(Decimal):
    """Prints as it was written, whatever the printer's number of decimals."""

    def __format__(self, _: str, context: object = None, /) -> str:
        return str(self)


def more_decimals(day: Day, dice: Random) -> None:
    """Every price with a third or fourth one, which is zero."""
    if any(column.kind == "price" for column in day.dataset.columns) and not day.remarks & {"print", "negative"}:
        day.printer = replace(day.printer, places=dice.choice((3, 4)))
        day.remark("places")


def other_line_ends(day: Day, _: Random) -> None:
    day.printer = replace(day.printer, line_end={"\n": "\r\n", "\r\n": "\n"}[day.printer.line_end])


def mixed_line_ends(day: Day, _: Random) -> None:
    if len(day.rows) > 4:
        day.mixed_line_ends = True
        day.remark("print")


def no_final_newline(day: Day, _: Random) -> None:
    if day.printer.final_newline and not day.mixed_line_ends:
        day.printer = replace(day.printer, final_newline=False)


def other_quotes(day: Day, dice: Random) -> None:
    names = dice.sample(day.dataset.header, dice.randint(0, len(day.dataset.header)))
    day.printer = replace(day.printer, quoted=frozenset(names))


def quoted_header(day: Day, _: Random) -> None:
    day.quoted_header = True


def crossed(day: Day, _: Random) -> None:
    """In one row of five the bid is above the ask: the market is closing, or fast."""
    if "bid" in day.dataset.header and not day.remarks & {"doubled", "no number", "negative", "decimals"}:
        bid = day.dataset.header.index("bid") - 4
        ask = day.dataset.header.index("ask") - 4
        for place in range(0, len(day.rows), 5):
            day.rows[place] = day.rows[place].but(bid, Decimal("2.00")).but(ask, Decimal("1.00"))
        day.remark("crossed")


def all_zero(day: Day, _: Random) -> None:
    """Nobody quoted: every row is the placeholder."""
    if "bid" in day.dataset.header and not day.remarks & {"doubled", "no number", "negative", "decimals", "crossed"}:
        for index in (day.dataset.header.index(name) - 4 for name in ("bid", "ask")):
            day.rows = [row.but(index, Decimal("0.00")) for row in day.rows]
        day.remark("zero")


def two_builds(day: Day, _: Random) -> None:
    """Before 2022 an end of day came twice."""
    if day.dataset.builds and not day.remarks:
        day.rows = end_of_day(day.contracts, builds=2)
        day.remark("builds")


def _in_order(day: Day) -> bool:
    """Contract by contract, by time within each."""
    seen = dict.fromkeys(row.contract for row in day.rows)
    number = {contract: place for place, contract in enumerate(seen)}
    keys = [(number[row.contract], str(row.values[0])) for row in day.rows]
    return keys == sorted(keys)


Oddity = Callable[[Day, Random], None]
ODDITIES: tuple[Oddity, ...] = (
    by_time, shuffled, without_a_list, a_longer_list, a_longer_list, doubled_rows, expired_in_1882, listed_at_noon,
    one_price("1.005", "decimals", "print"), one_price("NaN", "no number", "print"), one_price("-0.05", "negative"),
    more_decimals, other_line_ends, mixed_line_ends, no_final_newline, other_quotes, quoted_header, crossed, all_zero,
    two_builds,
)  # fmt: skip


def odd_day(dice: Random) -> tuple[Day, list[str]]:
    """A good day with up to five oddities, and their names."""
    day, names = plain(dice), []
    for oddity in sorted(dice.sample(ODDITIES, dice.randint(0, 5)), key=ODDITIES.index):
        oddity(day, dice)
        names.append(oddity.__name__)
    if not day.printer.final_newline:
        last = [row.values[-1] for row in day.rows[-2:]]
        day.remark("no line end" if len(set(last)) < len(last) else "maybe cut")
    return day, names

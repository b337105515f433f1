"""Building vendor answers: chains of contracts with every value known, printed in any style.

It prints by itself, with nothing from `thetabulk.store`, so that reader and printer are held against a third opinion.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from thetabulk.model import Contract, Dataset, Right
from thetabulk.plan.datasets import DATASETS

SYMBOL = "QQQ"
DAY = date(2024, 8, 2)
HOURLY = DATASETS["option/quote/1h"]
MINUTELY = DATASETS["option/quote/1m"]
OPEN_INTEREST = DATASETS["option/open_interest"]
EOD = DATASETS["option/eod"]
HOURS = [time(hour, 30) for hour in range(9, 16)]

Value = int | Decimal | datetime


@dataclass(frozen=True)
class Row:
    contract: Contract
    values: tuple[Value, ...]

    def but(self, index: int, value: Value) -> "Row":
        """The same row with another value; the index counts behind the four columns of the contract."""
        return replace(self, values=(*self.values[:index], value, *self.values[index + 1 :]))


@dataclass(frozen=True)
class Printer:
    """A way to print an answer. The first is what a Terminal sends (`live`)."""

    quoted: frozenset[str] = frozenset({"symbol", "expiration", "right"})
    places: int = 2
    strike_places: int = 3
    fixed: bool = True
    line_end: str = "\n"
    final_newline: bool = True

    def header(self, dataset: Dataset) -> str:
        return ",".join(dataset.header) + self.line_end

    def line(self, dataset: Dataset, row: Row, symbol: str = SYMBOL) -> str:
        contract = row.contract
        strike = Decimal(contract.strike_mills) / 1000
        key = [symbol, contract.expiration.isoformat(), f"{strike:.{self.strike_places}f}", contract.right.upper()]
        texts = key + [self._text(value) for value in row.values]
        return ",".join(
            f'"{text}"' if name in self.quoted else text for name, text in zip(dataset.header, texts, strict=True)
        ) + self.line_end  # fmt: skip

    def body(self, dataset: Dataset, rows: Iterable[Row], symbol: str = SYMBOL) -> bytes:
        text = self.header(dataset) + "".join(self.line(dataset, row, symbol) for row in rows)
        return (text if self.final_newline else text.removesuffix(self.line_end)).encode()

    def _text(self, value: Value) -> str:
        if isinstance(value, datetime):
            text = value.isoformat(timespec="milliseconds")
            return text if self.fixed else text.rstrip("0").rstrip(".") if "." in text else text
        return f"{value:.{self.places}f}" if isinstance(value, Decimal) else str(value)


LIVE = Printer()
SPEC = Printer(quoted=frozenset(), fixed=False, line_end="\r\n")


def chain(strikes: int = 2, expirations: int = 1, day: date = DAY) -> list[Contract]:
    """Calls and puts around 100 dollars, so that strikes are printed in two lengths; the first expiration is today."""
    return [
        Contract(day + timedelta(days=7 * week), 99_500 + 500 * step, right)
        for week in range(expirations)
        for step in range(strikes)
        for right in (Right.CALL, Right.PUT)
    ]


def quotes(contracts: Sequence[Contract], times: Sequence[time] = HOURS, day: date = DAY) -> list[Row]:
    """A whole day of quotes, contract by contract; the first row of each is the zero placeholder."""
    rows = []
    for number, contract in enumerate(contracts):
        for slot, at in enumerate(times):
            stamp = datetime.combine(day, at)
            cents = 0 if slot == 0 else 40 + 37 * number + 5 * slot
            bid, ask = Decimal(cents) / 100, Decimal(cents + 2 * bool(slot)) / 100
            size = slot * (number + 1)
            rows.append(Row(contract, (stamp, size, 42, bid, 50, 2 * size, 7, ask, 50)))
    return rows


def minutes(count: int) -> list[time]:
    return [time((570 + minute) // 60, (570 + minute) % 60) for minute in range(count)]


def open_interest(contracts: Sequence[Contract], day: date = DAY) -> list[Row]:
    return [
        Row(contract, (datetime.combine(day, time(6, 30, number % 60, 117_000)), 1000 + number))
        for number, contract in enumerate(contracts)
    ]


def end_of_day(contracts: Sequence[Contract], builds: int = 1, day: date = DAY) -> list[Row]:
    """One row per contract and build, the builds of a contract together; every second contract has not traded."""
    rows = []
    for number, contract in enumerate(contracts):
        traded = number % 2 == 0
        last = datetime.combine(day, time(15, 58, number, 70_000) if traded else time(0))
        prices = [Decimal(cents * traded) / 100 for cents in (540, 605, 510, 535)]
        quote = (41, 43, Decimal("5.30"), 50, 66, 11, Decimal("5.40"), 50)
        for build in range(builds):
            created = datetime.combine(day, time(17, 15 + build, 33, 410_000))
            rows.append(Row(contract, (created, last, *prices, 10 * traded, 3 * traded, *quote)))
    return rows


def printers(dataset: Dataset = HOURLY) -> st.SearchStrategy[Printer]:
    """Every style an answer might have as a whole."""
    return st.builds(
        Printer,
        quoted=st.frozensets(st.sampled_from(dataset.header)),
        places=st.integers(2, 6),
        strike_places=st.integers(1, 4),
        fixed=st.booleans(),
        line_end=st.sampled_from(["\n", "\r\n"]),
        final_newline=st.booleans(),
    )


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]

"""What is wrong or odd about a day: one pass over its rows, by contract, never by adjacency (design §5).

`Check` counts while the answer streams; `findings` says at the end what the answer lacks, what it has too much of, and
what is merely odd; `judge` turns that into what becomes of the day. `verify --deep` uses the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from statistics import median
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import xxhash

from thetabulk.model import Collection, Contract, Dataset, Proof
from thetabulk.store.contracts import Contracts
from thetabulk.store.expected import Expected, absent_text, named, unlisted_text
from thetabulk.store.fields import DAY_MS, EPOCH, MOST_DOLLARS, NOT_UNITS, units_in
from thetabulk.store.habits import NOTHING_LEARNED, Habits
from thetabulk.store.rows import Rows
from thetabulk.store.style import Style
from thetabulk.wording import counted

Number = TypeVar("Number", np.uint8, np.int64)

_OPEN_MS = 34_200_000  # 09:30, the first stamp of every grid
_NEIGHBOURS_LEAST, _FEWEST, _MOST = 5, 0.4, 2.5
_ABSENT_SHARE = 0.01  # more of the listed contracts absent than this is lacking, less a surplus of the list
_SPARSE_SHARE = 0.1  # where absence is normal: what was listed that very day has none. More may be half an answer
_CROSSED_SHARE = 0.05
_TIMES, _ROWS_ANYWAY = 4, 100_000  # more rows than these, and so many times all places for them, are no day
_PRICE_PLACES, _HASHED_PLACES = 2, 6


@dataclass(frozen=True, slots=True)
class Findings:
    """Class B in two halves and class C, as sentences; whether the contract list was there to compare with, and
    whether all of it came."""

    lacking: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    list_known: bool = False
    list_complete: bool = False


class Fate(Enum):
    SAVE = auto()
    ASK_AGAIN = auto()  # it contradicts an expectation: asked once more, later
    KEEP_ASIDE = auto()  # the same lacking answer twice: `accept` promotes it


def judge(findings: Findings, content: str, earlier_content: str) -> tuple[Fate, Proof]:
    """What becomes of a whole answer, given the content of the answer before it ("" if there was none)."""
    if findings.lacking or findings.surplus:
        if content != earlier_content:
            return Fate.ASK_AGAIN, Proof.REMARKS
        return (Fate.KEEP_ASIDE if findings.lacking else Fate.SAVE), Proof.REMARKS
    if not findings.list_known:
        return Fate.SAVE, Proof.NO_CONTRACT_LIST
    return Fate.SAVE, Proof.FULL if findings.list_complete else Proof.REMARKS


def size_remark(rows: int, neighbours: Sequence[int]) -> str:
    """A class C sentence if a day has far fewer or more rows than the days around it; "" without enough of them.

    The bounds are those of reliability.md §7.1 (V7): they only make a person look, so they may be wide.
    """
    if len(neighbours) < _NEIGHBOURS_LEAST:
        return ""
    usual = median(neighbours)
    if _FEWEST * usual <= rows <= _MOST * usual:
        return ""
    return f"far from its neighbours in size: {rows} rows, they have about {usual:.0f}"


class Check:
    """Counts one answer's rows. `known_grids` names the rows per contract that a whole day has (plan/datasets),
    `habits` what the vendor profile adds."""

    def __init__(
        self, dataset: Dataset, collection: Collection, day: date, known_grids: Mapping[int, str],
        habits: Habits = NOTHING_LEARNED,
    ) -> None:  # fmt: skip
        self.rows = 0
        self.in_order = True
        self._dataset = dataset
        self._collection = collection
        self._day = day
        self._habits = habits
        self._known_grids = {(0, rows): times for rows, times in known_grids.items()} | dict(habits.grids)
        self._prices = [column.name for column in dataset.columns if column.kind == "price"]
        self._slots = max((first + rows for first, rows in self._known_grids), default=1) if dataset.interval_ms else 1
        self._seen = np.zeros((0, self._slots), dtype=np.uint8)  # contract × time, where there is a grid
        self._rows_of = np.zeros(0, dtype=np.int64)  # by contract, where there is none
        self._off_grid = 0
        self._identities: list[npt.NDArray[np.uint64]] = []  # of each row, where there is no grid to count by
        self._content = 0
        self._last = (-1, -1)
        self._last_fields: list[int] = []  # of the last two rows
        self._places = 0  # for rows, of the contracts that have come
        self._not_numbers = self._huge = self._negative = self._finer = self._crossed = self._zero = self._raw = 0

    def add(self, rows: Rows, contracts: Contracts) -> None:
        stamps = rows.values[self._dataset.day_column]
        self._follow_order(rows.contract, stamps)
        if self._dataset.interval_ms:
            self._mark(rows.contract.astype(np.int64), stamps, self._dataset.interval_ms, len(contracts))
        else:
            self._rows_of = _longer(self._rows_of, len(contracts))
            self._rows_of += np.bincount(rows.contract, minlength=len(contracts))
        self._look_at_prices(rows)
        self._last_fields = [*self._last_fields, *rows.values[self._dataset.columns[-1].name][-2:].tolist()][-2:]
        self.rows += len(rows)
        self._raw += len(rows.raw)
        self._places = len(contracts) * self._slots

    def add_content(self, rows: Rows, contracts: Contracts, style: Style) -> None:
        """Adds the rows to the content hash: a sum over rows, so that their order does not matter; prices count in
        millionths of a dollar, so that the number of decimals does not.

        Each column has a multiplier of its own without any pattern: with 1, 3, 5 … times a constant, three less of one
        column and one more of the next would cancel out.
        """
        mixed = contracts.hashes()[rows.contract]
        for column, places in zip(self._dataset.columns, style.places, strict=False):
            if column.name not in rows.values:
                continue
            values = rows.values[column.name]
            if column.kind == "price":
                values = self._in_millionths(values, places, column.name, rows.odd)
            mixed += values.astype(np.uint64) * np.uint64(xxhash.xxh3_64_intdigest(column.name.encode()) | 1)
        mixed ^= mixed >> np.uint64(31)
        mixed *= np.uint64(0x7FB5D329728EA185)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x81DADEF4BC2DD44D)
        mixed ^= mixed >> np.uint64(33)
        self._content = (self._content + int(mixed.sum(dtype=np.uint64))) % 2**64
        if not self._dataset.interval_ms:
            self._identities.append(mixed)

    @property
    def endless(self) -> bool:
        """The same rows come again and again, and would fill the memory before they fill the byte ceiling."""
        known = bool(self._known_grids) or not self._dataset.interval_ms
        return known and self.rows > _ROWS_ANYWAY + _TIMES * self._places

    @property
    def content(self) -> str:
        return f"{self.rows}:{self._content:016x}"

    def findings(self, contracts: Contracts, style: Style, listed: frozenset[Contract] | None) -> Findings:
        """What there is to say; `listed` is the vendor's list for the day, None or empty where it could not be had."""
        lacking: list[str] = []
        surplus: list[str] = []
        remarks: list[str] = []
        if self._dataset.interval_ms:
            self._judge_grid(contracts, lacking, surplus)
        else:
            self._judge_rows(contracts, surplus, remarks)
        self._judge_values(contracts, surplus)
        self._judge_print(style, surplus, remarks)
        self._judge_oddities(remarks)
        complete = self._judge_list(contracts, listed, lacking, surplus, remarks)
        return Findings(tuple(lacking), tuple(surplus), tuple(remarks), bool(listed), complete)

    def _in_millionths(
        self, units: npt.NDArray[np.int64], places: int, name: str, odd: Mapping[int, Mapping[str, Decimal]]
    ) -> npt.NDArray[np.int64]:
        """Prices for the hash, where those finer than a cent are counted in passing; what no whole number of millionths
        can say counts by its text."""
        if places > _PRICE_PLACES:
            self._finer += int(((units % 10 ** (places - _PRICE_PLACES) != 0) & (units != NOT_UNITS)).sum())
        millionths: npt.NDArray[np.int64] = units * 10 ** (_HASHED_PLACES - places)
        for row, values in odd.items():
            if name in values:
                value = values[name]
                exact = units_in(value, _HASHED_PLACES)
                text = str(value.normalize()).encode()
                millionths[row] = xxhash.xxh3_64_intdigest(text) >> 2 if exact is None else exact
        return millionths

    def _follow_order(self, contract: npt.NDArray[np.int32], stamps: npt.NDArray[np.int64]) -> None:
        """Contracts are numbered as they come, so contract-major order means numbers that never fall."""
        last_contract, last_stamp = self._last
        step = np.diff(contract, prepend=last_contract)
        later = np.diff(stamps, prepend=last_stamp) >= 0
        self.in_order = self.in_order and bool(((step > 0) | ((step == 0) & later)).all())
        self._last = (int(contract[-1]), int(stamps[-1]))

    def _mark(
        self, contract: npt.NDArray[np.int64], stamps: npt.NDArray[np.int64], interval_ms: int, contracts: int
    ) -> None:
        if contracts > len(self._seen):
            self._seen = _longer(self._seen, max(contracts, 2 * len(self._seen)))
        since_open = stamps - ((self._day.toordinal() - EPOCH) * DAY_MS + _OPEN_MS)
        slot, rest = np.divmod(since_open, interval_ms)
        on_grid = (rest == 0) & (slot >= 0) & (slot < self._slots)
        if not on_grid.all():
            self._off_grid += int((~on_grid).sum())
            contract, slot = contract[on_grid], slot[on_grid]
        self._seen.ravel()[contract * self._slots + slot] = 1

    def _look_at_prices(self, rows: Rows) -> None:
        for odd in rows.odd.values():
            for value in odd.values():
                self._negative += value.is_finite() and value < 0
                if not value.is_finite():
                    self._not_numbers += 1
                elif abs(value) >= MOST_DOLLARS:
                    self._huge += 1
                elif units_in(value, _PRICE_PLACES) is None:
                    self._finer += 1
        for name in self._prices:
            values = rows.values[name]
            self._negative += int(((values < 0) & (values != NOT_UNITS)).sum())
        if "bid" in rows.values and "ask" in rows.values:
            bid, ask = rows.values["bid"], rows.values["ask"]
            self._crossed += int(((bid > ask) & (ask > 0)).sum())
            self._zero += int(((bid == 0) & (ask == 0)).sum())

    def _judge_grid(self, contracts: Contracts, lacking: list[str], surplus: list[str]) -> None:
        present = self._seen[: len(contracts)]
        used = np.flatnonzero(present.any(axis=0))
        size = len(used)
        first = int(used[0]) if size else 0
        if (first, size) not in self._known_grids or used[-1] != first + size - 1:
            lacking.append(f"{size} rows per contract are no known grid ({_grid_list(self._known_grids)})")
        per_contract = present.sum(axis=1, dtype=np.int64)
        if short := [contracts[number] for number in np.flatnonzero(per_contract < size).tolist()]:
            lacking.append(_fewer_text(short))
        doubled = self.rows - self._off_grid - int(per_contract.sum())
        if doubled:
            surplus.append(f"{counted(doubled, 'row')} came more than once")
        if self._off_grid:
            lie = counted(self._off_grid, "row", "lies", "lie")
            lacking.append(f"{lie} off the grid of {self._dataset.interval}")

    def _judge_rows(self, contracts: Contracts, surplus: list[str], remarks: list[str]) -> None:
        rows = np.concatenate(self._identities) if self._identities else np.zeros(0, dtype=np.uint64)
        identical = len(rows) - len(np.unique(rows))
        if identical:
            surplus.append(f"{counted(identical, 'row')} came more than once")
        most = int(self._rows_of.max(initial=0))
        if most > 1 and not identical:
            text = f"up to {most} different rows a contract"
            (remarks if self._dataset.builds else surplus).append(text)
        fewer = [contracts[number] for number in np.flatnonzero(self._rows_of < most).tolist()]
        if fewer and self._dataset.builds and not identical:
            surplus.append(_fewer_text(fewer))

    def _judge_values(self, contracts: Contracts, surplus: list[str]) -> None:
        old = [contract for contract in contracts.listed if contract.expiration < self._day]
        if old:
            surplus.append(f"{counted(len(old), 'contract')} had expired: {named(old)}")
        if self._not_numbers:
            surplus.append(f"{counted(self._not_numbers, 'price', 'is no number', 'are no numbers')}")
        if self._negative:
            surplus.append(f"{counted(self._negative, 'price', 'is', 'are')} negative")
        if self._finer:
            surplus.append(f"{counted(self._finer, 'price', 'has', 'have')} more than {_PRICE_PLACES} decimals")
        if self._huge:
            surplus.append(f"{counted(self._huge, 'price', 'is', 'are')} out of range")

    def _judge_print(self, style: Style, surplus: list[str], remarks: list[str]) -> None:
        may_be_cut = self._habits.final_newline and len(set(self._last_fields)) == len(self._last_fields)
        if not style.final_newline and may_be_cut:
            surplus.append("the last row has no line end, and its last field may be cut")
        elif not style.final_newline:
            remarks.append("the last row has no line end")  # it ends like the row before it: a whole row
        places = {places for column, places in zip(self._dataset.columns, style.places, strict=False)
                  if column.kind == "price" and places != _PRICE_PLACES}  # fmt: skip
        if places:
            remarks.append(f"prices are printed with {' and '.join(map(str, sorted(places)))} decimals")
        if self._raw:
            remarks.append(f"{counted(self._raw, 'row', 'is', 'are')} printed unlike the others")

    def _judge_oddities(self, remarks: list[str]) -> None:
        if self._crossed > _CROSSED_SHARE * self.rows:
            remarks.append(f"{self._crossed} of {self.rows} rows are crossed (bid above ask)")
        if self._zero == self.rows and "bid" in self._dataset.header:
            remarks.append("every quote is zero")
        if not self.in_order:
            remarks.append("rows did not come contract by contract; they are stored so, and their order is remembered")

    def _judge_list(
        self, contracts: Contracts, listed: frozenset[Contract] | None,
        lacking: list[str], surplus: list[str], remarks: list[str],
    ) -> bool:  # fmt: skip
        if not listed:
            return False
        expected = Expected(self._collection, self._day, listed)
        absent, unlisted = expected.absent(contracts.listed), expected.unlisted(contracts.listed)
        if unlisted:
            usual = self._habits.may_add(len(unlisted), len(contracts))
            (remarks if usual else surplus).append(unlisted_text(unlisted))
        if absent and self._habits.may_lack(len(absent), expected.count):
            remarks.append(absent_text(absent, expected, sparse=False))
        elif absent and self._dataset.sparse:
            too_many = len(absent) > _SPARSE_SHARE * expected.count
            (surplus if too_many else remarks).append(absent_text(absent, expected, sparse=True))
        elif absent:
            too_many = _too_many(self._dataset, absent, expected)
            (lacking if too_many else surplus).append(absent_text(absent, expected, sparse=False))
        return not absent and not unlisted


def compare_with_list(
    dataset: Dataset, collection: Collection, day: date, received: Iterable[Contract], listed: frozenset[Contract]
) -> tuple[str, ...]:
    """What a saved day and the vendor's list do not agree on; () is full proof."""
    every = list(received)
    expected = Expected(collection, day, listed)
    absent, unlisted = expected.absent(every), expected.unlisted(every)
    texts = [unlisted_text(unlisted)] if unlisted else []
    return tuple(texts + ([absent_text(absent, expected, sparse=dataset.sparse)] if absent else []))


def lacks_contracts(
    dataset: Dataset, collection: Collection, day: date, received: Iterable[Contract], listed: frozenset[Contract],
    habits: Habits = NOTHING_LEARNED,
) -> str:  # fmt: skip
    """What a saved day lacks, if it would not have been saved had the vendor's list been there; else ""."""
    expected = Expected(collection, day, listed)
    absent = expected.absent(received)
    lacking = _too_many(dataset, absent, expected) and not habits.may_lack(len(absent), expected.count)
    return absent_text(absent, expected, sparse=False) if lacking else ""


def _too_many(dataset: Dataset, absent: Sequence[Contract], expected: Expected) -> bool:
    return not dataset.sparse and len(absent) > _ABSENT_SHARE * expected.count


def _fewer_text(short: Sequence[Contract]) -> str:
    return f"{counted(len(short), 'contract', 'has', 'have')} fewer rows than the others: {named(short)}"


def _grid_list(grids: Mapping[tuple[int, int], str]) -> str:
    return ", ".join(f"{rows} for {text}" for (_, rows), text in sorted(grids.items()))


def _longer(rows: npt.NDArray[Number], length: int) -> npt.NDArray[Number]:
    """With zeros behind, up to a length."""
    grown = np.zeros((length, *rows.shape[1:]), dtype=rows.dtype)
    grown[: len(rows)] = rows
    return grown

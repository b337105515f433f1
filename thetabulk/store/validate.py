"""What is wrong or odd about a day: one pass over its rows, by contract, never by adjacency (design §5).

`Check` counts while the answer streams; `findings` says at the end what the answer lacks, what it has too much of, and
what is merely odd; `judge` turns that into what becomes of the day. `verify --deep` uses the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto

import numpy as np
import numpy.typing as npt
import xxhash

from thetabulk.model import Collection, Contract, Dataset, Proof, Right
from thetabulk.store.contracts import Contracts
from thetabulk.store.rows import NOT_UNITS, Rows
from thetabulk.store.style import Style

_DAY_MS = 86_400_000
_OPEN_MS = 34_200_000  # 09:30, the first stamp of every grid
_EPOCH = date(1970, 1, 1).toordinal()
_ABSENT_SHARE = 0.01  # more of the listed contracts absent than this is lacking, less a surplus of the list
_NAMED = 5  # so many contracts are named in a remark
_CROSSED_SHARE = 0.05
_PRICE_PLACES = 2


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


class Check:
    """Counts one answer's rows. `known_grids` names the rows per contract that a whole day has (plan/datasets)."""

    def __init__(self, dataset: Dataset, collection: Collection, day: date, known_grids: Mapping[int, str]) -> None:
        self.rows = 0
        self.in_order = True
        self._dataset = dataset
        self._collection = collection
        self._day = day
        self._known_grids = known_grids
        self._slots = max(known_grids, default=1) if dataset.interval_ms else 1
        self._seen = np.zeros((0, self._slots), dtype=np.uint8)
        self._off_grid = 0
        self._identities: list[npt.NDArray[np.uint64]] = []  # of each row, where there is no grid to count by
        self._content = 0
        self._last = (-1, -1)
        self._not_numbers = self._negative = self._finer = self._crossed = self._zero = self._raw = 0

    def add(self, rows: Rows, contracts: Contracts) -> None:
        stamps = rows.values[self._dataset.day_column]
        self._follow_order(rows.contract, stamps)
        self._count(rows.contract.astype(np.int64), stamps, len(contracts))
        self._look_at_prices(rows)
        self.rows += len(rows)
        self._raw += len(rows.raw)

    def add_content(self, rows: Rows, contracts: Contracts, style: Style) -> None:
        """Adds the rows to the content hash: a sum over rows, so that their order does not matter; prices count in
        millionths of a dollar, so that the number of decimals does not."""
        mixed = contracts.hashes()[rows.contract]
        places = {column.name: style.places[index] for index, column in enumerate(self._dataset.columns)}
        for index, (name, values) in enumerate(rows.values.items()):
            scaled = values * 10 ** (6 - min(places[name], 6)) if places[name] or self._is_price(name) else values
            mixed = mixed + (scaled.astype(np.uint64) + np.uint64(1)) * np.uint64(_ODD_CONSTANTS[index])
        for row, odd in rows.odd.items():
            text = ";".join(f"{name}={value.normalize()}" for name, value in sorted(odd.items()))
            mixed[row] ^= np.uint64(xxhash.xxh3_64_intdigest(text.encode()))
        mixed ^= mixed >> np.uint64(31)
        mixed = mixed * np.uint64(0x7FB5D329728EA185)
        mixed ^= mixed >> np.uint64(27)
        mixed = mixed * np.uint64(0x81DADEF4BC2DD44D)
        mixed ^= mixed >> np.uint64(33)
        self._content = (self._content + int(mixed.sum(dtype=np.uint64))) % 2**64
        if not self._dataset.interval_ms:
            self._identities.append(mixed)

    @property
    def content(self) -> str:
        return f"{self.rows}:{self._content:016x}"

    def findings(self, contracts: Contracts, style: Style, listed: frozenset[Contract] | None) -> Findings:
        """What there is to say; `listed` is the vendor's list for the day, None where it could not be had."""
        lacking: list[str] = []
        surplus: list[str] = []
        remarks: list[str] = []
        places = max((n for n, column in zip(style.places, self._dataset.columns, strict=False) if column.kind == "price"), default=0)
        if places > _PRICE_PLACES:
            surplus.append(f"prices have {places} decimals")
        if not style.final_newline:
            remarks.append("the last row has no line end")
        if self._dataset.interval_ms:
            self._judge_grid(contracts, lacking, surplus)
        else:
            self._judge_rows(contracts, surplus, remarks)
        self._judge_values(contracts, surplus, remarks)
        complete = self._judge_list(contracts, listed, lacking, surplus, remarks)
        return Findings(tuple(lacking), tuple(surplus), tuple(remarks), listed is not None, complete)

    def _is_price(self, name: str) -> bool:
        return any(column.name == name and column.kind == "price" for column in self._dataset.columns)

    def _follow_order(self, contract: npt.NDArray[np.int32], stamps: npt.NDArray[np.int64]) -> None:
        """Contracts are numbered as they come, so contract-major order means numbers that never fall."""
        last_contract, last_stamp = self._last
        step = np.diff(contract, prepend=last_contract)
        later = np.diff(stamps, prepend=last_stamp) >= 0
        self.in_order = self.in_order and bool(((step > 0) | ((step == 0) & later)).all())
        self._last = (int(contract[-1]), int(stamps[-1]))

    def _count(self, contract: npt.NDArray[np.int64], stamps: npt.NDArray[np.int64], contracts: int) -> None:
        if contracts > len(self._seen):
            grown = np.zeros((max(contracts, 2 * len(self._seen)), self._slots), dtype=np.uint8)
            grown[: len(self._seen)] = self._seen
            self._seen = grown
        slot = np.zeros(len(contract), dtype=np.int64)
        if self._dataset.interval_ms:
            since_open = stamps - ((self._day.toordinal() - _EPOCH) * _DAY_MS + _OPEN_MS)
            slot, rest = np.divmod(since_open, self._dataset.interval_ms)
            on_grid = (rest == 0) & (slot >= 0) & (slot < self._slots)
            if not on_grid.all():
                self._off_grid += int((~on_grid).sum())
                contract, slot = contract[on_grid], slot[on_grid]
        np.add.at(self._seen.reshape(-1), contract * self._slots + slot, np.uint8(1))

    def _look_at_prices(self, rows: Rows) -> None:
        for odd in rows.odd.values():
            finite = [value for value in odd.values() if value.is_finite()]
            self._not_numbers += len(finite) < len(odd)
            self._negative += any(value < 0 for value in finite)
            self._finer += any(value > 0 for value in finite)
        for name, values in rows.values.items():
            if self._is_price(name):
                self._negative += int(((values < 0) & (values != NOT_UNITS)).sum())
        if "bid" in rows.values and "ask" in rows.values:
            bid, ask = rows.values["bid"], rows.values["ask"]
            self._crossed += int(((bid > ask) & (ask > 0)).sum())
            self._zero += int(((bid == 0) & (ask == 0)).sum())

    def _judge_grid(self, contracts: Contracts, lacking: list[str], surplus: list[str]) -> None:
        seen = self._seen[: len(contracts)]
        present = seen > 0
        used = present.any(axis=0)
        size = int(used.sum())
        if size not in self._known_grids or not used[:size].all():
            lacking.append(f"{size} rows per contract are no known grid ({_grid_list(self._known_grids)})")
        per_contract = present.sum(axis=1)
        if short := np.flatnonzero(per_contract < size).tolist():
            lacking.append(f"{len(short)} contracts have fewer rows than the others: {_named(contracts[i] for i in short)}")
        doubled = int((seen.astype(np.int64) - present).sum())
        if doubled:
            surplus.append(f"{doubled} rows came more than once")
        if self._off_grid:
            lacking.append(f"{self._off_grid} rows lie off the grid of {self._dataset.interval}")

    def _judge_rows(self, contracts: Contracts, surplus: list[str], remarks: list[str]) -> None:
        rows = np.concatenate(self._identities) if self._identities else np.zeros(0, dtype=np.uint64)
        identical = len(rows) - len(np.unique(rows))
        if identical:
            surplus.append(f"{identical} rows came more than once")
        most = int(self._seen.max(initial=0))
        if most > 1 and not identical:
            text = f"up to {most} different rows a contract"
            (remarks if self._dataset.builds else surplus).append(text)

    def _judge_values(self, contracts: Contracts, surplus: list[str], remarks: list[str]) -> None:
        old = [contract for contract in contracts.listed if contract.expiration < self._day]
        if old:
            surplus.append(f"{len(old)} contracts had expired: {_named(old)}")
        if self._not_numbers:
            surplus.append(f"{self._not_numbers} rows have a price that is no number")
        if self._negative:
            surplus.append(f"{self._negative} prices are negative")
        if self._finer:
            surplus.append(f"{self._finer} rows have a price with more decimals than the others")
        if self._crossed > _CROSSED_SHARE * self.rows:
            remarks.append(f"{self._crossed} of {self.rows} rows are crossed (bid above ask)")
        if self._zero == self.rows and "bid" in self._dataset.header:
            remarks.append("every quote is zero")
        if self._raw:
            remarks.append(f"{self._raw} rows are printed unlike the others")
        if not self.in_order:
            remarks.append("rows did not come contract by contract; they are stored so, and their order is remembered")

    def _judge_list(
        self, contracts: Contracts, listed: frozenset[Contract] | None,
        lacking: list[str], surplus: list[str], remarks: list[str],
    ) -> bool:  # fmt: skip
        if listed is None:
            return False
        expected = Expected(self._collection, self._day, listed)
        absent, unlisted = expected.absent(contracts.listed), expected.unlisted(contracts.listed)
        if unlisted:
            surplus.append(_unlisted_text(unlisted))
        if absent and self._dataset.sparse:
            remarks.append(_absent_text(absent, expected, sparse=True))
        elif absent:
            too_many = len(absent) > _ABSENT_SHARE * expected.count
            (lacking if too_many else surplus).append(_absent_text(absent, expected, sparse=False))
        return not absent and not unlisted


def compare_with_list(
    dataset: Dataset, collection: Collection, day: date, received: Iterable[Contract], listed: frozenset[Contract]
) -> tuple[str, ...]:
    """What a saved day and the vendor's list do not agree on; () is full proof."""
    every = list(received)
    expected = Expected(collection, day, listed)
    absent, unlisted = expected.absent(every), expected.unlisted(every)
    texts = [_unlisted_text(unlisted)] if unlisted else []
    return tuple(texts + ([_absent_text(absent, expected, sparse=dataset.sparse)] if absent else []))


def _unlisted_text(unlisted: list[Contract]) -> str:
    return f"{len(unlisted)} contracts are not in the vendor's list: {_named(unlisted)}"


def _absent_text(absent: list[Contract], expected: "Expected", *, sparse: bool) -> str:
    text = f"{len(absent)} of {expected.count} listed contracts are absent: {_named(absent)}"
    return f"{text}; the vendor sends no row where the exchange sent none" if sparse else text


class Expected:
    """The vendor's list of contracts, cut to a collection's selection."""

    def __init__(self, collection: Collection, day: date, listed: Iterable[Contract]) -> None:
        selected = collection.selected
        right = Right(selected.get("right", Right.BOTH))
        max_dte = int(selected["max_dte"]) if "max_dte" in selected else None
        self._strike_range = int(selected["strike_range"]) if "strike_range" in selected else None
        self._listed = frozenset(
            contract
            for contract in listed
            if right in (Right.BOTH, contract.right)
            and (max_dte is None or (contract.expiration - day).days <= max_dte)
        )

    @property
    def count(self) -> int:
        return len(self._listed)

    def unlisted(self, received: Iterable[Contract]) -> list[Contract]:
        return sorted((contract for contract in received if contract not in self._listed), key=_by_name)

    def absent(self, received: Iterable[Contract]) -> list[Contract]:
        """Listed, but not received. With a strike range: what is missing inside each expiration's window of strikes."""
        missing = self._listed.difference(received)
        if self._strike_range is not None:
            missing &= self._windows(frozenset(received), self._strike_range)
        return sorted(missing, key=_by_name)

    def _windows(self, received: frozenset[Contract], strike_range: int) -> frozenset[Contract]:
        """We do not know the money the vendor centred on; we know that a window is contiguous in the listed strikes
        and 2n + 1 strikes wide, or ends where they end. An expiration without any contract has its middle window."""
        strikes: dict[date, set[int]] = defaultdict(set)
        for contract in self._listed:
            strikes[contract.expiration].add(contract.strike_mills)
        got: dict[date, set[int]] = defaultdict(set)
        for contract in received & self._listed:
            got[contract.expiration].add(contract.strike_mills)
        wanted: dict[date, set[int]] = {}
        for expiration, every in strikes.items():
            ladder = sorted(every)
            here = [index for index, strike in enumerate(ladder) if strike in got[expiration]]
            low, high = (here[0], here[-1]) if here else (len(ladder) // 2, len(ladder) // 2)
            short = 2 * strike_range - (high - low)  # 2n + 1 strikes; 2n where no strike is at the money
            if short > 1 and low > 0 and high < len(ladder) - 1:
                low, high = max(0, low - short // 2), min(len(ladder) - 1, high + short - short // 2)
            wanted[expiration] = set(ladder[low : high + 1])
        return frozenset(contract for contract in self._listed if contract.strike_mills in wanted[contract.expiration])


def _by_name(contract: Contract) -> tuple[date, int, str]:
    return contract.expiration, contract.strike_mills, contract.right


def _named(contracts: Iterable[Contract]) -> str:
    every = list(contracts)
    names = [f"{c.expiration} {c.strike_mills / 1000:g} {c.right.upper()}" for c in every[:_NAMED]]
    return ", ".join(names) + (f" and {len(every) - _NAMED} more" if len(every) > _NAMED else "")


def _grid_list(grids: Mapping[int, str]) -> str:
    return ", ".join(f"{size} for {text}" for size, text in sorted(grids.items()))



_ODD_CONSTANTS = tuple((0x9E3779B97F4A7C15 * (2 * index + 1)) % 2**64 | 1 for index in range(64))

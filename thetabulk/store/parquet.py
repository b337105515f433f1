"""Columns to a Parquet file and back: encodings, row groups, footer.

The settings are those measured in performance.md §D. `symbol` is in the path and the footer, and no column: a Hive key
that is also a column breaks pyarrow.dataset or pandas. Nothing in a file depends on clock or chance: the same answer
gives the same file.
"""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from thetabulk.model import Column, Contract, Dataset, Right
from thetabulk.store.contracts import Contracts
from thetabulk.store.fields import price, units_in, unquoted
from thetabulk.store.rows import KEY_COLUMNS, Rows
from thetabulk.store.style import Style

FOOTER_KEY = b"thetabulk"
RAW = "_raw"
READ_ROWS = 131_072
_EPOCH_DAY = date(1970, 1, 1)
_FIRST_CAPACITY = 65_536
_NUMPY = {"timestamp": np.int64, "price": np.int64, "size": np.int32, "code": np.int16, "count": np.int64}
_ARROW = {"size": pa.int32(), "code": pa.int16(), "count": pa.int64(), "timestamp": pa.timestamp("ms")}


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says about itself, beside its columns. `order` is the place at which each stored row arrived, where
    that was another order than the stored one."""

    dataset: str
    selection: str
    symbol: str
    day: str
    request: str
    style: Style
    vendor_bytes: int
    vendor_xxh3: str
    content: str
    rows: int
    contracts: int
    prices: str
    order: npt.NDArray[np.int64] | None = field(default=None, compare=False)

    def to_json(self) -> str:
        fields: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        fields |= {"style": json.loads(self.style.to_json()), "order": _packed(self.order)}
        fields |= {"version": 1, "times": "New York wall clock"}
        return json.dumps(fields, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Footer":
        fields = json.loads(text)
        style = Style.from_json(json.dumps(fields.pop("style")))
        order = _unpacked(fields.pop("order"))
        return cls(**{name: fields[name] for name in cls.__slots__ if name in fields}, style=style, order=order)


class RowBuffer:
    """Rows on their way to a row group, in arrays that are used again for the next one."""

    def __init__(self, columns: tuple[Column, ...], capacity: int) -> None:
        self.rows = 0
        self.odd: dict[int, dict[str, Decimal]] = {}
        self.raw: dict[int, str] = {}
        self._kinds = {column.name: column.kind for column in columns[KEY_COLUMNS:]}
        self._most = capacity
        self._arrays: dict[str, npt.NDArray[np.generic]] = {}
        self._grow(min(_FIRST_CAPACITY, capacity))

    def __getitem__(self, name: str) -> npt.NDArray[np.generic]:
        return self._arrays[name][: self.rows]

    def room(self, limited: bool) -> int:
        """How many rows fit before a row group is full; without a limit always enough."""
        return self._most - self.rows if limited else 2**31

    def append(self, rows: Rows, start: int, stop: int) -> None:
        end = self.rows + stop - start
        if end > len(self._arrays["contract"]):
            doubled = 2 * len(self._arrays["contract"])
            self._grow(max(end, doubled if end > self._most else min(doubled, self._most)))
        for name, array in self._arrays.items():
            array[self.rows : end] = (rows.contract if name == "contract" else rows.values[name])[start:stop]
        shift = self.rows - start
        for row, text in rows.raw.items():
            if start <= row < stop:
                self.raw[row + shift] = text
        for row, odd in rows.odd.items():
            if start <= row < stop:
                self.odd[row + shift] = odd
        self.rows = end

    def reorder(self) -> npt.NDArray[np.int64]:
        """Contract by contract, by time within each, ties as they came. Returns where each row came from."""
        stamp = next(name for name, kind in self._kinds.items() if kind == "timestamp")
        order = np.lexsort((self[stamp], self["contract"]))
        for name in self._arrays:
            self._arrays[name] = self[name][order]
        place = np.empty(self.rows, dtype=np.int64)
        place[order] = np.arange(self.rows)
        self.raw = {int(place[row]): text for row, text in self.raw.items()}
        self.odd = {int(place[row]): odd for row, odd in self.odd.items()}
        return order

    def clear(self) -> None:
        self.rows = 0
        self.odd, self.raw = {}, {}

    def cut(self, start: int, stop: int) -> "RowBuffer":
        """A view of some rows."""
        view = object.__new__(RowBuffer)
        view.rows, view._most, view._kinds = stop - start, self._most, self._kinds
        view._arrays = {name: array[start:stop] for name, array in self._arrays.items()}
        view.raw = {row - start: text for row, text in self.raw.items() if start <= row < stop}
        view.odd = {row - start: odd for row, odd in self.odd.items() if start <= row < stop}
        return view

    def _grow(self, capacity: int) -> None:
        for name, kind in {"contract": "size", **self._kinds}.items():
            if kind == "text":
                continue
            grown = np.empty(capacity, dtype=_NUMPY[kind])
            if self.rows:
                grown[: self.rows] = self._arrays[name][: self.rows]
            self._arrays[name] = grown


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


class _Sink(io.RawIOBase):
    """The file object that pyarrow wants. It closes the file in `__del__` too, and writes a footer then: once
    abandoned, into nothing, because the scratch is gone."""

    def __init__(self, file: Writable) -> None:
        self._file: Writable | None = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return len(data) if self._file is None else self._file.write(data)

    def abandon(self) -> None:
        self._file = None


class ParquetWriter:
    """Writes one day's rows. Full row groups are written as they fill, unless `hold` was called: then all rows wait,
    to be put in order at the end."""

    def __init__(self, file: Writable, dataset: Dataset, *, prices: str, row_group_rows: int, level: int) -> None:
        self._sink = _Sink(file)
        self._dataset = dataset
        self._prices = prices
        self._group_rows = row_group_rows
        self._level = level
        self._buffer = RowBuffer(dataset.columns, row_group_rows)
        self._writer: pq.ParquetWriter | None = None
        self._held = False
        self.groups_written = 0

    def hold(self) -> None:
        self._held = True

    def append(self, rows: Rows, contracts: Contracts, style: Style) -> None:
        start = 0
        while start < len(rows):
            stop = min(len(rows), start + self._buffer.room(not self._held))
            self._buffer.append(rows, start, stop)
            start = stop
            if not self._held and not self._buffer.room(True):
                self._write(self._buffer, contracts, style)
                self._buffer.clear()

    def close(self, contracts: Contracts, style: Style) -> npt.NDArray[np.int64] | None:
        """Writes what is left. Returns the order of arrival if rows had to be put in order. `finish` comes next."""
        order = self._buffer.reorder() if self._held else None
        for start in range(0, self._buffer.rows, self._group_rows):
            self._write(self._buffer.cut(start, min(start + self._group_rows, self._buffer.rows)), contracts, style)
        self._buffer.clear()
        return order

    def finish(self, footer: Footer) -> None:
        assert self._writer is not None, "a day without rows is no file"
        self._writer.add_key_value_metadata({FOOTER_KEY: footer.to_json().encode()})
        self._writer.close()

    def finish_early(self, contracts: Contracts, style: Style) -> None:
        """Ends the file where it is, so that its rows can be read back; it is no day yet."""
        self.close(contracts, style)
        assert self._writer is not None
        self._writer.close()

    def abandon(self) -> None:
        """Nothing more is written, not even when this is collected."""
        self._sink.abandon()
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()

    def _write(self, rows: RowBuffer, contracts: Contracts, style: Style) -> None:
        columns = _columns(rows, self._dataset, contracts, style, self._prices)
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._sink, table.schema, compression="zstd", compression_level=self._level, version="2.6",
                store_decimal_as_integer=True, store_schema=False, write_statistics=True,
                use_dictionary=_dictionary_columns(self._dataset, self._prices),
                column_encoding=_encodings(self._dataset, self._prices),
            )  # fmt: skip
        self._writer.write_table(table, row_group_size=len(table))
        self.groups_written += 1


def _dictionary_columns(dataset: Dataset, prices: str) -> list[str]:
    kinds = {"expiration", "strike", "right", "code"} | ({"price"} if prices == "double" else set())
    return [column.name for column in dataset.columns if column.kind in kinds]


def _encodings(dataset: Dataset, prices: str) -> dict[str, str]:
    by_kind = {"timestamp": "DELTA_BINARY_PACKED", "size": "BYTE_STREAM_SPLIT", "count": "DELTA_BINARY_PACKED"}
    if prices == "decimal":
        by_kind["price"] = "DELTA_BINARY_PACKED"
    return {column.name: by_kind[column.kind] for column in dataset.columns if column.kind in by_kind}


def _columns(rows: RowBuffer, dataset: Dataset, contracts: Contracts, style: Style, prices: str) -> dict[str, pa.Array]:
    number = rows["contract"]
    puts = pa.array(contracts.puts()[number])
    columns: dict[str, pa.Array] = {
        "expiration": pa.array(contracts.expirations()[number]).view(pa.date32()),
        "strike": _decimals(contracts.strikes_mills()[number], 3, None) if prices == "decimal"
        else pa.array(contracts.strikes()[number]),
        "right": pa.DictionaryArray.from_arrays(puts, ["CALL", "PUT"]),
    }  # fmt: skip
    for index, column in enumerate(dataset.columns[KEY_COLUMNS:], KEY_COLUMNS):
        values = rows[column.name]
        if column.kind == "price":
            columns[column.name] = _price_column(values, style.places[index], prices, rows, column.name)
        else:
            columns[column.name] = pa.array(values).view(_ARROW[column.kind])
    texts: list[str | None] = [None] * rows.rows if rows.raw else []
    for row, text in rows.raw.items():
        texts[row] = text
    columns[RAW] = pa.array(texts, pa.string()) if rows.raw else pa.nulls(rows.rows, pa.string())
    return columns


def _price_column(values: npt.NDArray[np.generic], places: int, prices: str, rows: RowBuffer, name: str) -> pa.Array:
    units = values.astype(np.int64, copy=False)
    odd = {row: some[name] for row, some in rows.odd.items() if name in some}
    if prices == "decimal":
        scale = 2 if places <= 2 else 4 if places <= 4 else 6
        scaled, missing = units * 10 ** (scale - places), np.zeros(len(units), dtype=np.bool_)
        for row, value in odd.items():
            exact = units_in(value, scale)
            scaled[row], missing[row] = exact or 0, exact is None
        return _decimals(scaled, scale, missing if missing.any() else None)
    dollars = units / float(10**places)  # the nearest double to the decimal text: both are exact integers below 2^53
    for row, value in odd.items():
        dollars[row] = value
    return pa.array(dollars)


def _decimals(units: npt.NDArray[np.int64], scale: int, missing: npt.NDArray[np.bool_] | None) -> pa.Array:
    """decimal128(9 or 18, scale) from whole units, without a Python object per value."""
    wide = np.empty((len(units), 2), dtype="<i8")
    wide[:, 0], wide[:, 1] = units, units >> 63
    kind = pa.decimal128(9 if scale <= 3 else 18, scale)
    present = None if missing is None else pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(kind, len(units), [present, pa.py_buffer(wide)])


def read_footer(path: Path) -> Footer:
    """Raises ValueError if the file is no Parquet file, or none of ours."""
    with _damage_told():
        metadata = pq.read_metadata(path).metadata or {}
    if FOOTER_KEY not in metadata:
        raise ValueError("a Parquet file, but not written by thetabulk")
    try:
        return Footer.from_json(metadata[FOOTER_KEY])
    except (TypeError, LookupError, zstandard.ZstdError) as error:
        raise ValueError(f"the footer is not one of thetabulk's: {error!r}") from error


def read_tables(path: Path, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The file's rows, some at a time. Raises ValueError for damage that the decoder notices."""
    with _damage_told(), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(READ_ROWS, columns=columns, use_threads=False):
            yield pa.Table.from_batches([batch])


@contextmanager
def _damage_told() -> Iterator[None]:
    """Arrow's errors about the file's content as ValueError. What the system says about drive or file has an errno,
    and is passed on: a drive that is gone damages no file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise ValueError(f"unreadable: {error}") from error


def units_of(values: pa.ChunkedArray, kind: str, places: int) -> npt.NDArray[np.int64]:
    """A stored column as whole numbers: for prices units of 10^-places, 0 where the line keeps its text."""
    array = values.combine_chunks()
    if kind == "price" and pa.types.is_decimal(array.type):
        low = np.frombuffer(array.buffers()[1], dtype="<i8")[2 * array.offset :: 2][: len(array)]
        units: npt.NDArray[np.int64] = low // 10 ** (array.type.scale - places)
        return units
    numbers: npt.NDArray[np.int64]
    if kind == "price":
        dollars = np.nan_to_num(array.to_numpy(zero_copy_only=False), posinf=0, neginf=0)
        numbers = np.rint(dollars.clip(-1e12, 1e12) * 10**places).astype(np.int64)
        return numbers
    numbers = (array.view(pa.int64()) if kind == "timestamp" else array).to_numpy().astype(np.int64)
    return numbers


def keys_of(table: pa.Table) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The contract of each row as (days since 1970, strike in mills, 1 for a put), and the rows where it changes."""
    expirations = table["expiration"].combine_chunks().view(pa.int32()).to_numpy().astype(np.int64)
    puts = pc.equal(table["right"], "PUT").to_numpy().astype(np.int64)
    keys = np.stack([expirations, units_of(table["strike"], "price", 3), puts], axis=1)
    changes = np.any(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1)
    return keys, np.flatnonzero(changes)


def contract_of(key: npt.NDArray[np.int64]) -> Contract:
    days, mills, put = key.tolist()
    return Contract(_EPOCH_DAY + timedelta(days=days), mills, Right.PUT if put else Right.CALL)


def stored_rows(path: Path, dataset: Dataset, contracts: Contracts, style: Style) -> Iterator[Rows]:
    """The rows of a file as they were when they were written."""
    for table in read_tables(path):
        keys, heads = keys_of(table)
        numbers = np.array([contracts.number(contract_of(key)) for key in keys[heads]], dtype=np.int32)
        rows = Rows(np.repeat(numbers, np.diff(np.append(heads, len(keys)))), {})
        rows.raw = {row: text for row, text in enumerate(table[RAW].to_pylist()) if text is not None}
        for index, column in enumerate(dataset.columns[KEY_COLUMNS:], KEY_COLUMNS):
            values = rows.values[column.name] = units_of(table[column.name], column.kind, style.places[index])
            if column.kind == "price":
                for row, text in rows.raw.items():  # where a price is odd, the line has kept its text
                    field_text = unquoted(text.rstrip("\r\n").split(","))[index]
                    values[row], odd = price(column, field_text, style.places[index])
                    if odd is not None:
                        rows.odd.setdefault(row, {})[column.name] = odd
        yield rows


def contracts_in(path: Path) -> list[Contract]:
    """The contracts of a file, each once."""
    found: dict[Contract, None] = {}
    for table in read_tables(path, ["expiration", "strike", "right"]):
        keys, heads = keys_of(table)
        found |= dict.fromkeys(contract_of(key) for key in keys[heads])
    return list(found)


def _packed(order: npt.NDArray[np.int64] | None) -> str:
    if order is None:
        return ""
    steps = np.diff(order.astype("<i4"), prepend=np.int32(0))
    return base64.b64encode(zstandard.ZstdCompressor(level=9).compress(steps.astype("<i4").tobytes())).decode()


def _unpacked(text: str) -> npt.NDArray[np.int64] | None:
    if not text:
        return None
    steps = np.frombuffer(zstandard.ZstdDecompressor().decompress(base64.b64decode(text)), dtype="<i4")
    return np.cumsum(steps, dtype=np.int64)

"""Columns to a Parquet file: encodings, row groups, footer.

The settings are those measured in performance.md §D. `symbol` is in the path and the footer, and no column: a Hive key
that is also a column breaks pyarrow.dataset or pandas. Nothing in a file depends on clock or chance: the same answer
gives the same file.
"""

import io
from contextlib import suppress
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from thetabulk.model import Column, Dataset
from thetabulk.store.contracts import Contracts
from thetabulk.store.fields import units_in
from thetabulk.store.footer import FOOTER_KEY, Footer
from thetabulk.store.rows import KEY_COLUMNS, Rows
from thetabulk.store.style import Style

RAW = "_raw"
_FIRST_CAPACITY = 65_536
_NUMPY = {"timestamp": np.int64, "price": np.int64, "size": np.int32, "code": np.int16, "count": np.int64}
_ARROW = {"size": pa.int32(), "code": pa.int16(), "count": pa.int64(), "timestamp": pa.timestamp("ms")}


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
        assert not self.groups_written, "what is written cannot be put in order"
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


def _encodings(dataset: Dataset, prices: str) -> dict[str, str]:
    """The columns that are not written as dictionaries. Exchange codes change with almost every quote: split into bytes
    they take 0.45 instead of 0.52 bytes a row (measured on a simulated day of 3.6 M rows); conditions never change."""
    by_kind = {"timestamp": "DELTA_BINARY_PACKED", "size": "BYTE_STREAM_SPLIT", "count": "DELTA_BINARY_PACKED"}
    if prices == "decimal":
        by_kind["price"] = "DELTA_BINARY_PACKED"
    encodings = {column.name: by_kind[column.kind] for column in dataset.columns if column.kind in by_kind}
    exchanges = [name for name in dataset.header if name.endswith("_exchange")]
    return encodings | dict.fromkeys(exchanges, "BYTE_STREAM_SPLIT")


def _dictionary_columns(dataset: Dataset, prices: str) -> list[str]:
    others = _encodings(dataset, prices)
    return [name for name in dataset.header if name != "symbol" and name not in others]


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

"""A stored day's Parquet file, read again.

Everything here raises ValueError for a file that is damaged, and whatever the system says if it cannot be had.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from thetabulk.errors import BadAnswer
from thetabulk.model import Column, Contract, Dataset, Right
from thetabulk.store.contracts import Contracts
from thetabulk.store.fields import price, unquoted
from thetabulk.store.footer import FOOTER_KEY, Footer
from thetabulk.store.parquet import RAW
from thetabulk.store.rows import KEY_COLUMNS, Rows
from thetabulk.store.style import Style

READ_ROWS = 32_768
_EPOCH_DAY = date(1970, 1, 1)
_MAGIC = b"PAR1"


def _is_price(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float64(kind) or pa.types.is_decimal128(kind))


_FITS: dict[str, Callable[[pa.DataType], bool]] = {
    "expiration": pa.types.is_date32, "strike": _is_price, "right": pa.types.is_string,
    "timestamp": pa.types.is_timestamp, "price": _is_price, "size": pa.types.is_int32, "code": pa.types.is_int16,
    "count": pa.types.is_int64, "text": pa.types.is_string,
}  # fmt: skip


def read_footer(path: Path) -> Footer:
    """Raises ValueError if the file is no Parquet file, or none of ours."""
    with damage_told():
        _check_opening(path)
        metadata = pq.read_metadata(path).metadata or {}
    if FOOTER_KEY not in metadata:
        raise ValueError("a Parquet file, but not written by thetabulk")
    try:
        return Footer.from_json(metadata[FOOTER_KEY])
    except (TypeError, LookupError, zstandard.ZstdError) as error:
        raise ValueError(f"the footer is not one of thetabulk's: {error!r}") from error


def read_tables(path: Path, kinds: Mapping[str, str]) -> Iterator[pa.Table]:
    """Columns by name and kind, some rows at a time. Raises ValueError for damage that the decoder notices."""
    with damage_told(), pq.ParquetFile(path) as file:
        _check_opening(path)
        schema = file.schema_arrow
        strange = [
            name for name, kind in kinds.items() if name not in schema.names or not _FITS[kind](schema.field(name).type)
        ]
        if strange:
            raise ValueError(f"unreadable: no column {', '.join(strange)} of the right type")
        for batch in file.iter_batches(READ_ROWS, columns=list(kinds), use_threads=False):
            yield pa.Table.from_batches([batch])


def _check_opening(path: Path) -> None:
    """A Parquet file begins and ends with the same four bytes. Arrow looks at the last ones alone, others at both."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("unreadable: it does not begin as a Parquet file does")


def kinds_in(dataset: Dataset) -> dict[str, str]:
    """The columns of a file, and their kinds; the symbol is in its path."""
    return {column.name: column.kind for column in dataset.columns if column.kind != "symbol"} | {RAW: "text"}


@contextmanager
def damage_told() -> Iterator[None]:
    """Arrow's errors about the file's content, and values out of all bounds, as ValueError. What the system says about
    drive or file has an errno, and is passed on: a drive that is gone damages no file."""
    try:
        yield
    except (pa.ArrowException, OverflowError, OSError) as error:
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
    puts = pc.equal(table["right"], "PUT").fill_null(False).to_numpy().astype(np.int64)
    keys = np.stack([expirations, units_of(table["strike"], "price", 3), puts], axis=1)
    changes = np.any(np.diff(keys, axis=0, prepend=keys[:1] - 1) != 0, axis=1)
    return keys, np.flatnonzero(changes)


def contract_of(key: npt.NDArray[np.int64]) -> Contract:
    days, mills, put = key.tolist()
    return Contract(_EPOCH_DAY + timedelta(days=days), mills, Right.PUT if put else Right.CALL)


def stored_rows(path: Path, dataset: Dataset, contracts: Contracts, style: Style) -> Iterator[Rows]:
    """The rows of a file as they were when they were written. Raises ValueError if it is damaged."""
    with damage_told():
        for table in read_tables(path, kinds_in(dataset)):
            yield _rows_of(table, dataset, contracts, style)


def _rows_of(table: pa.Table, dataset: Dataset, contracts: Contracts, style: Style) -> Rows:
    keys, heads = keys_of(table)
    numbers = np.array([contracts.number(contract_of(key)) for key in keys[heads]], dtype=np.int32)
    rows = Rows(np.repeat(numbers, np.diff(np.append(heads, len(keys)))), {})
    rows.raw = {row: text for row, text in enumerate(table[RAW].to_pylist()) if text is not None}
    for index, column in enumerate(dataset.columns[KEY_COLUMNS:], KEY_COLUMNS):
        values = rows.values[column.name] = units_of(table[column.name], column.kind, style.places[index])
        for row, text in rows.raw.items() if column.kind == "price" else ():
            values[row], odd = _price_in(text, column, index, style)  # odd prices are nowhere else in full
            if odd is not None:
                rows.odd.setdefault(row, {})[column.name] = odd
    return rows


def _price_in(line: str, column: Column, index: int, style: Style) -> tuple[int, Decimal | None]:
    try:
        return price(column, unquoted(line.rstrip("\r\n").split(","))[index], style.places[index])
    except (BadAnswer, IndexError) as error:
        raise ValueError(f"unreadable: {error}") from error


def contracts_in(path: Path) -> list[Contract]:
    """The contracts of a file, each once. Raises ValueError if it is damaged."""
    found: dict[Contract, None] = {}
    with damage_told():
        for table in read_tables(path, {name: name for name in ("expiration", "strike", "right")}):
            keys, heads = keys_of(table)
            found |= dict.fromkeys(contract_of(key) for key in keys[heads])
    return list(found)

"""A stored day back to the vendor's CSV, byte for byte: what `export` prints and `verify --deep` hashes.

Each column is printed once per distinct value; the texts are then joined row by row.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from thetabulk.model import Dataset
from thetabulk.store.fields import printed
from thetabulk.store.footer import Footer
from thetabulk.store.parquet import RAW
from thetabulk.store.rows import KEY_COLUMNS
from thetabulk.store.stored import contract_of, damage_told, keys_of, kinds_in, read_footer, read_tables, units_of


def vendor_csv(path: Path, dataset: Dataset) -> Iterator[bytes]:
    """The body that was received, in pieces. Raises ValueError if the file cannot be read."""
    footer = read_footer(path)
    yield footer.style.header.encode()
    last = b""
    with damage_told():
        for lines in _in_order_of_arrival(path, dataset, footer):
            if last:
                yield last
            last = _joined(lines)
    yield last if footer.style.final_newline else last.removesuffix(footer.style.line_end.encode())


def printed_xxh3(path: Path, dataset: Dataset) -> str:
    """XXH3-128 of what `vendor_csv` prints, 32 hex digits."""
    digest = xxhash.xxh3_128()
    for piece in vendor_csv(path, dataset):
        digest.update(piece)
    return digest.hexdigest()


def _in_order_of_arrival(path: Path, dataset: Dataset, footer: Footer) -> Iterator[pa.Array]:
    """The lines, some at a time; all at once where they were stored in another order."""
    pieces = (_lines(table, footer, dataset) for table in read_tables(path, kinds_in(dataset)))
    if footer.order is None:
        yield from pieces
        return
    arrived = np.empty(len(footer.order), dtype=np.int64)
    arrived[footer.order] = np.arange(len(footer.order))
    yield pa.concat_arrays(list(pieces)).take(pa.array(arrived))


def _joined(lines: pa.Array) -> bytes:
    """The characters of a string array, one after the other."""
    offsets, characters = lines.buffers()[1], lines.buffers()[2]
    kind = np.int64 if pa.types.is_large_string(lines.type) else np.int32
    places = np.frombuffer(offsets, dtype=kind)
    return bytes(characters[int(places[lines.offset]) : int(places[lines.offset + len(lines)])])


def _lines(table: pa.Table, footer: Footer, dataset: Dataset) -> pa.Array:
    style = footer.style
    columns = [_prefixes(table, footer)]
    for index, column in enumerate(dataset.columns[KEY_COLUMNS:], KEY_COLUMNS):
        end = style.line_end if index == len(dataset.columns) - 1 else ","
        quote = '"' if style.quoted[index] else ""
        values = units_of(table[column.name], column.kind, style.places[index])
        distinct = pa.array(values).dictionary_encode()
        texts = [
            printed(column, value, style.places[index], style.fraction) for value in distinct.dictionary.to_pylist()
        ]
        whole = pa.array([f"{quote}{text}{quote}{end}" for text in texts], pa.large_string())
        columns.append(whole.take(distinct.indices))
    lines = pc.binary_join_element_wise(*columns, pa.scalar("", pa.large_string()))
    raw = table[RAW].combine_chunks()
    return lines if raw.null_count == len(raw) else pc.coalesce(raw.cast(pa.large_string()), lines)


def _prefixes(table: pa.Table, footer: Footer) -> pa.Array:
    keys, heads = keys_of(table)
    texts = [footer.style.contract_prefix(footer.symbol, contract_of(key)) for key in keys[heads]]
    runs = np.diff(np.append(heads, len(keys)))
    return pa.array(texts, pa.large_string()).take(pa.array(np.repeat(np.arange(len(heads)), runs)))

"""The reader by itself: CSV text to checked columns, ours beside pyarrow's, in one process and one thread.

python -m benchmarks.parse CHUNKED DAY REPEATS        a recorded day; prints a JSON document

pyarrow's reader gets explicit types and the same pieces. It is lax: `1.3`, `+1.30` and `T09:30` pass for what was
meant. Ours proves that every line prints back as it came; so the third contender is pyarrow's with the cheapest such
proof that we know: every distinct text of a piece is converted, printed again and compared.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from benchmarks.child import median
from thetabulk.fetch.allocator import tune_allocator
from thetabulk.model import Column
from thetabulk.plan.datasets import dataset
from thetabulk.store.rows import RowReader

_PIECE_BYTES = 1_048_576
_DATASET = dataset("option/quote")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "expiration": pa.date32(), "strike": pa.float64(), "timestamp": pa.timestamp("ms"), "price": pa.float64(),
    "size": pa.int32(), "code": pa.int16(), "count": pa.int64(),
}  # fmt: skip
_PRINTED_AS = {"strike": pa.decimal128(12, 3), "price": pa.decimal128(12, 2)}


def main(file: Path, day: date, repeats: int) -> dict[str, object]:
    """CPU seconds for each GB, medians of runs in turns."""
    tune_allocator()  # as in a download
    body = unchunked(file.read_bytes())
    readers: dict[str, Callable[[], int]] = {
        "thetabulk": lambda: _ours(body, day),
        "pyarrow": lambda: _theirs(body),
        "pyarrow, with proof": lambda: _theirs_proven(body),
    }
    taken: dict[str, list[float]] = {name: [] for name in readers}
    rows = {name: reader() for name, reader in readers.items()}  # warms up
    if len(set(rows.values())) != 1:
        raise RuntimeError(f"the readers do not agree: {rows}")
    for _ in range(repeats):
        for name, reader in readers.items():
            started = time.process_time()
            reader()
            taken[name].append(time.process_time() - started)
    costs = {name: round(median(seconds) / len(body) * 1e9, 2) for name, seconds in taken.items()}
    return {"rows": rows["thetabulk"], "csv_bytes": len(body), "cpu_s_a_gb": costs}


def _ours(body: bytes, day: date) -> int:
    reader = RowReader(_DATASET, "QQQ", day)
    for start in range(0, len(body), _PIECE_BYTES):
        reader.feed(body[start : start + _PIECE_BYTES])
    reader.finish()
    return reader.lines


def _theirs(body: bytes) -> int:
    types = {column.name: _TYPES.get(column.kind, _TEXT) for column in _DATASET.columns}
    return sum(batch.num_rows for batch in _batches(body, types))


def _theirs_proven(body: bytes) -> int:
    rows = 0
    for batch in _batches(body, dict.fromkeys(_DATASET.header, _TEXT)):
        rows += batch.num_rows
        for column, values in zip(_DATASET.columns, batch.columns, strict=True):
            texts = values.dictionary
            converted, printed = _converted(column, texts)
            if not pc.all(pc.equal(texts, printed)).as_py():
                raise RuntimeError(f"a text of {column.name} does not print back")
            converted.take(values.indices)
            pc.sum(pc.binary_length(texts).take(values.indices))
    return rows


def _converted(column: Column, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The values of some texts, and the values printed."""
    if column.kind not in _TYPES:
        return texts, texts
    values = texts.cast(_TYPES[column.kind])
    if column.kind == "timestamp":
        return values, pc.strftime(values, "%Y-%m-%dT%H:%M:%S")
    return values, values.cast(_PRINTED_AS.get(column.kind, values.type)).cast(pa.string())


def _batches(body: bytes, types: dict[str, pa.DataType]) -> pacsv.CSVStreamingReader:
    return pacsv.open_csv(
        io.BytesIO(body), pacsv.ReadOptions(use_threads=False, block_size=_PIECE_BYTES),
        convert_options=pacsv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
    )  # fmt: skip


def unchunked(recorded: bytes) -> bytes:
    """The body of a recorded answer."""
    pieces: list[bytes] = []
    at = 0
    while True:
        end = recorded.index(b"\r\n", at)
        size = int(recorded[at:end], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(recorded[end + 2 : end + 2 + size])
        at = end + 4 + size


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]))))

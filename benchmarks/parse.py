"""The reader by itself: CSV text to checked columns, ours beside pyarrow's, in one process and one thread.

python -m benchmarks.parse CHUNKED DAY REPEATS        a recorded day; prints a JSON document

pyarrow's reader gets explicit types, and reads in the same pieces. Ours also proves that every line prints back as it
came; pyarrow's takes `1.3`, `+1.30` and `T09:30` for the same as what was meant.
"""

import io
import json
import sys
import time
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from benchmarks.child import median
from thetabulk.plan.datasets import dataset
from thetabulk.store.rows import RowReader

_PIECE_BYTES = 1_048_576
_TYPES = {
    "expiration": pa.date32(), "strike": pa.float64(), "timestamp": pa.timestamp("ms"), "price": pa.float64(),
    "size": pa.int32(), "code": pa.int16(), "count": pa.int64(),
}  # fmt: skip
_TEXT = pa.dictionary(pa.int32(), pa.string())


def main(file: Path, day: date, repeats: int) -> dict[str, object]:
    """CPU seconds for each GB, medians of runs in turns."""
    body = _unchunked(file.read_bytes())
    ours, theirs = [], []
    rows = 0
    for _ in range(repeats):
        started = time.process_time()
        rows = _read_ours(body, day)
        ours.append(time.process_time() - started)
        started = time.process_time()
        if _read_theirs(body) != rows:
            raise RuntimeError("the readers do not agree")
        theirs.append(time.process_time() - started)
    gigabytes = len(body) / 1e9
    return {
        "rows": rows, "csv_bytes": len(body), "ours_cpu_s_a_gb": round(median(ours) / gigabytes, 2),
        "pyarrow_cpu_s_a_gb": round(median(theirs) / gigabytes, 2),
    }  # fmt: skip


def _read_ours(body: bytes, day: date) -> int:
    reader = RowReader(dataset("option/quote"), "QQQ", day)
    view = memoryview(body)
    for start in range(0, len(view), _PIECE_BYTES):
        reader.feed(bytes(view[start : start + _PIECE_BYTES]))
    reader.finish()
    return reader.lines


def _read_theirs(body: bytes) -> int:
    types = {column.name: _TYPES.get(column.kind, _TEXT) for column in dataset("option/quote").columns}
    batches = pacsv.open_csv(
        io.BytesIO(body), pacsv.ReadOptions(use_threads=False, block_size=_PIECE_BYTES),
        convert_options=pacsv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
    )  # fmt: skip
    return sum(batch.num_rows for batch in batches)


def _unchunked(recorded: bytes) -> bytes:
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

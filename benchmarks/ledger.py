"""The ledger by itself: how long the n-th append takes, beside the plain write and sync of the same bytes.

python -m benchmarks.ledger FOLDER        prints a JSON document
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.child import median
from thetabulk.ledger.journal import Ledger
from thetabulk.model import Asked, Collection, Proof, Saved, Shard
from thetabulk.store.disk import Disk

DAYS = 20_000
_AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
_COLLECTION = Collection("option/quote/1m", "", "QQQ")
_ASKED = Asked(
    "/v3/option/history/quote?symbol=QQQ&expiration=*&strike=*&right=both&date=2024-08-02&interval=1m"
    "&start_time=09:30:00&end_time=16:15:00&format=csv",
    seconds=9.751, tier="standard",
)  # fmt: skip


def main(folder: Path) -> dict[str, object]:
    """Records DAYS outcomes in a new ledger and, in turns, appends the same lines to a plain file."""
    folder.mkdir(parents=True)
    plain = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    recorded, appended = [], []
    with Ledger.open(folder, write=True, disk=Disk(sleep=time.sleep)) as ledger, ledger.path.open("rb") as written:
        for number in range(DAYS):
            recorded.append(_timed(partial(ledger.record, _saved(number), _AT)))
            appended.append(_timed(partial(_append, plain, written.read())))
    os.close(plain)
    started = time.perf_counter()
    with Ledger.open(folder, write=False, disk=Disk(sleep=time.sleep)) as ledger:
        loaded = len(ledger.days)
    seconds = time.perf_counter() - started
    return {
        "records": loaded, "bytes_a_record": round((folder / "plain").stat().st_size / DAYS),
        "load_s": round(seconds, 3), "first_quarter": _quarter(recorded, appended, 0),
        "last_quarter": _quarter(recorded, appended, DAYS * 3 // 4),
    }  # fmt: skip


def _quarter(recorded: Sequence[float], appended: Sequence[float], start: int) -> dict[str, float]:
    """Microseconds, medians."""
    part = slice(start, start + DAYS // 4)
    return {"record_us": round(median(recorded[part]) * 1e6, 1), "plain_us": round(median(appended[part]) * 1e6, 1)}


def _saved(number: int) -> Saved:
    shard = Shard(_COLLECTION, date(1970, 1, 1) + timedelta(days=number))
    return Saved(
        shard, _ASKED, Proof.FULL, 3_563_868, 8_778, 25_000_000, 1_700_000_000_000_000_000 + number, f"{number:064x}",
        308_000_000, f"{number:032x}", f"3563868:{number:016x}",
    )  # fmt: skip


def _append(descriptor: int, line: bytes) -> None:
    os.write(descriptor, line)
    os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))

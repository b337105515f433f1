"""Small stores, built without a Terminal from answers written by hand: three contracts, seven rows each."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from thetabulk.assembly import stores
from thetabulk.assembly.stores import Store
from thetabulk.config import StoreConfig
from thetabulk.model import Asked, Collection, Failed, Proof, Saved, Shard
from thetabulk.plan.datasets import dataset, grid_of, request_for
from thetabulk.store.layout import kept_path
from thetabulk.store.recording import Manner, Recording

_TEMPLATES = TemporaryDirectory(prefix="small-stores-")
HOURLY = Collection("option/quote/1h", "", "QQQ")
DAYS = (date(2024, 7, 29), date(2024, 7, 30), date(2024, 7, 31), date(2024, 8, 1), date(2024, 8, 2))
AT = datetime(2026, 11, 19, 12, tzinfo=UTC)
CONTRACTS = (("2024-08-16", "455.000", "CALL"), ("2024-08-16", "455.000", "PUT"), ("2024-09-20", "460.000", "CALL"))
HEADER = (
    "symbol,expiration,strike,right,timestamp,bid_size,bid_exchange,bid,bid_condition,"
    "ask_size,ask_exchange,ask,ask_condition\n"
)


def answer(shard: Shard, *, contracts: Iterable[tuple[str, str, str]] = CONTRACTS, line_end: str = "\n") -> bytes:
    """What the Terminal would send for a day of hourly quotes; every day has other prices."""
    lines = [HEADER.replace("\n", line_end)]
    for number, (expiration, strike, right) in enumerate(contracts):
        for hour in range(7):
            cents = 100 * number + 7 * hour + shard.day.day
            stamp = f"{shard.day}T{9 + hour:02d}:30:00.000"
            lines.append(
                f'"{shard.symbol}","{expiration}",{strike},"{right}",{stamp},'
                f"{10 + hour},5,{cents // 100}.{cents % 100:02d},50,{20 + hour},9,9.99,50{line_end}"
            )
    return "".join(lines).encode()


def contract_list(symbol: str, contracts: Iterable[tuple[str, str, str]] = CONTRACTS) -> bytes:
    lines = [f'"{symbol}","{expiration}",{strike},"{right}"\n' for expiration, strike, right in contracts]
    return ("symbol,expiration,strike,right\n" + "".join(lines)).encode()


def make(path: Path, file_format: str = "parquet", source: str = "terminal") -> None:
    stores.make(path, StoreConfig(format=file_format), source)


@contextmanager
def writing(path: Path) -> Iterator[Store]:
    with stores.opened(path, StoreConfig(reserve_bytes=0), write=True) as store:
        yield store


@contextmanager
def reading(path: Path) -> Iterator[Store]:
    with stores.opened(path, StoreConfig(), write=False) as store:
        yield store


def save(
    store: Store, shard: Shard, body: bytes | None = None, *, listed: bool = True, at: datetime = AT
) -> Saved:  # fmt: skip
    """Commit an answer and record it, as a run does; without a contract list if the day is not `listed`."""
    if listed:
        store.lists.keep(shard.symbol, shard.day, contract_list(shard.symbol))
    request, recording = _recorded(store, shard, answer(shard) if body is None else body)
    weighed = recording.weigh(store.lists.read(shard.symbol, shard.day), "")
    done = recording.commit(store.path_of(shard))
    saved = Saved(
        shard, Asked(request, 1, 2.5, "", "standard"), weighed.proof, weighed.rows, weighed.contracts, done.bytes,
        done.mtime_ns, done.sha256, weighed.vendor_bytes, weighed.vendor_xxh3, weighed.content, weighed.remarks,
    )  # fmt: skip
    store.ledger.record(saved, at)
    return saved


def keep_aside(store: Store, shard: Shard, body: bytes) -> Failed:
    """Keep an answer aside as incomplete, as a run does after the second of its kind."""
    store.lists.keep(shard.symbol, shard.day, contract_list(shard.symbol))
    request, recording = _recorded(store, shard, body)
    weighed = recording.weigh(store.lists.read(shard.symbol, shard.day), "")
    aside = kept_path(shard, store.format)
    recording.commit(aside)
    failed = Failed(
        shard, Asked(request), "incomplete", "the same lacking answer twice", weighed.content, str(aside),
        weighed.remarks,
    )  # fmt: skip
    store.ledger.record(failed, AT)
    return failed


def small_store(path: Path, file_format: str = "parquet", days: Iterable[date] = DAYS) -> None:
    """A store with these days of QQQ saved and proven; a copy of one that is made once, because every sync costs."""
    shutil.copytree(_template(file_format, tuple(days)), path)


@cache
def _template(file_format: str, days: tuple[date, ...]) -> Path:
    path = Path(_TEMPLATES.name, f"{file_format}-{'-'.join(map(str, days))}")
    make(path, file_format)
    with writing(path) as store:
        for day in days:
            assert save(store, Shard(HOURLY, day)).proof is Proof.FULL
    return path


def _recorded(store: Store, shard: Shard, body: bytes) -> tuple[str, Recording]:
    kind = dataset(shard.collection.dataset)
    request = request_for(shard, kind).text
    recording = Recording(
        shard, kind, request, grid_of(kind, half_day=False), Manner(store.format), lambda: store.day_part(shard)
    )
    recording.feed(body)
    return request, recording

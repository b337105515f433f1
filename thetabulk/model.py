"""The nouns: what is wanted, how it is asked for, and how it ended.

Everything here is a frozen value. The words are those of docs/architecture.md; every part may import this file,
and the simulator imports nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Self
from urllib.parse import urlencode


class Tier(Enum):
    """A subscription of one asset class, lowest first (thetadata-v3: "Tiers and first dates", "Limits").

    `requests` is what the whole account may have in flight: 2 to the power of the tier.
    `options_from` is the first day of option history that the tier serves.
    """

    FREE = ("free", 1, date(2023, 6, 1))
    VALUE = ("value", 2, date(2020, 1, 1))
    STANDARD = ("standard", 4, date(2016, 1, 1))
    PRO = ("pro", 8, date(2012, 6, 1))

    def __init__(self, text: str, requests: int, options_from: date) -> None:
        self.text = text
        self.requests = requests
        self.options_from = options_from

    def __str__(self) -> str:
        return self.text

    @property
    def rank(self) -> int:
        return self.requests.bit_length() - 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """`Tier.parse("Professional")` is `Tier.PRO`; ValueError for a word that is no tier."""
        word = text.strip().lower()
        for tier in cls:
            if word in (tier.text, {"pro": "professional"}.get(tier.text)):
                return tier
        raise ValueError(f"{text!r} is not a tier; the tiers are free, value, standard and pro")


class Right(StrEnum):
    CALL = "call"
    PUT = "put"
    BOTH = "both"


INTERVALS_MS = {
    "tick": 0, "10ms": 10, "100ms": 100, "500ms": 500, "1s": 1_000, "5s": 5_000, "10s": 10_000, "15s": 15_000,
    "30s": 30_000, "1m": 60_000, "5m": 300_000, "10m": 600_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000,
}  # fmt: skip
"""The API's intervals and their length in milliseconds (OpenAPI: components/parameters/interval)."""


@dataclass(frozen=True, slots=True, order=True)
class Collection:
    """One dataset (and selection) of one symbol: what a line of `thetabulk status` shows.

    `dataset` is `option/quote/1m`, `option/open_interest`, `option/eod`; `selection` is "" or `max_dte=45`,
    several of them in the fixed order max_dte, strike_range, right, joined by commas.
    """

    dataset: str
    selection: str
    symbol: str

    @property
    def folder(self) -> str:
        """`option/quote/1m~max_dte=45`: the dataset as it is named in the store, without the symbol."""
        return f"{self.dataset}~{self.selection}" if self.selection else self.dataset

    @property
    def selected(self) -> dict[str, str]:
        return dict(part.split("=", 1) for part in self.selection.split(",")) if self.selection else {}

    def __str__(self) -> str:
        return f"{self.symbol} {self.folder}"


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One dataset × symbol × day: one request, one file, one ledger record."""

    collection: Collection
    day: date

    @property
    def symbol(self) -> str:
        return self.collection.symbol

    def __str__(self) -> str:
        return f"{self.collection} {self.day}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer. `kind` is symbol, expiration, strike, right, timestamp, price, size (32-bit count),
    code (16-bit) or count (64-bit)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A row of the catalogue: what an endpoint serves and what a whole answer looks like.

    `interval_ms` is the grid's step, None where an answer has no grid. `day_column` is the time stamp whose date must
    be the Shard's day. `sparse` says that a listed contract without a row is normal (open interest: the exchange sent
    none). `builds` says that a contract may come several times with different `day_column` (end of day before 2022).
    """

    name: str
    path: str
    columns: tuple[Column, ...]
    needs: Tier
    interval: str = ""
    interval_ms: int | None = None
    day_column: str = "timestamp"
    sparse: bool = False
    builds: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Contract:
    """One option contract; the strike in thousandths of a dollar, the right CALL or PUT as the vendor prints it."""

    expiration: date
    strike_mills: int
    right: Right


@dataclass(frozen=True, slots=True)
class Request:
    """One GET to the Terminal. `text` is the canonical form that is recorded with every outcome."""

    path: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        return f"{self.path}?{urlencode(self.params, safe='*:,')}" if self.params else self.path

    def with_params(self, **changes: str) -> "Request":
        """The same request with some parameters replaced (kept in their place) or added at the end."""
        kept = tuple((name, changes.pop(name, value)) for name, value in self.params)
        return Request(self.path, kept + tuple(changes.items()))

    def __str__(self) -> str:
        return self.text


class Proof(StrEnum):
    """What stands behind a saved day. Only FULL counts as proven."""

    FULL = "full"
    NO_CONTRACT_LIST = "no-contract-list"
    REMARKS = "remarks"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Asked:
    """How an outcome was come by."""

    request: str
    attempts: int = 1
    seconds: float = 0.0
    terminal: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """The whole day is on the drive, as the vendor gave it, and has been read back.

    `bytes`, `mtime_ns`, `sha256` are of the stored file; `vendor_bytes`, `vendor_xxh3` (32 hex digits, XXH3-128) of
    the body as received, after de-chunking; `content` is a hash of the values, whatever their order and print style.
    """

    shard: Shard
    asked: Asked
    proof: Proof
    rows: int
    contracts: int
    bytes: int
    mtime_ns: int
    sha256: str
    vendor_bytes: int
    vendor_xxh3: str
    content: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Empty:
    """The vendor says that it has no data for the day. Revocable: `checks` answers so far, the first at `since`."""

    shard: Shard
    asked: Asked
    checks: int = 1
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not in the subscription; `message` is the vendor's text, which names a tier."""

    shard: Shard
    asked: Asked
    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Everything else. `content` is the answer's, if a whole one was had, to compare the next one with; `kept` is the
    store-relative path of an incomplete answer that was put aside for `thetabulk accept`."""

    shard: Shard
    asked: Asked
    kind: str
    message: str
    content: str = ""
    kept: str = ""
    remarks: tuple[str, ...] = ()


Outcome = Saved | Empty | Refused | Failed


@dataclass(frozen=True, slots=True)
class Entry:
    """An outcome as the ledger remembers it: when it was recorded, aware, UTC."""

    outcome: Outcome
    at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a collection's data begin: `day` is the first served session. Evidence, never a count of failures.

    `kind` is "vendor" (older days are empty) or "tier" (older days are refused). `day` None revokes an older record.
    """

    collection: Collection
    kind: str
    day: date | None
    evidence: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What a `download` was asked for, kept so that `resume` can go on with it."""

    id: str
    collections: tuple[Collection, ...]
    first: date
    last: date


def describe_selection(max_dte: int | None = None, strike_range: int | None = None, right: Right = Right.BOTH) -> str:
    """The selection's text as it stands in folder names and ledger: `max_dte=45,right=call`, or ""."""
    parts: Iterable[tuple[str, object]] = (
        ("max_dte", max_dte),
        ("strike_range", strike_range),
        ("right", None if right is Right.BOTH else right),
    )
    return ",".join(f"{name}={value}" for name, value in parts if value is not None)

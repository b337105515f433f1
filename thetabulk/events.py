"""What happened, as frozen facts. Stages send them through `emit`; screen, log and totals listen.

Times are not in the events: whoever listens has a clock. `Emit` defaults to `ignore`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from thetabulk.model import Boundary, Collection, Outcome, Shard


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`wanted` sessions in all collections, of which `done` need no request; `todo` is what is left to ask for."""

    command: str
    store: str
    collections: tuple[Collection, ...]
    first: date
    last: date
    wanted: int
    done: int
    todo: int
    chunk_size: int
    tier: str
    tier_assumed: bool
    account_allows: int
    workers: tuple[int, int]
    source: str  # "terminal" or "simulator"
    url: str
    kept_awake: bool = False


@dataclass(frozen=True, slots=True)
class ChunkReached:
    """The walk's oldest finished day entered chunk `number` of `total`: from `newest` back to `oldest`."""

    collection: Collection
    number: int
    total: int
    newest: date
    oldest: date


@dataclass(frozen=True, slots=True)
class ShardStarted:
    shard: Shard


@dataclass(frozen=True, slots=True)
class BytesReceived:
    shard: Shard
    count: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """An attempt ended badly; the next comes in `wait_s` seconds, unless `last`."""

    shard: Shard
    attempt: int
    kind: str
    message: str
    wait_s: float
    last: bool


@dataclass(frozen=True, slots=True)
class Checking:
    """The whole body is here and is being proven and committed."""

    shard: Shard


@dataclass(frozen=True, slots=True)
class ShardFinished:
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class LimitChanged:
    limit: int
    reason: str


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """`state` is open, probing or closed; `wait_s` until the next probe."""

    state: str
    cause: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class BoundaryFound:
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class BoundarySkipped:
    """`days` days of a collection lie beyond a known boundary, and are not asked for."""

    boundary: Boundary
    days: int


@dataclass(frozen=True, slots=True)
class RoundStarted:
    """The failed and unconfirmed days are asked again."""

    number: int
    days: int


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing is asked until this is over: what is wrong, and what to do."""

    cause: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    cause: str
    paused_s: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """No new requests; `in_flight` are finished first. `reason` is what was pressed, or which limit was reached."""

    reason: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should read once. `level` is info or warning."""

    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """`collections` and `run` are the JSON documents of docs/reference (status rows and run totals)."""

    exit_code: int
    collections: tuple[dict[str, object], ...]
    run: dict[str, object]


Event = (
    RunStarted | ChunkReached | ShardStarted | BytesReceived | AttemptFailed | Checking | ShardFinished
    | LimitChanged | BreakerChanged | BoundaryFound | BoundarySkipped | RoundStarted | Paused | Resumed | Stopping
    | Notice | RunFinished
)  # fmt: skip
Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of whoever has none."""

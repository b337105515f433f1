"""What happened, as frozen facts. Stages send them through `emit`; screen, log and totals listen.

Times are not in the events: whoever listens has a clock. `Emit` defaults to `ignore`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

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
    """`state` is open, probing or closed; `wait_s` until the next probe. Not `absent`: somebody answers, but badly."""

    state: str
    cause: str
    wait_s: float
    absent: bool = False


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
    """Nothing is asked until this is over: what is wrong, what to do, and what comes `next`, in `next_s` seconds.

    Told again when something of it changes. `suspects` are programs of this machine that may be the cause.
    """

    cause: str
    message: str
    hint: str = ""
    next: str = ""
    next_s: float = 0.0
    suspects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resumed:
    """Not `gone`: what was waited for is still so, but the run is stopping."""

    cause: str
    paused_s: float
    gone: bool = True


@dataclass(frozen=True, slots=True)
class Slowed:
    """For long, answers have brought fewer bytes a second than before, and each took longer; `over`: no more so.

    `rate` and `rate_before` are bytes a second over all streams, `seconds` and `seconds_before` those of a megabyte.
    """

    rate: float
    rate_before: float
    seconds: float
    seconds_before: float
    over: bool = False


@dataclass(frozen=True, slots=True)
class DriveBusy:
    """The drive is what the run waits for: it was busy for this `share` of the last seconds; `over`: no more so."""

    share: float
    over: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """The run is stuck (nothing comes) or limping: what, since when, what comes next and when, what a person can do.

    `state` is began, changed, ended, or stopped (it is not over, but the run is stopping). `cause` is a word for
    programs, `days_left` how many days wait for it to end, `next_s` the seconds until `next` (0: at once, or nobody
    knows). `since` is UTC, for readers without our clock; at this moment it has lasted `lasted_s`.
    """

    state: str
    cause: str
    stuck: bool
    what: str
    since: datetime
    lasted_s: float
    days_left: int
    next: str
    next_s: float
    you: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopping:
    """No new requests; `in_flight` are finished first. `reason` is what was pressed, or which limit was reached."""

    reason: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing else could go on for `seconds`: the loop was in `stack`, outermost first, like `run/walk.py:120 take`."""

    seconds: float
    stack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should read once. `level` is info or warning."""

    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class RunFinished:
    """`collections` and `run` are the JSON documents of docs/commands.md (status rows and run totals)."""

    exit_code: int
    collections: tuple[dict[str, object], ...]
    run: dict[str, object]


@dataclass(frozen=True, slots=True)
class TerminalStarted:
    """A Terminal is connected; `ownership` is owned (we, or an earlier run, started it) or adopted (never stopped).

    `tiers` and `requests` are what its banner says that the account may do, empty and 0 if it said nothing to us.
    """

    ownership: str
    port: int
    pid: int | None
    seconds: float
    restarts: int
    tiers: tuple[tuple[str, str], ...] = ()
    requests: int = 0


@dataclass(frozen=True, slots=True)
class TerminalStopped:
    """Our Terminal has ended, by `cause`; `why` says why it is tried again in `next_s` seconds, or never (null).

    If never, `message` and `hint` are what the run ends with.
    """

    cause: str
    message: str
    hint: str
    next_s: float | None
    why: str = ""


Event = (
    RunStarted | ChunkReached | ShardStarted | BytesReceived | AttemptFailed | Checking | ShardFinished
    | LimitChanged | BreakerChanged | BoundaryFound | BoundarySkipped | RoundStarted | Paused | Resumed | Slowed
    | DriveBusy | Incident | Stopping | Blocked | Notice | TerminalStarted | TerminalStopped | RunFinished
)  # fmt: skip
Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of whoever has none."""

"""The fold of all events: what a person wants to know about a run at any moment. No clock: `now` is an argument."""

from collections import Counter, deque
from dataclasses import dataclass, field
from functools import singledispatchmethod

from thetabulk.events import (
    AttemptFailed,
    BoundarySkipped,
    BytesReceived,
    Checking,
    ChunkReached,
    DriveBusy,
    Event,
    Incident,
    LimitChanged,
    Paused,
    Resumed,
    RoundStarted,
    RunFinished,
    RunStarted,
    ShardFinished,
    ShardStarted,
    Stopping,
)
from thetabulk.model import Collection, Proof, Saved, Shard
from thetabulk.report.bar import KINDS
from thetabulk.report.estimate import Finish, time_left
from thetabulk.report.incident import ENDS

_WINDOW_S = 20.0
_MEMORY = 256  # saved days that the estimate looks back on


@dataclass(slots=True)
class Transfer:
    """A day in flight: `state` is waiting, receiving, checking, or failed (another attempt comes)."""

    since: float
    state: str = "waiting"
    bytes: int = 0
    attempt: int = 1


@dataclass
class Tally:
    """Add events, read totals. Times are seconds on one monotonic clock, that of whoever adds."""

    run: RunStarted | None = None
    finished: RunFinished | None = None
    paused: Paused | None = None
    incident: Incident | None = None  # while it lasts
    incident_at: float = 0.0  # when it was told last
    stopping: Stopping | None = None
    round: RoundStarted | None = None
    chunks: dict[Collection, ChunkReached] = field(default_factory=dict)
    chunk: ChunkReached | None = None
    limit: int | None = None
    drive: DriveBusy | None = None  # while the drive is what the run waits for
    transfers: dict[Shard, Transfer] = field(default_factory=dict)
    beyond: int = 0  # days behind a boundary, which this run need not ask for
    proven: int = 0
    stored_bytes: int = 0
    vendor_bytes: int = 0
    received_bytes: int = 0
    started_at: float | None = None
    paused_at: float = 0.0
    paused_s: float = 0.0
    _kinds: Counter[str] = field(default_factory=Counter)
    _ends: dict[Shard, str] = field(default_factory=dict)
    _recent: deque[tuple[float, int]] = field(default_factory=deque)
    _finishes: deque[Finish] = field(default_factory=lambda: deque(maxlen=_MEMORY))

    def add(self, event: Event, now: float) -> None:
        """Take one event into account."""
        if self.started_at is None:
            self.started_at = now
        self._fold(event, now)

    @property
    def todo(self) -> int:
        """Days that this run has to ask for: the whole of the bar."""
        return max(self.run.todo - self.beyond, self.ended) if self.run else self.ended

    @property
    def done(self) -> int:
        """Days with an answer. A failure is none."""
        return self._kinds["saved"] + self._kinds["empty"] + self._kinds["refused"]

    @property
    def ended(self) -> int:
        return len(self._ends)

    def days(self) -> dict[str, int]:
        """Days of this run by kind: saved, empty, refused, failed, left."""
        return {kind: self._kinds[kind] for kind in KINDS} | {"left": self.todo - self.ended}

    def elapsed_s(self, now: float) -> float:
        return 0.0 if self.started_at is None else now - self.started_at

    def rate(self, now: float) -> float:
        """Bytes received per second, over the last 20 seconds (or since the start)."""
        recent = sum(count for at, count in self._recent if at > now - _WINDOW_S)
        return recent / max(1.0, min(_WINDOW_S, self.elapsed_s(now)))

    def time_left(self, now: float) -> tuple[float, float] | None:
        """At least and at most so many seconds; None without evidence, and in a pause."""
        if self.paused:
            return None
        return time_left(self._finishes, self.todo - self.ended, self._running_s(now))

    def totals(self, now: float) -> dict[str, object]:
        """The `run` document of the last JSON line: this run only, days by outcome, bytes and seconds."""
        days = self.days()
        return {
            "wanted": self.run.wanted if self.run else 0,
            "done_before": self.run.done if self.run else 0,
            **days,
            "beyond_boundary": self.beyond,
            "proven": self.proven,
            "bytes": self.stored_bytes,
            "vendor_bytes": self.vendor_bytes,
            "received_bytes": self.received_bytes,
            "seconds": round(self.elapsed_s(now), 3),
            "paused_seconds": round(self.paused_s, 3),
        }

    def _running_s(self, now: float) -> float:
        return self.elapsed_s(now) - self.paused_s

    @singledispatchmethod
    def _fold(self, event: Event, now: float) -> None:
        """Events that are only told, and not counted."""

    @_fold.register
    def _(self, event: RunStarted, now: float) -> None:
        self.run = event

    @_fold.register
    def _(self, event: RunFinished, now: float) -> None:
        self.finished = event
        self.transfers.clear()

    @_fold.register
    def _(self, event: ChunkReached, now: float) -> None:
        self.chunk = self.chunks[event.collection] = event

    @_fold.register
    def _(self, event: LimitChanged, now: float) -> None:
        self.limit = event.limit

    @_fold.register
    def _(self, event: DriveBusy, now: float) -> None:
        self.drive = None if event.over else event

    @_fold.register
    def _(self, event: ShardStarted, now: float) -> None:
        self.transfers[event.shard] = Transfer(now)

    @_fold.register
    def _(self, event: BytesReceived, now: float) -> None:
        transfer = self.transfers.setdefault(event.shard, Transfer(now))
        transfer.state = "receiving"
        transfer.bytes += event.count
        self.received_bytes += event.count
        self._recent.append((now, event.count))
        while self._recent[0][0] <= now - _WINDOW_S:
            self._recent.popleft()

    @_fold.register
    def _(self, event: Checking, now: float) -> None:
        self.transfers.setdefault(event.shard, Transfer(now)).state = "checking"

    @_fold.register
    def _(self, event: AttemptFailed, now: float) -> None:
        self.transfers[event.shard] = Transfer(now, "failed", attempt=event.attempt)

    @_fold.register
    def _(self, event: ShardFinished, now: float) -> None:
        shard = event.outcome.shard
        self.transfers.pop(shard, None)
        kind = type(event.outcome).__name__.lower()
        self._kinds[kind] += 1
        if shard in self._ends:  # asked again in a later round: the last answer counts
            self._kinds[self._ends[shard]] -= 1
        self._ends[shard] = kind
        if isinstance(event.outcome, Saved):
            self._add_saved(event.outcome, now)

    @_fold.register
    def _(self, event: BoundarySkipped, now: float) -> None:
        self.beyond += event.days

    @_fold.register
    def _(self, event: RoundStarted, now: float) -> None:
        self.round = event

    @_fold.register
    def _(self, event: Paused, now: float) -> None:
        if not self.paused:
            self.paused_at = now
        self.paused = event

    @_fold.register
    def _(self, event: Resumed, now: float) -> None:
        if self.paused:
            self.paused_s += now - self.paused_at
        self.paused = None

    @_fold.register
    def _(self, event: Incident, now: float) -> None:
        self.incident = None if event.state in ENDS else event
        self.incident_at = now

    @_fold.register
    def _(self, event: Stopping, now: float) -> None:
        self.stopping = event

    def _add_saved(self, saved: Saved, now: float) -> None:
        self.proven += saved.proof is Proof.FULL
        self.stored_bytes += saved.bytes
        self.vendor_bytes += saved.vendor_bytes
        self._finishes.append(Finish(self._running_s(now), saved.vendor_bytes))

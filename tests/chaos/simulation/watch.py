"""The promises that hold at every moment of a run, looked after from outside."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.virtual_time import now
from thetabulk.events import AttemptFailed, Event, Notice, Paused, Resumed, ShardFinished, ShardStarted


@dataclass(frozen=True)
class Admission:
    at_s: float
    capacity: int


@dataclass
class Watch:
    """Hears every event of a run and every request for data. `found` are the broken promises.

    The gate tells what it goes by, capacities and slots that are taken; what comes of it is counted here.
    """

    found: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    pauses: int = 0
    _gate: Any = None
    _admitted: dict[date, Admission] = field(default_factory=dict)
    _streaming: dict[date, Admission] = field(default_factory=dict)
    _paused_at: float | None = None

    def begin(self, gate: Any) -> None:
        """A run begins: what was under way in another one is forgotten."""
        self._gate = gate
        self._admitted, self._streaming, self._paused_at = {}, {}, None

    def hear(self, event: Event) -> None:
        match event:
            case ShardStarted():
                capacity = min(one() for one in self._gate._capacities)
                self._admitted[event.shard.day] = Admission(now(), capacity)
                taken = max(self._gate.in_flight, len(self._streaming) + 1)
                if taken > capacity:
                    self._tell(f"{taken} are admitted, and {capacity} may be in flight")
            case AttemptFailed():
                self._admitted.pop(event.shard.day, None)
                self._nobody_rests_in_a_slot(event)
            case ShardFinished():
                self._admitted.pop(event.outcome.shard.day, None)
            case Paused():
                if self._paused_at is None:  # it is told again when something of it changes
                    self._paused_at, self.pauses = now(), self.pauses + 1
            case Resumed():
                self._paused_at = None
            case Notice():
                self.notices.append(event.message)
                if "internal error" in event.message:
                    self._tell(f"unhandled: {event.message}")
            case _:
                pass

    def request(self, day: date, begins: bool) -> None:
        """A request for data comes in, or has ended. A day that is asked for in parts is admitted once for all."""
        if not begins:
            self._streaming.pop(day, None)
            return
        admission = self._admitted.get(day)
        if admission is None:
            self._tell(f"{day} is asked for by nobody who was admitted")
            return
        if self._paused_at is not None and admission.at_s > self._paused_at:
            self._tell(f"{day} is asked for, although the run is paused")
        self._streaming[day] = admission
        most = max(one.capacity for one in self._streaming.values())
        if len(self._streaming) > most:
            self._tell(f"{len(self._streaming)} are in flight, and never more than {most} were allowed")

    def _nobody_rests_in_a_slot(self, event: AttemptFailed) -> None:
        if not event.last and self._gate.in_flight > len(self._admitted):
            self._tell(f"{event.shard.day} waits {event.wait_s:.1f} s and holds its slot")

    def _tell(self, text: str) -> None:
        self.found.append(f"at {now():.1f} s: {text}")

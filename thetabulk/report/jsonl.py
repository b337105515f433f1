"""Events as JSON Lines, for programs: one object a line, the last one `{"event": "finished", …}`."""

import json
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from thetabulk.events import BytesReceived, Event, RunFinished
from thetabulk.model import Asked, Collection, Empty, Failed, Outcome, Refused, Saved, Shard, Tier

_TOLD_EVERY_S = 1.0


def event_name(kind: type) -> str:
    """`ShardFinished` is `shard_finished`; the last of all, `RunFinished`, is `finished`."""
    if kind is RunFinished:
        return "finished"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def document(event: Event, at: datetime) -> dict[str, object]:
    """An event as a JSON object: shards and outcomes are spread out, dates are ISO 8601, `at` is UTC."""
    spread = _spread(event)
    return {"event": event_name(type(event)), "at": at.isoformat(timespec="milliseconds"), **spread}


def _spread(value: object) -> dict[str, object]:
    """The fields of a dataclass; what a nested shard, collection or outcome says stands beside them."""
    found: dict[str, object] = {}
    for each in fields(value) if is_dataclass(value) else ():
        inner = getattr(value, each.name)
        if isinstance(inner, Saved | Empty | Refused | Failed):
            found |= _outcome(inner)
        elif isinstance(inner, Shard | Collection | Asked):
            found |= _spread(inner)
        else:
            found[each.name] = _plain(inner)
    return found


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {"outcome": type(outcome).__name__.lower(), **_spread(outcome)}


def _plain(value: object) -> object:
    if isinstance(value, Tier):
        return value.text
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return _spread(value)
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(inner) for inner in value]
    return value


class Lines(Protocol):
    """What takes the lines: a text stream, or a log."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> None: ...


class JsonScreen:
    """Writes every event as a line. Received bytes are summed up, and told once a second for each day in flight."""

    def __init__(self, stream: Lines, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._clock = clock
        self._untold: dict[Shard, int] = {}
        self._told_at: dict[Shard, datetime] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def emit(self, event: Event) -> None:
        """Write a line, or remember bytes to be told later."""
        at = self._clock()
        if isinstance(event, BytesReceived):
            self._add(event, at)
            return
        outcome = getattr(event, "outcome", None)
        shard = outcome.shard if outcome else getattr(event, "shard", None)
        if shard in self._untold:
            self._tell(shard, at)
            self._told_at.pop(shard, None)
        self._write(event, at)

    def _add(self, event: BytesReceived, at: datetime) -> None:
        self._untold[event.shard] = self._untold.get(event.shard, 0) + event.count
        told_at = self._told_at.setdefault(event.shard, at)
        if (at - told_at).total_seconds() >= _TOLD_EVERY_S:
            self._tell(event.shard, at)

    def _tell(self, shard: Shard, at: datetime) -> None:
        self._told_at[shard] = at
        self._write(BytesReceived(shard, self._untold.pop(shard)), at)

    def _write(self, event: Event, at: datetime) -> None:
        self._stream.write(json.dumps(document(event, at), ensure_ascii=True, default=str) + "\n")
        self._stream.flush()

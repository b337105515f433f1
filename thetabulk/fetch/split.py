"""A Shard that the Terminal calls too large (570), or never gets to the end of, asked for in parts. Pure.

First by right, then also by time of day: both were seen to work and to add up (thetadata-v3.md §3.3). The parts go
into one recording, in this order, and count only if every one of them came whole.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from thetabulk.model import INTERVALS_MS, Request

_BANDS = 4
_CLOCK = "%H:%M:%S"


def ways_to_ask(request: Request) -> tuple[tuple[Request, ...], ...]:
    """The whole, and then in more and more parts."""
    by_right = _by_right(request)
    by_time = tuple(part for half in by_right for part in _by_time(half))
    ways = ((request,), by_right, by_time)
    return tuple(way for number, way in enumerate(ways) if number == 0 or len(way) > len(ways[number - 1]))


def may_be_empty(part: Request, whole: Request) -> bool:
    """A band of time may have no rows, as after 13:15 of a half-day; one half of a chain may not."""
    return dict(part.params).get("start_time") != dict(whole.params).get("start_time") or _ends_earlier(part, whole)


def _ends_earlier(part: Request, whole: Request) -> bool:
    return dict(part.params).get("end_time") != dict(whole.params).get("end_time")


def _by_right(request: Request) -> tuple[Request, ...]:
    if dict(request.params).get("right") != "both":
        return (request,)
    return request.with_params(right="call"), request.with_params(right="put")


def _by_time(request: Request) -> tuple[Request, ...]:
    """Bands that meet without a gap and without an overlap: both ends of a request are inclusive."""
    said = dict(request.params)
    if not {"start_time", "end_time", "interval"} <= said.keys():
        return (request,)
    step = timedelta(milliseconds=INTERVALS_MS[said["interval"]])
    first, last = (datetime.strptime(said[name], _CLOCK) for name in ("start_time", "end_time"))  # noqa: DTZ007
    rows = (last - first) // step + 1
    bands = min(_BANDS, rows)
    edges = [rows * number // bands for number in range(bands + 1)]
    return tuple(
        request.with_params(
            start_time=f"{first + step * low:{_CLOCK}}",
            end_time=said["end_time"] if high == rows else f"{first + step * (high - 1):{_CLOCK}}",
        )
        for low, high in pairwise(edges)
    )

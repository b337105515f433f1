"""A laptop that sleeps in mid-run: what was in flight is dropped and asked again, and no day pays for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.cli.small_store import DAYS, HOURLY, small_store, writing
from tests.unit.assembly.bench import Terminal, day_of, parts_over
from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.parts import RunParts
from thetabulk.assembly.pulse import Pulse
from thetabulk.config import RunConfig
from thetabulk.events import Event, Notice, RoundStarted
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit
from thetabulk.model import Request, Saved, Shard
from thetabulk.run.pipeline import Pipeline
from thetabulk.run.walk import Walk

NIGHT_S = 8 * 3600.0


class HalfOpen(Terminal):
    """While `dead`, a connection takes the request, gives half of the answer, and is never heard of again: what is left
    of a connection whose other end went away during the sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = True
        self.dropped: Counter[date] = Counter()

    async def stream(self, request: Request, feed: Callable[[bytes], None], *, on_bytes: Callable[[int], None]) -> None:
        if not self.dead:
            return await super().stream(request, feed, on_bytes=on_bytes)
        day = day_of(request)
        self.asked.append(day)
        whole = self._next(day)
        assert isinstance(whole, bytes)
        on_bytes(len(whole) // 2)
        feed(whole[: len(whole) // 2])
        try:
            await asyncio.Event().wait()
        finally:
            self.dropped[day] += 1


def pulse_of(parts: RunParts, events: list[Event], slept: list[float]) -> Pulse:
    return Pulse(
        Limit(1, 4), Gate((lambda: 4,), launch_gap_s=0.0, now=now), Breaker(), emit=events.append, pause_limit_s=3600.0,
        monotonic=now, memory_percent=lambda: 40.0, wall=lambda: now() + sum(slept), wake=parts.wake,
    )  # fmt: skip


@in_virtual_time
async def test_after_a_night_every_transfer_in_flight_is_asked_again_and_no_attempt_is_used_up(tmp_path: Path) -> None:
    """Two nights in a row, with a single attempt for each day: every day is saved, whole, in its first round."""
    small_store(tmp_path / "store", days=())
    events: list[Event] = []
    terminal = HalfOpen()
    slept: list[float] = []
    with writing(tmp_path / "store") as store:
        parts = parts_over(store, terminal, events, attempts=1)
        walk = Walk(HOURLY, DAYS, chunk_size=50, max_consecutive_empty=20)
        pipeline = Pipeline([walk], parts, RunConfig(), workers=6, emit=events.append, monotonic=now)
        pulse = asyncio.ensure_future(pulse_of(parts, events, slept).run())
        running = asyncio.ensure_future(pipeline.run())
        await asyncio.sleep(10)
        assert (len(terminal.asked), terminal.dropped.total()) == (4, 0)  # as many as the gate admits
        slept.append(NIGHT_S)
        await asyncio.sleep(5)
        assert (len(terminal.asked), terminal.dropped.total()) == (8, 4)
        terminal.dead = False
        slept.append(NIGHT_S)
        ending = await running
        pulse.cancel()
        assert (ending.codes, terminal.dropped.total()) == (set(), 8)
        assert Counter(terminal.asked) == terminal.dropped + Counter(DAYS)
        saved = [store.ledger.days[Shard(HOURLY, day)].outcome for day in DAYS]
        assert all(isinstance(outcome, Saved) for outcome in saved)
        assert list((tmp_path / "store" / ".thetabulk" / "tmp").iterdir()) == []  # no half answer is left
    told = [event.message for event in events if isinstance(event, Notice)]
    assert told == ["nothing ran here for 28800 s (sleep, or Ctrl-Z): transfers begin again"] * 2
    assert not any(isinstance(event, RoundStarted) for event in events)  # no day had failed

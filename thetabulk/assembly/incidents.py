"""Incidents of a run: seen by the watch, told as events at once, and outside once they have lasted.

Also the heartbeat: a file whose time moves while the run lives, whatever the run is waiting for.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from thetabulk.assembly.heartbeat import Heartbeat
from thetabulk.assembly.outlets import Document, Outlets
from thetabulk.config import IncidentConfig
from thetabulk.events import Emit, Event, Incident, Resumed, RunFinished, Stopping
from thetabulk.report.jsonl import document
from thetabulk.run.watch import Matter, Watch

_TICK_S = 1.0


class Incidents:
    """Hears every event of a run, and looks every second. `now` is the time in UTC."""

    def __init__(
        self, settings: IncidentConfig, watch: Watch, *, days_left: Callable[[], int], emit: Emit,
        monotonic: Callable[[], float], now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._watch = watch
        self._days_left = days_left
        self._emit = emit
        self._monotonic = monotonic
        self._now = now
        self._outlets = Outlets(settings, self._mention)
        self._told: Matter | None = None
        self._incident: Incident | None = None
        self._since = datetime.min.replace(tzinfo=UTC)
        self._began = 0.0
        self._told_outside = ""  # the cause that was told there last
        self._phase = "running"
        self._exit_code: int | None = None
        self._awaited = False  # somebody outside waits for the end
        self._heartbeat = Heartbeat(settings, self._pulse, self._mention, monotonic)

    def hear(self, event: Event) -> None:
        if isinstance(event, Incident):
            return
        self._watch.hear(event, self._monotonic())
        stops = isinstance(event, Stopping) or (isinstance(event, Resumed) and not event.gone)
        self._look("stopped" if stops else "ended")
        if isinstance(event, Stopping):
            self._phase = "stopping"
        if isinstance(event, RunFinished):
            self._exit_code = event.exit_code
            if event.exit_code or self._awaited:
                self._outlets.tell(document(event, self._now()))

    def conclude(self) -> None:
        """The run has ended: what is still the matter is told so before the last word."""
        self._awaited = bool(self._told_outside)
        self._watch.over()
        self._look("stopped")

    def _mention(self, event: Event) -> None:
        if self._exit_code is None:  # nothing is told after the last word
            self._emit(event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks and beats until the block ends, however that is."""
        ticking = asyncio.ensure_future(self._run())
        try:
            yield
        finally:
            ticking.cancel()
            self._phase = "ended"
            await asyncio.wait((ticking,))
            await self._heartbeat.last()
            await self._outlets.close()

    async def _run(self) -> None:
        while True:
            self._look()
            self._tell_outside()
            self._heartbeat.beat()
            await asyncio.sleep(_TICK_S)

    # What is the matter

    def _look(self, end: str = "ended") -> None:
        """`end` is what it is called if nothing is the matter any more."""
        matter = self._watch.matter(self._monotonic())
        if matter == self._told:
            return
        state = end if matter is None else "began" if self._told is None else "changed"
        if state == "began":
            self._since, self._began = self._now(), self._monotonic()
        shown = matter or self._told
        assert shown is not None  # one of them is there, for they differ
        self._told = matter
        self._incident = self._as_event(state, shown)
        self._emit(self._incident)
        if matter is None:
            self._tell_end(self._incident)
        elif self._told_outside and self._told_outside != shown.cause:
            self._tell_outside()

    def _as_event(self, state: str, matter: Matter) -> Incident:
        next_s = max(0.0, matter.due - self._monotonic()) if matter.due is not None else 0.0
        over = state in ("ended", "stopped")
        return Incident(
            state, matter.cause, matter.stuck, matter.what, self._since, round(self._lasted_s, 1), self._days_left(),
            "" if over else matter.next, 0.0 if over else round(next_s, 1), () if over else matter.you,
        )  # fmt: skip

    @property
    def _lasted_s(self) -> float:
        return self._monotonic() - self._began

    # Outside

    def _tell_outside(self) -> None:
        """What has lasted for a while; again only when it has another cause."""
        lasted = self._lasted_s >= self._settings.tell_after_s
        if self._incident is None or self._told is None or not lasted or self._told_outside == self._told.cause:
            return
        state = "changed" if self._told_outside else "began"  # for those who have not heard of it yet
        self._told_outside = self._told.cause
        self._outlets.tell(self._document(replace(self._incident, state=state)))

    def _tell_end(self, incident: Incident) -> None:
        if self._told_outside:
            self._outlets.tell(self._document(incident))
        self._told_outside = ""

    def _document(self, incident: Incident) -> Document:
        return document(incident, self._now()) | {"pid": os.getpid()}

    # The heartbeat

    def _pulse(self) -> Document:
        saved = self._watch.last_saved
        trouble = "" if self._told is None else "stuck" if self._told.stuck else "limping"
        return {
            "pid": os.getpid(),
            "at": self._now().isoformat(timespec="seconds"),
            "state": trouble if trouble and self._phase == "running" else self._phase,
            "cause": self._told.cause if self._told else None,
            "last_saved": f"{saved.symbol} {saved.day}" if saved else None,
            "days_left": self._days_left(),
            "exit_code": self._exit_code,
        }

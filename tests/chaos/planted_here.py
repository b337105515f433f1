"""Bugs on purpose in this process, for the tests that need no child: answers, retries, the gate. Each has a name, and
is taken out again by the `monkeypatch` that put it in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import numpy as np
import pytest

from thetabulk.assembly import reconciling
from thetabulk.assembly.parts import Hold
from thetabulk.fetch.budget import Budget
from thetabulk.fetch.fetcher import Errand, Fetcher
from thetabulk.fetch.gate import Gate
from thetabulk.ledger.reconcile import Action, Findings, reconcile
from thetabulk.model import Empty, Failed, Outcome, Proof
from thetabulk.store import weighing
from thetabulk.store.rows import RowReader
from thetabulk.store.validate import Check, Fate
from thetabulk.store.validate import Findings as Said
from thetabulk.store.weighing import Weighing

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    BUGS[plant.__name__] = plant
    return plant


@bug
def retry_without_budget(here: pytest.MonkeyPatch) -> None:
    """Every day has its four attempts, whatever happens to all the others."""
    here.setattr(Budget, "grant", lambda self, *, outage: True)


@bug
def no_breaker(here: pytest.MonkeyPatch) -> None:
    """Failures are counted, and hold nobody back."""
    here.setattr("thetabulk.fetch.breaker.Breaker.failed", lambda self, now, cause, **how: None)


@bug
def asked_during_a_pause(here: pytest.MonkeyPatch) -> None:
    """The run says that it is paused, and the gate stays open."""
    here.setattr(Hold, "capacity", lambda self: 1_000_000)


@bug
def slot_held_during_back_off(here: pytest.MonkeyPatch) -> None:
    """A request that failed keeps its place among those in flight while it waits for the next try."""

    @asynccontextmanager
    async def held(self: Gate) -> AsyncIterator[None]:
        await self._admission()
        try:
            yield
        except Exception:
            asyncio.get_running_loop().call_later(1.0, _release, self)
            raise
        else:
            _release(self)

    here.setattr(Gate, "slot", held)


def _release(gate: Gate) -> None:
    gate.in_flight -= 1
    gate.changed()


@bug
def limit_by_difference(here: pytest.MonkeyPatch) -> None:
    """The gate counts free places, and moves their number by the difference of two limits: a semaphore that is cut
    below what is out, and raised again, admits too many."""

    def delay(self: Any) -> float | None:
        capacity = min(self.capacity(), 1_000)
        before = getattr(self, "_before", capacity)
        free = getattr(self, "_free", capacity) + capacity - before
        self._before, self._free = capacity, max(0, free)
        self._news.clear()
        if self.draining:
            return plain(self)
        if self._free > 0:
            self._free -= 1
            return 0.0
        return 0.05

    plain, release = Gate._delay, Gate.changed

    @asynccontextmanager
    async def slot(self: Any) -> AsyncIterator[None]:
        await self._admission()
        try:
            yield
        finally:
            self.in_flight -= 1
            self._free = getattr(self, "_free", 0) + 1
            release(self)

    here.setattr(Gate, "_delay", delay)
    here.setattr(Gate, "slot", slot)


def _instead(here: pytest.MonkeyPatch, change: Callable[[Outcome], Outcome]) -> None:
    fetch = Fetcher.fetch

    async def changed(self: Fetcher, errand: Errand) -> Outcome:
        return change(await fetch(self, errand))

    here.setattr(Fetcher, "fetch", changed)


@bug
def failure_counted_as_empty(here: pytest.MonkeyPatch) -> None:
    """51 failures, 0 requests sent, "data boundary reached, download complete" (incident 4)."""
    _instead(here, lambda outcome: Empty(outcome.shard, outcome.asked) if isinstance(outcome, Failed) else outcome)


@bug
def header_only_as_empty(here: pytest.MonkeyPatch) -> None:
    """No rows is taken for no data."""
    _instead(
        here,
        lambda outcome: Empty(outcome.shard, outcome.asked)
        if isinstance(outcome, Failed) and outcome.kind == "empty-body"
        else outcome,
    )  # fmt: skip


@bug
def wrong_day_accepted(here: pytest.MonkeyPatch) -> None:
    """Whatever day the rows say that they are of, is taken for the day that was asked for."""
    feed = Weighing.feed

    def believing(self: Any, data: bytes) -> Any:
        place = data.find(b"T09:30:00")
        if place >= 10 and self.vendor_bytes == 0:
            day = date.fromisoformat(data[place - 10 : place].decode())
            self._reader._day = self._check._day = day
            self._reader._today = np.frombuffer(f"{day.isoformat()}T".encode().ljust(16), dtype="<u8")
        return feed(self, data)

    here.setattr(Weighing, "feed", believing)


@bug
def last_contract_cut_accepted(here: pytest.MonkeyPatch) -> None:
    """Nobody compares with the vendor's list: what came is what there is."""
    here.setattr(Check, "_judge_list", lambda self, contracts, listed, lacking, surplus, remarks: bool(listed))


@bug
def first_sight_is_enough(here: pytest.MonkeyPatch) -> None:
    """What contradicts an expectation is saved as if it did not."""
    here.setattr(weighing, "judge", lambda findings, content, earlier: (Fate.SAVE, Proof.FULL))


@bug
def every_doubt_refused(here: pytest.MonkeyPatch) -> None:
    """Strictness that turns good days away: what is odd is kept aside, even when it is confirmed."""

    def strict(findings: Said, content: str, earlier: str) -> tuple[Fate, Proof]:
        odd = findings.lacking or findings.surplus or findings.remarks
        return (Fate.KEEP_ASIDE if odd else Fate.SAVE), Proof.REMARKS

    here.setattr(weighing, "judge", strict)


@bug
def printed_in_another_style(here: pytest.MonkeyPatch) -> None:
    """Lines that are printed unlike the others lose their text."""
    slow = RowReader._slow

    def forgetful(self: Any, rows: Any, row: int, line: bytes) -> None:
        slow(self, rows, row, line)
        rows.raw.pop(row, None)

    here.setattr(RowReader, "_slow", forgetful)


@bug
def size_means_good(here: pytest.MonkeyPatch) -> None:
    """A file that was touched is believed, because it is as long as it was."""

    def believing(days: Any) -> Findings:
        found = reconcile(days)
        return Findings(found.recorded, {one: what for one, what in found.actions.items() if what is not Action.HASH})

    here.setattr(reconciling, "reconcile", believing)

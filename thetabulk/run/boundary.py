"""Where a collection's data begin: what has to be asked to know it, and the record that the answers make.

Evidence, never a count of failures: a run of empty or refused days only raises the question (design: Boundaries).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from thetabulk.model import Boundary, Collection

PROBE_STEP_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class VendorQuestion:
    """Do the vendor's data begin here? `run` is the newest and the oldest of `empties` days in a row without data.

    First the `canary`, the newest saved day, must still return rows, or the Terminal is not to be believed. Then the
    `probes`, newest first: did any of them return rows?
    """

    collection: Collection
    canary: date
    run: tuple[date, date]
    empties: int
    probes: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class TierQuestion:
    """Does the subscription begin here? `run` is the newest and the oldest of the refused days, `refused` the newest.

    `served` is the nearest newer day with data; None: the newest end is refused too, the account is not what we think.
    If not `fresh`, it is the newest that an earlier run saved. It has to be probed now: refused, it means that the
    account is not what we think, or (`fresh`) no longer what it was.
    """

    collection: Collection
    served: date | None
    fresh: bool
    refused: date
    run: tuple[date, date]
    newest: date
    message: str


class Bisection:
    """Looks for the first served day among sessions (never calendar days: a weekend looks like a day before history).

    `days` are ascending; the first is known to be refused, the last to be served.
    """

    def __init__(self, days: Sequence[date]) -> None:
        if len(days) < 2:
            raise ValueError("a bisection needs a refused day and a served one")
        self._days = days
        self._refused, self._served = 0, len(days) - 1

    @property
    def probe(self) -> date | None:
        """The day to ask for next; None when `first_served` is known."""
        return None if self.first_served else self._days[(self._refused + self._served) // 2]

    @property
    def first_served(self) -> date | None:
        return self._days[self._served] if self._served - self._refused == 1 else None

    def answer(self, served: bool) -> None:
        """What came of `probe`. "No data" counts as served: it was not refused."""
        middle = (self._refused + self._served) // 2
        if served:
            self._served = middle
        else:
            self._refused = middle


def probe_days(days: Sequence[date], oldest: int, also: Iterable[date]) -> tuple[date, ...]:
    """Where to look behind the empty day `days[oldest]`: 20, 40, 80 … sessions further back, the last, and `also`.

    `days` go from the newest back; newer ones of `also` are left out. Never empty: with nothing further back, the
    last wanted day is asked for once more.
    """
    probes = {days[-1]} | {day for day in also if day <= days[oldest]}
    step = PROBE_STEP_SESSIONS
    while oldest + step < len(days):
        probes.add(days[oldest + step])
        step *= 2
    return tuple(sorted(probes, reverse=True))


def vendor_boundary(question: VendorQuestion, oldest_data: date) -> Boundary:
    """No probe had data: the record, with what speaks for it."""
    newest, oldest = question.run
    evidence = (
        f"{question.empties} empty days in a row, {newest} back to {oldest}",
        f"rows on {question.canary}, asked for again",
        f"no rows on {', '.join(day.isoformat() for day in question.probes)}",
    )
    return Boundary(question.collection, "vendor", oldest_data, evidence)


def tier_boundary(question: TierQuestion, first_served: date) -> Boundary:
    """The bisection has ended: the record, with what speaks for it."""
    newest, oldest = question.run
    evidence = (
        f"refused from {newest} back to {oldest}",
        f"{first_served} is the first session that is not refused",
    )
    return Boundary(question.collection, "tier", first_served, evidence, question.message)

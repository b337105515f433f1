"""The backward walk over one collection's days: which day may start now, and where its data may begin.

Pure. The caller starts days, tells how they ended, and asks the Terminal what `question()` wants to know; nothing here
counts failures. With several collections, `next_shard` takes from all walks the newest day that may start.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal

from thetabulk.model import Boundary, Collection, Shard
from thetabulk.run.boundary import Bisection, TierQuestion, VendorQuestion, probe_days, tier_boundary, vendor_boundary

Kind = Literal["saved", "empty", "refused", "failed"]

REFUSALS_IN_A_ROW = 3
_DATE = re.compile(r"\b\d{4}-?\d{2}-?\d{2}\b", re.ASCII)


class Walk:
    """`wanted` days of a collection, from the newest back, of which `earlier` outcomes stand.

    An earlier `failed` does not stand: that day is asked for again, even beyond a boundary. Days beyond one of
    `boundaries` are closed: they count as empty or refused without being asked. `also_probe` are days, perhaps outside
    of what is wanted, that the vendor's boundary is probed at, such as the tier's first session.
    """

    def __init__(
        self,
        collection: Collection,
        wanted: Iterable[date],
        *,
        earlier: Mapping[date, str] | None = None,
        chunk_size: int = 50,
        max_consecutive_empty: int = 20,
        boundaries: Iterable[Boundary] = (),
        also_probe: Iterable[date] = (),
    ) -> None:
        self.collection = collection
        self.days = tuple(sorted(set(wanted), reverse=True))
        if not self.days:
            raise ValueError("a walk needs a day to go to")
        self.chunk_size = chunk_size
        self._max_consecutive_empty = max_consecutive_empty
        self._also_probe = tuple(also_probe)
        self._at = {day: index for index, day in enumerate(self.days)}
        self._kinds: list[str] = [""] * len(self.days)  # "": no outcome
        self._in_flight: set[int] = set()
        self._fresh: set[int] = set()  # the outcome is of this run
        self._closed: set[int] = set()  # beyond a boundary, not asked for
        self._must_ask: set[int] = set()  # failed, and so no boundary closes it
        self._messages: dict[int, str] = {}
        self._unrecorded: set[int] = set()
        self._saved: set[date] = set()  # in whichever run
        self._hits: set[date] = set()  # has data, by a probe
        self._served: set[date] = set()  # saved or probed in this run
        self._ask_again_at = {VendorQuestion: 0, TierQuestion: 0}  # at this many days in a row
        self._frontier = 0
        for day, kind in (earlier or {}).items():
            if kind == "failed":
                self._must_ask.add(self._at[day])
            else:
                self._kinds[self._at[day]] = kind
            if kind == "saved":
                self._saved.add(day)
        self.boundaries = {boundary.kind: boundary for boundary in boundaries if boundary.day}
        self._close_all()
        self._advance()

    # Which day comes next

    def next_day(self) -> date | None:
        """The newest day that may start now; None if all that may are under way or have ended.

        A day more than one chunk older than the frontier may not.
        """
        for index in range(self._frontier, min(self._frontier + self.chunk_size + 1, len(self.days))):
            if not self._kinds[index] and index not in self._in_flight:
                return self.days[index]
        return None

    def started(self, day: date) -> None:
        index = self._at[day]
        if self._kinds[index] or index in self._in_flight:
            raise ValueError(f"{day} is under way or has ended")
        self._in_flight.add(index)

    def put_back(self, day: date) -> None:
        """A day under way was given up without an outcome (a pause, a stop): it may start again."""
        self._in_flight.remove(self._at[day])
        self._close_all()

    def finished(self, day: date, kind: Kind, message: str = "") -> tuple[Boundary, ...]:
        """How a day under way ended; `message` is a refusal's text.

        Returns records that revoke boundaries, when a day beyond one turns out to have data: older days are asked for
        again, and `question()` comes again.
        """
        index = self._at[day]
        self._in_flight.remove(index)
        self._kinds[index] = kind
        self._fresh.add(index)
        self._must_ask.discard(index)
        self._messages[index] = message if kind == "refused" else ""
        if kind == "refused":
            self._unrecorded.add(index)
        elif kind == "saved":
            self._saved.add(day)
            self._served.add(day)
        revoked = self._revoke(day) if kind == "saved" else ()
        self._advance()
        return revoked

    def reopen(self, days: Iterable[date]) -> None:
        """A further round: these days lose their outcome and may start again, however old they are."""
        for day in days:
            index = self._at[day]
            if not self._kinds[index] or self._kinds[index] == "saved":
                raise ValueError(f"{day} has no outcome that could be asked for again")
            self._kinds[index] = ""
            self._must_ask.add(index)
            self._closed.discard(index)
            self._unrecorded.discard(index)
            self._frontier = min(self._frontier, index)

    @property
    def frontier(self) -> date:
        """W: the oldest day such that every newer wanted day has an outcome."""
        return self.days[min(self._frontier, len(self.days) - 1)]

    @property
    def chunk(self) -> tuple[int, int, date, date]:
        """Where the frontier is: number and count of the chunk, its newest and its oldest day."""
        number = self._at[self.frontier] // self.chunk_size
        inside = self.days[number * self.chunk_size : (number + 1) * self.chunk_size]
        return number + 1, -(-len(self.days) // self.chunk_size), inside[0], inside[-1]

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def exhausted(self) -> bool:
        """Nothing is left to start, though days may be under way."""
        return self._kinds.count("") == len(self._in_flight)

    @property
    def done(self) -> bool:
        """Every day has an outcome, or is closed."""
        return self._frontier == len(self.days)

    def days_of(self, kind: Kind) -> tuple[date, ...]:
        """The days with this outcome, newest first, without those that are closed."""
        return tuple(
            day for index, day in enumerate(self.days) if self._kinds[index] == kind and index not in self._closed
        )

    @property
    def closed(self) -> tuple[date, ...]:
        """The days beyond a boundary that were not asked for, newest first."""
        return tuple(self.days[index] for index in sorted(self._closed))

    # Where the data begin

    def question(self) -> VendorQuestion | TierQuestion | None:
        """What has to be asked about the beginning of the data before the walk can know, if anything."""
        return self._tier_question() or self._vendor_question()

    def postpone(self, question: VendorQuestion | TierQuestion) -> None:
        """The probes did not answer: the question comes again after another chunk of such days."""
        newest, oldest = (self._at[day] for day in question.run)
        self._ask_again_at[type(question)] = oldest - newest + 1 + self.chunk_size

    def answer_vendor(self, question: VendorQuestion, hits: Iterable[date]) -> Boundary | None:
        """Which of the probes returned rows. Any that did makes a hole of the empty days: the walk goes on, and asks
        once more for such a day if it had come back empty.

        None did: the data begin at the oldest day that has any, or that failed, for nobody knows what it has; older
        days are closed. Returns the record, or None, also if what has ended meanwhile says otherwise.
        """
        found = set(hits)
        self._hits |= found
        self._served |= found
        self.reopen(day for day in found if day in self._at and self._kinds[self._at[day]] == "empty")
        oldest_data = self._oldest_data
        if oldest_data is None or oldest_data <= question.run[0]:
            return None
        failed = [day for day in self.days_of("failed") if day > question.run[0]]
        return self._close(vendor_boundary(question, min([oldest_data, *failed])))

    def bisection(self, question: TierQuestion) -> Bisection:
        """The search between the refused day and the served one; ValueError if no day was served."""
        if question.served is None:
            raise ValueError("no newer day was served: this is about the account")
        between = self.days[self._at[question.served] : self._at[question.refused] + 1]
        return Bisection(between[::-1])

    def answer_tier(self, question: TierQuestion, first_served: date) -> Boundary | None:
        """The bisection's answer: older days are closed. None if an older day has been served meanwhile."""
        if any(day < first_served for day in self._served):
            return None
        return self._close(tier_boundary(question, first_served))

    def pending_refused(self) -> tuple[date, ...]:
        """The days refused in this run whose refusal is not recorded yet, newest first."""
        return tuple(self.days[index] for index in sorted(self._unrecorded))

    def refusals_recorded(self, days: Iterable[date]) -> None:
        self._unrecorded -= {self._at[day] for day in days}

    def served_newer(self, day: date) -> bool:
        """Whether this run was served a newer day: then a refusal is about the day, not about the account."""
        return any(served > day for served in self._served)

    def canary(self, refused: date) -> date | None:
        """A day that has to be served still if a refusal is about its day: the nearest newer one that this run was
        served, else the newest that an earlier run saved."""
        served = min((day for day in self._served if day > refused), default=None)
        return served or max((day for day in self._saved if day > refused), default=None)

    def confirmed(self, day: date) -> None:
        """A probe says that a day, saved by an earlier run, is served in this one too."""
        self._served.add(day)

    @property
    def newest_saved(self) -> date | None:
        """The newest day that has data, of whichever run."""
        return max(self._saved, default=None)

    def _vendor_question(self) -> VendorQuestion | None:
        oldest_data, canary = self._oldest_data, self.newest_saved
        if "vendor" in self.boundaries or canary is None or oldest_data is None:
            return None
        least = max(self._max_consecutive_empty, self._ask_again_at[VendorQuestion])
        for newest, oldest in self._rows_of("empty", older_than=oldest_data):
            still_open = not all(self._kinds[oldest + 1 :])
            if oldest - newest + 1 >= least and (still_open or self._fresh & set(range(newest, oldest + 1))):
                run = self.days[newest], self.days[oldest]
                probes = probe_days(self.days, oldest, self._also_probe)
                return VendorQuestion(self.collection, canary, run, oldest - newest + 1, probes)
        return None

    def _tier_question(self) -> TierQuestion | None:
        least = max(REFUSALS_IN_A_ROW, self._ask_again_at[TierQuestion])
        known = self.boundaries.get("tier")
        served_now = min(self._served, default=None)
        for newest, oldest in self._rows_of("refused", older_than=served_now or date.max):
            refused = self.days[newest]
            explained = known is not None and known.day is not None and refused < known.day
            if oldest - newest + 1 < least or explained or not self._fresh.issuperset(range(newest, oldest + 1)):
                continue
            served_earlier = max((day for day in self._saved if day > refused), default=None)
            return TierQuestion(
                self.collection,
                served=served_now or served_earlier,
                fresh=served_now is not None,
                refused=refused,
                run=(refused, self.days[oldest]),
                newest=self.days[0],
                message=self._messages[newest],
            )
        return None

    def _rows_of(self, kind: Kind, *, older_than: date) -> Iterator[tuple[int, int]]:
        """The days in a row that ended alike, as (newest, oldest), the oldest row first, behind the frontier.

        Closed days belong to none, and refusals are alike only if their texts are, whatever day they name.
        """
        index = self._frontier - 1
        while index >= 0 and self.days[index] < older_than:
            oldest = index
            while index >= 0 and self.days[index] < older_than and self._alike(index, oldest, kind):
                index -= 1
            if index < oldest:
                yield index + 1, oldest
            else:
                index -= 1

    def _alike(self, index: int, other: int, kind: Kind) -> bool:
        return (
            self._kinds[index] == kind
            and index not in self._closed
            and _undated(self._messages.get(index, "")) == _undated(self._messages.get(other, ""))
        )

    @property
    def _oldest_data(self) -> date | None:
        return min(self._saved | self._hits, default=None)

    def _advance(self) -> None:
        while self._frontier < len(self.days) and self._kinds[self._frontier]:
            self._frontier += 1

    def _close(self, boundary: Boundary) -> Boundary:
        """Days beyond count as asked for, except those under way and those that failed."""
        self.boundaries[boundary.kind] = boundary
        touched = self._in_flight | self._must_ask
        for index, day in enumerate(self.days):
            beyond = boundary.day is not None and day < boundary.day
            if beyond and not self._kinds[index] and index not in touched:
                self._kinds[index] = "empty" if boundary.kind == "vendor" else "refused"
                self._closed.add(index)
        self._advance()
        return boundary

    def _close_all(self) -> None:
        for boundary in sorted(self.boundaries.values(), key=lambda boundary: boundary.kind, reverse=True):
            self._close(boundary)  # the vendor's first, as in the plan

    def _revoke(self, day: date) -> tuple[Boundary, ...]:
        """A day has data: boundaries that say otherwise are gone, and the days that they closed are open again."""
        wrong = [boundary for boundary in self.boundaries.values() if boundary.day and day < boundary.day]
        for boundary in wrong:
            del self.boundaries[boundary.kind]
        if wrong:
            for index in self._closed:
                self._kinds[index] = ""
                self._frontier = min(self._frontier, index)
            self._closed.clear()
            self._close_all()
        return tuple(Boundary(self.collection, old.kind, None, (f"{day} has data",)) for old in wrong)


def _undated(text: str) -> str:
    """A refusal's words without the day that they name."""
    return _DATE.sub("…", text)


def next_shard(walks: Iterable[Walk]) -> tuple[Walk, Shard] | None:
    """The newest day that may start in any of the walks, so that no collection waits for another; None if none may."""
    ready = [(day, walk) for walk in walks if (day := walk.next_day()) is not None]
    if not ready:
        return None
    day, walk = max(ready, key=lambda pair: pair[0])
    return walk, Shard(walk.collection, day)

"""Where do the data begin? The probes that answer what a walk asks (design §2, boundaries)."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Literal

from thetabulk.errors import AccountError
from thetabulk.events import Emit, Notice
from thetabulk.model import Boundary, Collection
from thetabulk.run.boundary import TierQuestion, VendorQuestion
from thetabulk.run.walk import Walk

Finding = Literal["served", "empty", "refused", "unknown"]
Question = VendorQuestion | TierQuestion
Probe = Callable[[Collection, date], Awaitable[Finding]]


class Answers:
    def __init__(self, probe: Probe, emit: Emit) -> None:
        self._probe = probe
        self._emit = emit

    async def answer(self, walk: Walk, question: Question) -> Boundary | None:
        """The boundary, if there is one. None also if the probes gave no clear answer: the question is postponed.

        Raises AccountError if the newest days are refused too.
        """
        if isinstance(question, VendorQuestion):
            return await self._vendor(walk, question)
        return await self._tier(walk, question)

    def postpone(self, walk: Walk, question: Question, why: str = "the probes gave no clear answer") -> None:
        walk.postpone(question)
        newest, oldest = question.run
        kind = "empty" if isinstance(question, VendorQuestion) else "refused"
        self._emit(Notice(f"{walk.collection}: {kind} days from {newest} back to {oldest}, but {why}", "warning"))

    async def _vendor(self, walk: Walk, question: VendorQuestion) -> Boundary | None:
        findings = {question.canary: await self._probe(walk.collection, question.canary)}
        if findings[question.canary] == "served":
            for day in question.probes:
                findings[day] = await self._probe(walk.collection, day)
        hits = [day for day in question.probes if findings.get(day) == "served"]
        clear = findings[question.canary] == "served" and "unknown" not in findings.values()
        if not hits and not clear:
            self.postpone(walk, question)
            return None
        return walk.answer_vendor(question, hits)

    async def _tier(self, walk: Walk, question: TierQuestion) -> Boundary | None:
        if question.served is None:
            raise refused_at_the_newest_end(question.message)
        if not question.fresh:
            finding = await self._probe(walk.collection, question.served)
            if finding == "refused":
                raise refused_at_the_newest_end(question.message)
            if finding != "served":
                self.postpone(walk, question)
                return None
            walk.confirmed(question.served)
        bisection = walk.bisection(question)
        while (day := bisection.probe) is not None:
            finding = await self._probe(walk.collection, day)
            if finding == "unknown":
                self.postpone(walk, question)
                return None
            bisection.answer(finding != "refused")
        assert bisection.first_served is not None
        return walk.answer_tier(question, bisection.first_served)


def refused_at_the_newest_end(message: str) -> AccountError:
    return AccountError(
        f"the newest days are refused too: {message}",
        hint="the account is not what we think; nothing was recorded. Check the subscription that the Terminal shows "
        "when it starts, and --tier",
    )

"""Where do the data begin? The probes that answer what a walk asks (design §2, boundaries)."""

from collections.abc import Awaitable, Callable, Sequence
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
    """`about_the_days` hears of refusals that are about their days, for the account was well when it was asked after
    them."""

    def __init__(
        self, probe: Probe, emit: Emit, about_the_days: Callable[[Walk, Sequence[date]], Awaitable[None]]
    ) -> None:
        self._probe = probe
        self._emit = emit
        self._about_the_days = about_the_days

    async def answer(self, walk: Walk, question: Question) -> Boundary | None:
        """The boundary, if there is one. None also if the probes gave no clear answer: the question is postponed.

        Raises AccountError if days are refused that were served before.
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
            raise not_what_we_think(question.message)
        refused = walk.pending_refused()
        finding = await self._probe(walk.collection, question.served)
        if finding == "refused":
            raise not_what_we_think(question.message, question.served if question.fresh else None)
        if finding != "served":
            self.postpone(walk, question)
            return None
        walk.confirmed(question.served)
        await self._about_the_days(walk, [day for day in refused if day < question.served])
        bisection = walk.bisection(question)
        while (day := bisection.probe) is not None:
            finding = await self._probe(walk.collection, day)
            if finding == "unknown":
                self.postpone(walk, question)
                return None
            bisection.answer(finding != "refused")
        assert bisection.first_served is not None
        return walk.answer_tier(question, bisection.first_served)


def not_what_we_think(message: str, served: date | None = None) -> AccountError:
    """The account is not what we think; `served` is a day that this very run was served, and is now refused."""
    if served is not None:
        return AccountError(
            f"the subscription has shrunk while this ran: {served} was served, and is refused now: {message}",
            hint="what is saved stays, nothing was recorded of the others. Check the subscription that the Terminal "
            "shows when it starts, then: thetabulk resume",
        )
    return AccountError(
        f"the newest days are refused too: {message}",
        hint="the account is not what we think; nothing was recorded. Check the subscription that the Terminal shows "
        "when it starts, and --tier",
    )

"""What the account may do: its subscription, its first day, its places and its queue (thetadata-v3.md §1.5, §2, §3.1).

Whoever asks for more at once than the tier has places waits in a queue of 16; when that is full the answer is 429.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from thetabulk.model import Tier
from thetabulk.simulator.queries import FIRST_DAY, Query
from thetabulk.simulator.refusals import NO_DATA, Refusal

FINE_FROM = Tier.STANDARD  # quotes finer than a minute; VALUE has one-minute data (thetadata-v3.md §1.5)
_WORDS = {Tier.PRO: "professional"}
Ticket = TypeVar("Ticket")


@dataclass(frozen=True, slots=True)
class Account:
    """`tier` is that of options, `others` those of stocks and indices (FREE where it says nothing). `floor` replaces
    the tier's first day; below it the answer is `floor_answer`, 403 or 472."""

    tier: Tier
    floor: date | None = None
    floor_answer: int = 403
    others: Mapping[str, Tier] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """At once, of the whole account: by the highest tier that it holds in any asset class."""
        return max(tier.requests for tier in (self.tier, *self.others.values()))

    @property
    def first_day(self) -> date:
        return self.floor or self.tier.options_from

    def check(self, query: Query) -> date:
        """The first day that is served of what is asked for. Raises `Refusal`: 403 for what needs another
        subscription, 472 for days that no subscription (or, so answered, this one) reaches."""
        if self.tier.rank < query.endpoint.needs.rank:
            raise self.refusal(query.endpoint.needs)
        if query.endpoint.name == "quote" and query.interval_ms < 60_000 and self.tier.rank < FINE_FROM.rank:
            raise self.refusal(FINE_FROM)
        if not query.endpoint.history:
            return query.first
        if query.last < FIRST_DAY:
            raise Refusal(472, NO_DATA)
        first = max(query.first, FIRST_DAY)
        if first < self.first_day and self.floor_answer == 403:
            raise self.refusal(self.needed(first))
        if query.last < self.first_day:
            raise Refusal(472, NO_DATA)
        return max(first, self.first_day)

    def needed(self, day: date) -> Tier:
        """The lowest subscription that reaches a day; with a floor of its own the next one up."""
        if self.floor:
            return next((tier for tier in Tier if tier.rank == self.tier.rank + 1), Tier.PRO)
        return next((tier for tier in Tier if tier.options_from <= day), Tier.PRO)

    def refusal(self, needed: Tier) -> Refusal:
        """403 as seen live; the code 471 of the documentation has not been (thetadata-v3.md §2)."""
        return Refusal(
            403,
            f"Requesting an option endpoint requiring a {_WORDS.get(needed, needed.text)} subscription, but you only "
            f"have a {_WORDS.get(self.tier, self.tier.text).upper()} subscription. Please consider upgrading!",
        )

    def banner(self, address: str) -> tuple[str, ...]:
        """What a Terminal prints when it starts."""
        tiers = [self.others.get("stock", Tier.FREE), self.tier, self.others.get("index", Tier.FREE)]
        stock, option, index = (_WORDS.get(tier, tier.text).upper() for tier in tiers)
        return (
            f"Subscriptions: Stock: {stock} Options: {option} Index: {index} Rate: FREE",
            f"Max concurrent requests: {self.requests}",
            f"Starting server at {address}",
        )


class Turnstile(Generic[Ticket]):
    """Places and a queue, first come first served. It decides; whoever waits does so elsewhere."""

    def __init__(self, places: int, queue: int) -> None:
        self.places, self.queue = places, queue
        self.inside = 0
        self.waiting: deque[Ticket] = deque()

    def arrive(self, ticket: Ticket) -> str:
        """`in`, `wait`, or `full`."""
        if self.inside < self.places and not self.waiting:
            self.inside += 1
            return "in"
        if len(self.waiting) >= self.queue:
            return "full"
        self.waiting.append(ticket)
        return "wait"

    def leave(self) -> Ticket | None:
        """A place is free: whose turn it is now, already counted as inside."""
        if self.waiting:
            return self.waiting.popleft()
        self.inside -= 1
        return None

    def give_up(self, ticket: Ticket) -> bool:
        """Whether the ticket was still waiting; if not, it has been let in and must leave."""
        if ticket not in self.waiting:
            return False
        self.waiting.remove(ticket)
        return True

"""What the vendor has, day by day: every body, list and refusal. What a run makes of it is compared with this."""

from dataclasses import dataclass
from datetime import date
from random import Random

from tests.cli.small_store import CONTRACTS, HOURLY, answer
from thetabulk.model import Shard

SYMBOL = HOURLY.symbol
REFUSAL = (
    "Requesting an option endpoint requiring a professional subscription, but you only have a STANDARD subscription"
)


@dataclass(frozen=True)
class Truth:
    """`kinds` of the wanted days: good, surplus (a row twice), lacking (a row too few), restated (lacking at first,
    good from the second asking on), empty, refused."""

    kinds: dict[date, str]

    def kind(self, day: date) -> str:
        """A day that is not wanted is as its neighbours: before the first as the first, between two a hole."""
        first = min(self.kinds)
        return self.kinds.get(day, self.kinds[first] if day < first else "empty")

    def body(self, day: date, asked: int) -> bytes:
        """What is sent to the so-manieth request for the day, from 1; b"" where there is nothing to send."""
        whole = answer(Shard(HOURLY, day))
        rows = whole.splitlines(keepends=True)
        kind = self.kind(day)
        if kind == "surplus":
            return whole + rows[-1]
        if kind == "lacking" or (kind == "restated" and asked == 1):
            return b"".join([*rows[:5], *rows[6:]])
        return whole if kind in ("good", "restated") else b""

    def ends_as(self, day: date) -> str:
        """saved, remarks, incomplete, empty or refused."""
        return {"good": "saved", "restated": "saved", "surplus": "remarks", "lacking": "incomplete"}.get(
            self.kind(day), self.kind(day)
        )


def truth(dice: Random, sessions: list[date]) -> Truth:
    """Mostly good days; holes, odd days, and perhaps a beginning of the data or of what the subscription covers."""
    special = dice.choice((0.0, 0.1, 0.3))
    kinds = {
        day: dice.choice(("surplus", "lacking", "restated", "empty")) if dice.random() < special else "good"
        for day in sessions
    }
    begins = dice.randrange(len(sessions) // 3, len(sessions))
    how = dice.choice(("", "", "empty", "refused"))
    for day in sorted(sessions)[: len(sessions) - begins] if how else ():
        kinds[day] = how
    newest = max(sessions)
    if kinds[newest] in ("empty", "refused"):
        kinds[newest] = "good"
    return Truth(kinds)


def contracts() -> bytes:
    rows = "".join(f'"{SYMBOL}","{expiration}",{strike},"{right}"\n' for expiration, strike, right in CONTRACTS)
    return f"symbol,expiration,strike,right\n{rows}".encode()


def expirations() -> bytes:
    return f"symbol,expiration\n{SYMBOL},2030-01-18\n".encode()

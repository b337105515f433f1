"""When what fails, by seed: outages that last for a while, and accidents that happen to single requests."""

from dataclasses import dataclass, field
from random import Random

OUTAGES = (
    "unreachable", "dropped", "disconnected", "starting", "disconnected, it says connected", "session taken",
    "session taken, it says connected", "500", "429", "429, retry after", "stalled", "cut", "html", "header only",
    "another day",
)  # fmt: skip
"""Kinds of bad weather at the Terminal; all requests suffer."""

TROUBLES = ("drive gone", "disk full")
"""The same, of the drive."""

ACCIDENTS = (
    "500", "cut", "cut at a row", "html", "header only", "another day", "dropped", "stalled", "429", "no last contract",
)  # fmt: skip
"""What happens to one request among others."""


@dataclass(frozen=True)
class Spell:
    """Bad weather of one kind, from a moment to another, in seconds of the run."""

    kind: str
    start_s: float
    end_s: float

    def at(self, now_s: float) -> bool:
        return self.start_s <= now_s < self.end_s


@dataclass
class Weather:
    """`share` of the requests have an accident; `list_share` of the contract lists fail; `naps` are moments at which
    the machine sleeps, and for how long."""

    spells: tuple[Spell, ...] = ()
    share: float = 0.0
    list_share: float = 0.0
    accidents: tuple[str, ...] = ACCIDENTS
    naps: tuple[tuple[float, float], ...] = ()
    dice: Random = field(default_factory=Random)

    def outage(self, now_s: float) -> str:
        return self._spell(now_s, OUTAGES)

    def trouble(self, now_s: float) -> str:
        return self._spell(now_s, TROUBLES)

    def _spell(self, now_s: float, kinds: tuple[str, ...]) -> str:
        return next((spell.kind for spell in self.spells if spell.kind in kinds and spell.at(now_s)), "")

    def fate(self, now_s: float) -> str:
        """What happens to a request for data that is sent now; "" if nothing does."""
        accident = self.dice.choice(self.accidents) if self.dice.random() < self.share else ""
        return self.outage(now_s) or accident

    def list_fails(self) -> bool:
        return self.dice.random() < self.list_share

    def slept_s(self, now_s: float) -> float:
        return sum(length for at, length in self.naps if at <= now_s)

    def calm_from(self) -> float:
        """When the last spell is over."""
        return max((spell.end_s for spell in self.spells), default=0.0)


def weather(dice: Random) -> Weather:
    """Fair, or with up to four spells of up to half an hour, some of them at once, and up to a third of the requests
    failing. A run of some dozen days takes ten seconds of fair weather."""
    spells = []
    start = 0.0
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        start, length = start + dice.uniform(0, 6), dice.choice((1, 3, 10, 60, 300, 1_800)) * dice.uniform(0.5, 1.0)
        spells.append(Spell(dice.choice(OUTAGES + TROUBLES * 4), start, start + length))
        start += length * dice.choice((0.5, 1.0))
    naps = tuple((dice.uniform(1, 10), dice.choice((60.0, 3_600.0))) for _ in range(dice.choice((0, 0, 0, 1))))
    share = dice.choice((0.0, 0.0, 0.02, 0.1, 0.33))
    return Weather(tuple(spells), share, dice.choice((0.0, 0.0, 0.3, 1.0)), naps=naps, dice=Random(dice.random()))

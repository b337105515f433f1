"""The vendor profile: what a live Terminal was seen to do, where nobody had written it down. Pure.

`doctor --probe` asks and decides (assembly/probing.py, plan/facts.py); the ledger keeps it; checks, boundaries,
time-outs and the simulator follow it. What was not decided is None or empty, and nothing changes by it. A profile only
ever adds to what is known: the documented grids and answers stay good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, time
from typing import Any

from thetabulk.model import Dataset, Tier
from thetabulk.plan.datasets import ENDS, OPENS
from thetabulk.plan.facts import ListFact, is_words

_MOST_TEXT = 500
_MEAN_SOMETHING = frozenset((401, 407, 408, 425, 429, 470, 474, 475, 476, 477, 478))
"""Statuses of load, session and state: whatever a day is asked for, they say nothing about the day."""

_REFUSALS = frozenset((200, 402, 403, 471))
"""Statuses under which words may mean "not in your subscription": with another, a fault would be taken for one."""

_OPENS_BY, _ENDS_AFTER, _HALF_ENDS_AFTER = "09:45", "15:45", "12:45"
"""A grid that begins later or ends earlier is what is left of a day: it is told, and not followed."""

LADDERS: Mapping[str, tuple[tuple[date | None, Tier], ...]] = {
    "option": ((date(2015, 12, 31), Tier.PRO), (date(2019, 12, 31), Tier.STANDARD), (None, Tier.VALUE)),
    "stock": ((date(2015, 12, 31), Tier.PRO), (date(2020, 12, 31), Tier.STANDARD), (None, Tier.VALUE)),
    "index": ((date(2021, 12, 31), Tier.PRO), (date(2022, 12, 30), Tier.STANDARD), (None, Tier.VALUE)),
}
"""Sessions just before a tier's first day, oldest first: the first that is served tells the tier (thetadata-v3.md
§1.5). None is the newest settled session."""


@dataclass(frozen=True, slots=True)
class GridFact:
    """The one-minute rows that a contract of `symbol` had on a whole or a half day, asked for until `until`."""

    symbol: str
    half_day: bool
    until: str
    first: str
    last: str
    rows: int


@dataclass(frozen=True, slots=True)
class Told:
    """An answer without data. `about` is weekend, holiday, before or above; `text` is without dates and symbol;
    `means` is empty, refused, or "" where it could mean anything."""

    about: str
    status: int
    text: str
    means: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known. `columns` says how the header of quotes differs from the documented one ("": not at all); `told`
    are the answers without data; `tiers` by asset class, and `tiers_from` how each is known; `requests` is how many the
    account may have in flight; seconds are the slowest of the probes with data."""

    probed: str = ""
    symbol: str = ""
    terminal: str = ""
    columns: str | None = None
    line_end: str | None = None
    final_newline: bool | None = None
    header_quoted: bool | None = None
    quoted: tuple[str, ...] | None = None
    stamps: str | None = None
    order: str | None = None
    grids: tuple[GridFact, ...] = ()
    contract_list: ListFact | None = None
    told: tuple[Told, ...] = ()
    framing: str | None = None
    compression: str | None = None
    header_s: float | None = None
    first_byte_s: float | None = None
    tiers: Mapping[str, str] | None = None
    tiers_from: Mapping[str, str] | None = None
    requests: int | None = None

    def to_fields(self) -> dict[str, Any]:
        """As JSON has it; what was not decided is null or empty."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Profile":
        """Of a ledger record, or of a file. ValueError if it is no profile; what a newer one adds is passed over."""
        try:
            known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
            known["grids"] = tuple(_grid(each) for each in known.get("grids", ()))
            known["told"] = tuple(_told(each) for each in known.get("told", ()))
            listed = known.get("contract_list")
            known["contract_list"] = None if listed is None else _list_fact(listed)
            quoted = known.get("quoted")
            known["quoted"] = None if quoted is None else tuple(map(str, quoted))
            found = cls(**known)
            found._check()
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not a vendor profile: {error}") from error
        return found

    def _check(self) -> None:
        for seconds in (self.header_s, self.first_byte_s):
            if seconds is not None and not 0 <= seconds < 86_400:
                raise ValueError(f"not a vendor profile: {seconds} seconds")
        if self.requests is not None and not 1 <= self.requests <= 128:
            raise ValueError(f"not a vendor profile: {self.requests} requests at once")
        for word in (self.tiers or {}).values():
            Tier.parse(word)

    def tier(self, asset: str) -> Tier | None:
        word = (self.tiers or {}).get(asset)
        return Tier.parse(word) if word else None

    def meaning(self, means: str) -> tuple[tuple[int, str], ...]:
        """Status and text of the answers that were learned to mean `empty` or `refused`."""
        return tuple(sorted({(one.status, one.text) for one in self.told if one.means == means}))


def grids_of(profile: Profile, dataset: Dataset, half_day: bool) -> dict[tuple[int, int], str]:
    """The grids that the profile adds for a whole day's request: first row (counted from 09:30) and rows -> the times.

    They were seen at one minute; a coarser interval has its stamps between the same first and last minute.
    """
    if dataset.interval_ms is None or not dataset.path.endswith("/quote"):
        return {}
    step = max(1, dataset.interval_ms // 60_000)
    found = {}
    for fact in profile.grids:
        if fact.half_day == half_day and fact.until == f"{ENDS:%H:%M}" and is_whole(fact):
            first = -(-_minutes_in(fact.first) // step)
            rows = _minutes_in(fact.last) // step - first + 1
            if rows > 0:
                found[first, rows] = f"{fact.first}–{fact.last}"
    return found


def is_whole(fact: GridFact) -> bool:
    """Whether the rows go from about the opening to about the close: a Terminal may just have been in trouble."""
    return fact.first <= _OPENS_BY and fact.last >= (_HALF_ENDS_AFTER if fact.half_day else _ENDS_AFTER)


def meanings(told: Sequence[Told], *, served: bool) -> tuple[Told, ...]:
    """Each answer with its meaning, as far as it can be told; one that it has already (by the documented status) stays.

    Two days of a kind that say the same mean it: a weekend and a holiday, two days before history, two days above the
    tier. Nothing is learned if the day that has data was not `served`: then they may all speak of something else. An
    empty body, a page, an error of the server and a status about load or session mean nothing, however often they come.
    """
    if not served:
        return tuple(told)
    closed = _agreed([one for one in told if one.about in ("weekend", "holiday")], kinds=2)
    before = _agreed([one for one in told if one.about == "before"])
    above = _agreed([one for one in told if one.about == "above"])
    refused = {answer for answer in above - closed if answer[0] in _REFUSALS}
    empty = closed | (before - refused)
    learned = dict.fromkeys(refused, "refused") | dict.fromkeys(empty, "empty")
    return tuple(replace(one, means=one.means or learned.get(_what(one), "")) for one in told)


def tier_by_days(asset: str, served: Mapping[date | None, bool | None]) -> Tier | None:
    """The tier by what was served of the ladder's days: True, False, or None for no clear answer.

    FREE if even the newest day is not: its subscription has the end of day only.
    """
    for day, tier in LADDERS[asset]:
        if served.get(day) is None:
            return None
        if served[day]:
            return tier
    return Tier.FREE


def requests_at_once(tiers: Mapping[str, Tier]) -> int | None:
    """What the whole account may have in flight: by the highest tier in any asset class, not added up (§3.1)."""
    return max((tier.requests for tier in tiers.values()), default=None)


def _agreed(told: Sequence[Told], *, kinds: int = 1) -> set[tuple[int, str]]:
    """What at least two of these answers say with the same words, none of them says otherwise, and can be believed."""
    said = {_what(one) for one in told}
    if len(told) < 2 or len(said) != 1 or len({one.about for one in told}) < kinds:
        return set()
    [(status, text)] = said
    believed = 200 <= status < 500 and status not in _MEAN_SOMETHING and is_words(text) and len(text) <= _MOST_TEXT
    return said if believed and not any(one.means for one in told) else set()


def _what(told: Told) -> tuple[int, str]:
    return told.status, told.text


def _grid(fields: Mapping[str, Any]) -> GridFact:
    fact = GridFact(
        str(fields["symbol"]), bool(fields["half_day"]), _clock(fields["until"]), _clock(fields["first"]),
        _clock(fields["last"]), int(fields["rows"]),
    )  # fmt: skip
    if not 0 <= _minutes_in(fact.first) <= _minutes_in(fact.last):
        raise ValueError(f"not a vendor profile: a grid from {fact.first} to {fact.last}")
    return fact


def _told(fields: Mapping[str, Any]) -> Told:
    if fields["means"] not in ("", "empty", "refused"):
        raise ValueError(f"not a vendor profile: an answer that means {fields['means']!r}")
    return Told(str(fields["about"]), int(fields["status"]), str(fields["text"]), fields["means"])


def _list_fact(fields: Mapping[str, Any]) -> ListFact:
    fact = ListFact(str(fields["relation"]), float(fields["unquoted"]), float(fields["unlisted"]))
    if not (0 <= fact.unquoted <= 1 and 0 <= fact.unlisted <= 1):
        raise ValueError("not a vendor profile: a share of the contract list beyond the whole")
    return fact


def _clock(text: str) -> str:
    return f"{time.fromisoformat(text):%H:%M}"


def _minutes_in(clock: str) -> int:
    """Since 09:30."""
    at = time.fromisoformat(clock)
    return (at.hour - OPENS.hour) * 60 + at.minute - OPENS.minute

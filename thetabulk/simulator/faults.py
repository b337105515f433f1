"""Failures on cue: which of the planned faults strike which request. Pure; the same seed gives the same storm.

A specification is a list of faults, separated by `;`, each a name with options:

    cut:p=0.05; false472:days=2020-03-02..2020-03-06,times=1; 429:from=100,to=120,retry_after=2

Whether a fault strikes is a function of (seed, fault, request, attempt number of that very request, request number).
Options of every fault, all of which must hold:

    p=0.05                  with this probability
    from=100, to=120        by the number of the request, from 1; data requests and list requests are counted apart
    every=10                every tenth of them
    times=1                 only the first attempts of the same request, so that it heals when asked again
    skip=1                  only after so many attempts of the same request
    days=A..B (or A)        by the first day that is asked for
    symbols=QQQ+SPY
    on=quote+eod            by endpoint: quote, eod, open_interest, contracts …, data (those three), all
    after=500, after_s=240  once so many requests, or seconds, have gone by
    until_s=300             until so many seconds have gone by

Instead of an answer (option: text=, the words of the answer):
    400 403 404 410 429 470 … 478 500 502 503 570 571 572      that status;
                            429 and 503 with retry_after=2, -5, date, date+30, or whatever text
    false472                472, although there are data
    html, text, empty, header-only     status 200 with a page, the no-data text, nothing, or the header alone
    list-fails              contract lists: answer=500, any other status, or empty
    status                  what the Terminal says of itself: word=UNVERIFIED, DISCONNECTED (default), 429 …
    shrink                  the account has another subscription: tier=free; use it with after= or after_s=
    reset                   the connection is reset; at=0.5 or at=20000 (bytes): in the middle of the answer
While the answer is sent (at= as above, at=random by default):
    cut                     the connection closes before the answer's end
    stall                   nothing more comes, for seconds=3600
    delay                   nothing comes for seconds=1, then all of it
    drip                    rate=1000 bytes a second
    degrade                 as drip, or with answer= as a status: use it with after= or after_s=
In the answer itself, of the same request always at the same place (but clean-cut, as it has at=random):
    clean-cut               ends early but properly: at=, and by=row, contract or byte
    wrong-day, wrong-symbol            the session before; another symbol. rows=one changes a single row
    drop-contract, double-contract     count=1 of them
    drop-row, double-row               one row of one contract
    grid                    contracts have only rows=390 rows; contracts=one or all
    restate                 the same day told differently (from the second time on, unless skip= says otherwise)
    time-major, reversed    the same rows in another order
    no-final-newline, mixed-newlines
    three-decimals, nan, negative      in one price
    old-expiration          one contract more, which expired in 1882
    unlisted-contract       one contract more, which no list knows
    new-column, renamed-column, swapped-columns
    error-inside            a line of error text among the rows, and the end

A scenario file (TOML) holds the same as tables, and may set anything that the command line sets:

    [simulator]             tier = "standard", hole = ["2020-03-02:2020-03-06"], faults = "cut:p=0.01" …
    [[fault]]               name = "cut", p = 0.05
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from thetabulk.simulator.dice import MILLION, draw
from thetabulk.simulator.endpoints import DATA, ENDPOINTS
from thetabulk.simulator.refusals import STATUS_TEXTS

INSTEAD = "instead"
SENDING = "sending"
CONTENT = "content"
STATUS = "status"
ACCOUNT = "account"
_SELECTORS = frozenset(
    ("p", "from", "to", "every", "times", "skip", "days", "symbols", "on", "after", "after_s", "until_s")
)  # fmt: skip
_ANSWER = frozenset(("text",))
KINDS: dict[str, tuple[str, frozenset[str]]] = {
    **{str(status): (INSTEAD, _ANSWER) for status in STATUS_TEXTS},
    "429": (INSTEAD, _ANSWER | {"retry_after"}),
    "503": (INSTEAD, _ANSWER | {"retry_after"}),
    **dict.fromkeys(("false472", "html", "text", "empty", "header-only"), (INSTEAD, _ANSWER)),
    "list-fails": (INSTEAD, frozenset(("answer",))),
    "status": (STATUS, frozenset(("word",))),
    "shrink": (ACCOUNT, frozenset(("tier",))),
    **dict.fromkeys(("reset", "cut"), (SENDING, frozenset(("at",)))),
    "stall": (SENDING, frozenset(("at", "seconds"))),
    "delay": (SENDING, frozenset(("seconds",))),
    "drip": (SENDING, frozenset(("rate",))),
    "degrade": (SENDING, frozenset(("rate", "answer"))),
    "clean-cut": (CONTENT, frozenset(("at", "by"))),
    **dict.fromkeys(("wrong-day", "wrong-symbol"), (CONTENT, frozenset(("rows",)))),
    **dict.fromkeys(("drop-contract", "double-contract"), (CONTENT, frozenset(("count",)))),
    "grid": (CONTENT, frozenset(("rows", "contracts"))),
    **dict.fromkeys(
        (
            "drop-row", "double-row", "restate", "time-major", "reversed", "no-final-newline", "mixed-newlines",
            "three-decimals", "nan", "negative", "old-expiration", "unlisted-contract", "new-column", "renamed-column",
            "swapped-columns", "error-inside",
        ),
        (CONTENT, frozenset()),
    ),
}  # fmt: skip
"""Every fault: what it changes, and its own options."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request as faults see it: its number, which attempt of the same request it is (from 1), and when it came."""

    number: int
    request: str
    attempt: int
    endpoint: str
    symbol: str
    day: date
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """`place` is where it stands in the specification, so that two alike draw different lots."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    place: int = 0

    @property
    def kind(self) -> str:
        return INSTEAD if self.name == "degrade" and "answer" in self.options else KINDS[self.name][0]

    def text(self, option: str, default: str) -> str:
        return self.options.get(option, default)

    def number(self, option: str, default: int) -> int:
        return int(self.options.get(option, default))

    def strikes(self, seed: int, occasion: Occasion) -> bool:
        """Whether this request is hit."""
        first, last = self.number("from", 0), self.number("to", 1 << 62)
        skip = self.number("skip", 1 if self.name == "restate" else 0)
        return (
            first <= occasion.number <= last
            and occasion.number % self.number("every", 1) == 0
            and skip < occasion.attempt <= skip + self.number("times", 1 << 62)
            and occasion.number > self.number("after", 0)
            and self.number("after_s", 0) <= occasion.seconds < self.number("until_s", 1 << 62)
            and occasion.endpoint in self._endpoints()
            and self._on_day(occasion.day)
            and ("symbols" not in self.options or occasion.symbol in self.options["symbols"].split("+"))
            and self._lot(seed, occasion) < Fraction(self.options.get("p", "1")) * MILLION
        )

    def draw(self, seed: int, occasion: Occasion, purpose: str) -> int:
        """Chance for the details of a fault that strikes."""
        return draw(seed, self.name, self.place, occasion.request, occasion.attempt, purpose)

    def where(self, seed: int, occasion: Occasion) -> int:
        """Chance for the place in the answer. Wrong data are wrong in the same way whenever they are asked for."""
        attempt = occasion.attempt if self.name == "clean-cut" else 0
        return draw(seed, self.name, self.place, occasion.request, attempt, "where")

    def _lot(self, seed: int, occasion: Occasion) -> int:
        return self.draw(seed, occasion, "lot") % MILLION

    def _endpoints(self) -> frozenset[str]:
        default = _WHERE.get(self.name, "data")
        names = self.options.get("on", default).split("+")
        every = frozenset(endpoint.name for endpoint in ENDPOINTS.values())
        groups = {"data": frozenset(DATA), "all": every}
        return frozenset().union(*(groups.get(name, frozenset((name,))) for name in names))

    def _on_day(self, day: date) -> bool:
        if "days" not in self.options:
            return True
        first, _, last = self.options["days"].partition("..")
        return date.fromisoformat(first) <= day <= date.fromisoformat(last or first)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The faults of a specification. ValueError names what is not known, and lists what is."""
    faults = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, _, options = part.partition(":")
        pairs = [pair.partition("=") for pair in filter(None, (option.strip() for option in options.split(",")))]
        if any(not value for _, _, value in pairs):
            raise ValueError(f"{part!r}: an option is written key=value")
        faults.append((name.strip(), {key.strip(): value.strip() for key, _, value in pairs}))
    return tuple(make_fault(name, options, place) for place, (name, options) in enumerate(faults))


def make_fault(name: str, options: Mapping[str, object], place: int) -> Fault:
    """One fault, checked. Raises ValueError."""
    if name not in KINDS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(sorted(KINDS))}")
    own = KINDS[name][1]
    for key, value in options.items():
        if key not in _SELECTORS | own:
            raise ValueError(f"{name} has no option {key!r}; it has {', '.join(sorted(_SELECTORS | own))}")
        pattern, example = _FORMS.get(key, (r".+", ""))
        if not re.fullmatch(pattern, str(value)):
            raise ValueError(f"{name}: {key}={value} is not of the form {key}={example}")
    fault = Fault(name, {key: str(value) for key, value in options.items()}, place)
    known = {endpoint.name for endpoint in ENDPOINTS.values()} | {"data", "all"}
    unknown = set(fault.options.get("on", "data").split("+")) - known
    if unknown:
        raise ValueError(f"{name}: there is no endpoint {min(unknown)!r}; there are {', '.join(sorted(known))}")
    return fault


_WHERE = {"list-fails": "contracts+traded-contracts", "status": "status", "shrink": "all"}
_DAY = r"\d{4}-\d{2}-\d{2}"
_FORMS = {
    "p": (r"0|1|0?\.\d+|1\.0*|0\.\d*", "0.05"),
    **dict.fromkeys(("from", "to", "times", "skip", "after", "after_s", "until_s"), (r"\d+", "10")),
    "seconds": (r"\d+(\.\d+)?", "10"),
    **dict.fromkeys(("every", "count", "rate"), (r"[1-9]\d*", "10")),
    "days": (rf"{_DAY}(\.\.{_DAY})?", "2020-03-02..2020-03-06"),
    "at": (r"random|\d+|0?\.\d+|0\.\d*", "0.5, 20000 or random"),
    "by": (r"row|contract|byte", "row, contract or byte"),
    "answer": (r"\d{3}|empty", "500 or empty"),
    "word": (r"[A-Z]+|\d{3}", "UNVERIFIED or 429"),
    "tier": (r"free|value|standard|pro", "free, value, standard or pro"),
    "contracts": (r"one|all", "one or all"),
    "rows": (r"one|all|[1-9]\d*", "one, all or 390"),
}


def striking(faults: tuple[Fault, ...], seed: int, occasion: Occasion) -> list[Fault]:
    """The faults that hit a request, in the order of the specification."""
    return [fault for fault in faults if fault.strikes(seed, occasion)]

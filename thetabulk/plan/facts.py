"""What an answer's bytes say about the vendor's manner. Pure: each fact of the profile is decided here, from bytes.

None means that these bytes decide nothing. Nobody here trusts the catalogue: a column is found by its name in the
header, and a row is whatever has as many fields as the header.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from thetabulk.model import Tier

Key = tuple[str, str, str]
"""Expiration, strike without trailing zeros, C or P: a contract, however it is printed."""

_STAMPS = ("timestamp", "created")
_FIXED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}", re.ASCII)
_TRIMMED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{0,2}[1-9])?", re.ASCII)
_CLOCK = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}):(\d{2})(?:\.\d+)?", re.ASCII)
_BANNER = re.compile(r"\b(Stock|Option|Index|Rate)s?:\s*(FREE|VALUE|STANDARD|PRO(?:FESSIONAL)?)\b", re.IGNORECASE)
_AT_ONCE = re.compile(r"Max concurrent requests:\s*(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """An answer as text: the header's names, the fields of each row with their quotes, the names that were quoted."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    header_quoted: bool

    def column(self, *names: str) -> int | None:
        """The place of the first of these columns that there is."""
        return next((self.names.index(name) for name in names if name in self.names), None)


def table(body: bytes) -> Table | None:
    """The answer as rows; None if it is no CSV with a header and at least one row (a text, a page, nothing)."""
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    header = lines[0].split(",")
    names = tuple(_bare(name) for name in header)
    if "symbol" not in names and not set(names) & set(_STAMPS):
        return None
    rows = tuple(tuple(line.split(",")) for line in lines[1:] if line.count(",") == len(header) - 1 and line)
    return Table(names, rows, header[0] != names[0]) if rows else None


def line_end(body: bytes) -> str | None:
    """LF, CR LF (as they are), or "mixed"."""
    every, long = body.count(b"\n"), body.count(b"\r\n")
    if not every:
        return None
    return "\r\n" if long == every else "\n" if not long else "mixed"


def final_newline(body: bytes) -> bool | None:
    return body.endswith(b"\n") if body.count(b"\n") > 1 or table(body) else None


def columns_unlike(found: Table, documented: Sequence[str]) -> str:
    """How the header differs from the documented one: "" for not at all, `appended NAME, …`, or `changed`."""
    names = found.names
    if names == tuple(documented):
        return ""
    appended = names[: len(documented)] == tuple(documented)
    return f"appended {', '.join(names[len(documented) :])}" if appended else "changed"


def quoted_columns(found: Table) -> tuple[str, ...]:
    """The columns whose values stand in quotes, in most rows."""
    return tuple(
        name
        for place, name in enumerate(found.names)
        if 2 * sum(row[place][:1] == '"' for row in found.rows) > len(found.rows)
    )


def stamp_style(found: Table) -> str | None:
    """`fixed` (`09:30:00.000`), `trimmed` (no zeros in the fraction), or the shape of another kind: `9999-99-99 99:99`.

    None where no row tells the first two apart.
    """
    place = found.column(*_STAMPS)
    if place is None:
        return None
    texts = [_bare(row[place]) for row in found.rows]
    strange = next((text for text in texts if not (_FIXED.fullmatch(text) or _TRIMMED.fullmatch(text))), None)
    if strange is not None:
        return re.sub(r"\d", "9", strange)[:40]
    if any(text.endswith("0") and "." in text for text in texts):
        return "fixed" if all(_FIXED.fullmatch(text) for text in texts) else "mixed"
    return "trimmed" if any("." not in text for text in texts) else None


def row_order(found: Table) -> str | None:
    """`contract` (one contract after the other), `time` (one moment after the other) or `other`. None for fewer than
    two contracts or two moments, which look the same in every order."""
    place = found.column(*_STAMPS)
    keys = _keys(found)
    if place is None or len(set(keys)) < 2:
        return None
    stamps = [_bare(row[place]) for row in found.rows]
    if len(set(stamps)) < 2:
        return None
    by_contract = _in_runs(keys) and all(
        earlier <= later for earlier, later, same in _pairs(stamps, keys) if same
    )  # fmt: skip
    if by_contract:
        return "contract"
    return "time" if _in_runs(stamps) and stamps == sorted(stamps) else "other"


@dataclass(frozen=True, slots=True)
class Span:
    """The stamps of a contract: from `first` to `last` ("09:30", "16:15"), `rows` of them, one a minute."""

    first: str
    last: str
    rows: int


def minute_grid(found: Table) -> Span | None:
    """What every contract of a one-minute answer has; None if they differ, have gaps, or seconds."""
    place = found.column(*_STAMPS)
    if place is None:
        return None
    clocks: dict[Key, set[str]] = {}
    for key, row in zip(_keys(found), found.rows, strict=True):
        match = _CLOCK.fullmatch(_bare(row[place]))
        if match is None or match[3] != "00":
            return None
        clocks.setdefault(key, set()).add(match[2])
    grids = {frozenset(each) for each in clocks.values()}
    if len(grids) != 1:
        return None
    [grid] = grids
    first, last = min(grid), max(grid)
    return Span(first, last, len(grid)) if _minute(last) - _minute(first) == len(grid) - 1 else None


def contract_keys(found: Table) -> frozenset[Key]:
    return frozenset(_keys(found))


@dataclass(frozen=True, slots=True)
class ListFact:
    """How the vendor's list of contracts compares with the contracts that have quotes on the same day.

    `relation` is equal, superset, subset, overlap (of the list, seen from the quotes) or missing. `unquoted` is the
    share of the listed contracts without quotes, `unlisted` the share of the quoted ones that are not listed."""

    relation: str
    unquoted: float = 0.0
    unlisted: float = 0.0


def compare_list(listed: frozenset[Key] | None, quoted: frozenset[Key]) -> ListFact | None:
    """None without any quoted contract; `missing` if there is no list, or it has nothing to do with the quotes."""
    if not quoted:
        return None
    if not listed or not listed & quoted:
        return ListFact("missing")
    unquoted, unlisted = len(listed - quoted) / len(listed), len(quoted - listed) / len(quoted)
    relation = {(0, 0): "equal", (1, 0): "superset", (0, 1): "subset", (1, 1): "overlap"}
    return ListFact(relation[bool(unquoted), bool(unlisted)], round(unquoted, 4), round(unlisted, 4))


def worst_list(facts: Iterable[ListFact | None]) -> ListFact | None:
    """Several days' comparisons as one: each share the largest that was seen; a list that once was there is not
    missing."""
    there = [fact for fact in facts if fact is not None]
    seen = [fact for fact in there if fact.relation != "missing"]
    if not seen:
        return there[0] if there else None
    unquoted, unlisted = max(fact.unquoted for fact in seen), max(fact.unlisted for fact in seen)
    relation = {(0, 0): "equal", (1, 0): "superset", (0, 1): "subset", (1, 1): "overlap"}
    return ListFact(relation[bool(unquoted), bool(unlisted)], unquoted, unlisted)


def is_words(text: str) -> bool:
    """One short line of words: no page, no header without rows, not nothing."""
    document = text.startswith(("<", '{"', "[", "symbol,", '"symbol"', "timestamp,", '"timestamp"'))
    return bool(text) and "\n" not in text and not document


def framing(headers: Mapping[str, str]) -> str:
    """`chunked`, `length`, or `close`: how a reader knows where the body ends. Names are in lower case."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return "chunked"
    return "length" if "content-length" in headers else "close"


def tiers_in_banner(text: str) -> dict[str, Tier]:
    """`Subscriptions: Stock: STANDARD  Options: PROFESSIONAL  Index: FREE` as a tier per asset class."""
    line = next((line for line in text.splitlines() if "Subscriptions:" in line), "")
    return {asset.lower(): Tier.parse(word) for asset, word in _BANNER.findall(line.partition("Subscriptions:")[2])}


def requests_in_banner(text: str) -> int | None:
    """`Max concurrent requests: 8`."""
    found = _AT_ONCE.search(text)
    return int(found[1]) if found and int(found[1]) else None


def _keys(found: Table) -> list[Key]:
    places = [found.column(name) for name in ("expiration", "strike", "right")]
    if None in places:
        return [("", "", "")] * len(found.rows)
    known: dict[tuple[str, ...], Key] = {}
    keys = []
    for row in found.rows:
        texts = tuple(row[place] for place in places if place is not None)
        if texts not in known:
            expiration, strike, right = (_bare(text) for text in texts)
            known[texts] = expiration.replace("-", ""), _number(strike), right[:1].upper()
        keys.append(known[texts])
    return keys


def _number(text: str) -> str:
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text


def _in_runs(values: Sequence[object]) -> bool:
    """Equal values stand together: none comes back after another one."""
    starts = Counter(value for before, value in zip([object(), *values], values, strict=False) if before != value)
    return max(starts.values(), default=0) <= 1


def _pairs(stamps: Sequence[str], keys: Sequence[Key]) -> Iterable[tuple[str, str, bool]]:
    for here in range(1, len(stamps)):
        yield stamps[here - 1], stamps[here], keys[here - 1] == keys[here]


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text

"""How the vendor prints: what has to be remembered of an answer, beside its values, to print it again byte for byte."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from thetabulk.model import Column, Contract

AnyInt = TypeVar("AnyInt", bool, int)

_WITH_PLACES = ("price", "strike")
MOST_PLACES = 6
"""More decimals than these are no style: such a line keeps its text (millionths are what `digits` can read)."""


@dataclass(frozen=True, slots=True)
class Style:
    """The print style of one answer: it goes into the file's footer.

    `header` is the header line as received, line end included. `quoted` has a flag per column. `places` is the number
    of decimals of each price or strike column. `fraction` is "fixed" (`09:30:00.000`) or "trimmed" (zero fraction
    absent, trailing zeros dropped). Lines that are printed otherwise keep their text in the column `_raw`.
    """

    header: str
    line_end: str
    quoted: tuple[bool, ...]
    places: tuple[int, ...]
    fraction: str
    final_newline: bool = True

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Style":
        fields: dict[str, Any] = json.loads(text)
        return cls(**fields | {name: tuple(fields[name]) for name in ("quoted", "places")})

    def without_final_newline(self) -> "Style":
        return replace(self, final_newline=False)

    def contract_prefix(self, symbol: str, contract: Contract) -> str:
        """`"QQQ","2024-08-02",455.000,"CALL",`: the first four columns of each row of a contract."""
        texts = (symbol, contract.expiration.isoformat(), decimal_text(contract.strike_mills, 3, self.places[2]),
                 contract.right.upper())  # fmt: skip
        return "".join(f'"{text}",' if quoted else f"{text}," for text, quoted in zip(texts, self.quoted, strict=False))


def decimal_text(units: int, scale: int, places: int) -> str:
    """`units` × 10^-scale with exactly `places` decimals; with more only where the value needs them."""
    sign, units = ("-", -units) if units < 0 else ("", units)
    while scale > places and units % 10 == 0:
        units, scale = units // 10, scale - 1
    if scale < places:
        units, scale = units * 10 ** (places - scale), places
    whole, rest = divmod(units, 10**scale)
    return f"{sign}{whole}.{rest:0{scale}d}" if scale else f"{sign}{whole}"


def detect(header: str, lines: Iterable[str], columns: Sequence[Column]) -> Style:
    """The style most of the first lines have. A wrong guess costs room (`_raw`), never a value.

    Raises ValueError if no line has the right number of fields.
    """
    rows = [line for line in lines if line.count(",") == len(columns) - 1]
    if not rows:
        raise ValueError("no line has as many fields as the header")
    fields = [[row.rstrip("\r\n").split(",")[index] for row in rows] for index in range(len(columns))]
    quoted = tuple(_most(text[:1] == '"' for text in texts) for texts in fields)
    bare = [[text.strip('"') for text in texts] for texts in fields]
    places = tuple(
        min(MOST_PLACES, _most(len(text.partition(".")[2]) for text in texts)) if column.kind in _WITH_PLACES else 0
        for column, texts in zip(columns, bare, strict=True)
    )
    stamps = [text for column, texts in zip(columns, bare, strict=True) if column.kind == "timestamp" for text in texts]
    whole = [text for text in stamps if len(text) == len("2024-08-02T09:30:00.000")]
    fixed = len(whole) == len(stamps) or any(text.endswith("0") for text in whole)
    line_end = "\r\n" if _most(row.endswith("\r\n") for row in rows) else "\n"
    return Style(header, line_end, quoted, places, "fixed" if fixed else "trimmed")


def _most(values: Iterable[AnyInt]) -> AnyInt:
    return Counter(values).most_common(1)[0][0]

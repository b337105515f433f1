"""How rows are printed: the two line formats that have been seen, and ndjson.

`live` is what a Terminal sends (quoted texts, `.000` always there, LF); `spec` is what the OpenAPI file shows (no
quotes, the fraction only as long as it must be, CRLF). thetadata-v3.md §1.3 and §5.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class LineFormat:
    """`quotes` around symbols, dates and rights; `fraction` always printed; `newline` after every line."""

    name: str
    quotes: bool
    fraction: bool
    newline: bytes

    def text(self, value: str) -> bytes:
        return f'"{value}"'.encode() if self.quotes and value else value.encode()

    def stamp(self, day: date, milliseconds: int) -> bytes:
        """A time stamp in New York's wall clock, without offset."""
        return day.isoformat().encode() + clock(milliseconds, self.fraction)

    def contract(self, symbol: str, expiration: date, strike_mills: int, right: str) -> bytes:
        """The first four columns of every option row, with the comma after them."""
        head = self.text(symbol) + b"," + self.text(expiration.isoformat())
        return b"%b,%b,%b," % (head, strike_text(strike_mills), self.text(right))

    def header(self, columns: tuple[str, ...]) -> bytes:
        return ",".join(columns).encode() + self.newline


LIVE = LineFormat("live", quotes=True, fraction=True, newline=b"\n")
SPEC = LineFormat("spec", quotes=False, fraction=False, newline=b"\r\n")
LINE_FORMATS = {"live": LIVE, "spec": SPEC}


def strike_text(mills: int) -> bytes:
    return b"%d.%03d" % divmod(mills, 1_000)


def cents_text(cents: int) -> bytes:
    return b"%d.%02d" % divmod(cents, 100)


@lru_cache(maxsize=65_536)
def clock(milliseconds: int, fraction: bool) -> bytes:
    """`T09:30:00.000`, or without the fraction's trailing zeros if it may be short."""
    seconds, rest = divmod(milliseconds, 1_000)
    text = b"T%02d:%02d:%02d" % (seconds // 3_600, seconds // 60 % 60, seconds % 60)
    digits = b".%03d" % rest
    return text + (digits if fraction else digits.rstrip(b"0").rstrip(b"."))


def ndjson(columns: tuple[str, ...], numeric: frozenset[str], lines: bytes) -> bytes:
    """The same rows as one JSON object a line; numbers keep the text that they have in CSV, an absent text is null."""
    printed = []
    for line in lines.splitlines():
        fields = line.decode().replace('"', "").split(",")
        pairs = (
            f'"{name}":{field if name in numeric else _quoted(field)}'
            for name, field in zip(columns, fields, strict=True)
        )
        printed.append("{" + ",".join(pairs) + "}\n")
    return "".join(printed).encode()


def _quoted(field: str) -> str:
    return f'"{field}"' if field else "null"

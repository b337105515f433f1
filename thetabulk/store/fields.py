"""One field alone: texts to values and back, for the lines that the fast path in `rows` leaves.

Lenient where a text has one meaning (`+1.30`, ` 50`, `1.3`): whoever calls keeps the text of a line that would be
printed otherwise. Strict where Python is not: `int` and `Decimal` take `1_0` and the digits of every script.
"""

import re
from datetime import date, datetime
from decimal import Decimal

from thetabulk.errors import BadAnswer
from thetabulk.model import Column
from thetabulk.store.style import decimal_text

DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1).toordinal()
MOST_DOLLARS = 10**7
"""Prices from here on are no whole number of units: two decimals of less fit the nine digits of a decimal column."""

LIMITS = {"size": 2**31, "code": 2**15, "count": 2**62, "price": MOST_DOLLARS}
NOT_UNITS = -(2**62)
"""Stands for a price that is no whole number of units."""

_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,3}))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_PRICE = re.compile(
    r"[+-]?(?:(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:e[+-]?\d{1,3})?|nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE
)


def whole(column: Column, text: str) -> int:
    """A size, code or count. Raises BadAnswer if it is none, or does not fit."""
    if not _WHOLE.fullmatch(text.strip(" ")):
        raise BadAnswer(f"{column.name} is no whole number: {sample(text)}", kind="field")
    value = int(text)
    if abs(value) >= LIMITS[column.kind]:
        raise BadAnswer(f"{column.name} is out of range: {sample(text)}", kind="field")
    return value


def price(column: Column, text: str, places: int) -> tuple[int, Decimal | None]:
    """A price in units of 10^-places dollars, or NOT_UNITS and what it is instead. Raises BadAnswer if it is none."""
    if not _PRICE.fullmatch(text.strip(" ")):
        raise BadAnswer(f"{column.name} is no price: {sample(text)}", kind="field")
    value = Decimal(text)
    units = units_in(value, places)
    return (NOT_UNITS, value) if units is None else (units, None)


def units_in(value: Decimal, places: int) -> int | None:
    """The price in units of 10^-places dollars; None if it is no whole number of them, or out of range."""
    if not value.is_finite() or abs(value) >= MOST_DOLLARS:
        return None
    units = value.scaleb(places)
    return int(units) if units == int(units) else None


def stamp(column: Column, text: str) -> int:
    """Milliseconds since 1970. Raises BadAnswer if it is no time stamp."""
    match = _STAMP.fullmatch(text.strip(" "))
    try:
        moment = datetime.fromisoformat(match[1] if match else "")
    except ValueError as error:
        raise BadAnswer(f"{column.name} is no time stamp: {sample(text)}", kind="field") from error
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    fraction = (match[2] if match else None) or "0"
    return (moment.toordinal() - EPOCH) * DAY_MS + seconds * 1000 + int(fraction.ljust(3, "0"))


def day_number(text: bytes) -> int | None:
    """Days since 1970 of `2024-08-02T`, None for anything else (`date` alone would take week dates too)."""
    try:
        day = date.fromisoformat(text.decode("ascii").removesuffix("T"))
    except ValueError:
        return None
    return day.toordinal() - EPOCH if f"{day}T".encode() == text else None


def stamp_text(milliseconds: int, fraction: str) -> str:
    """Milliseconds since 1970 as `2024-08-02T09:30:00.000` (fixed) or with the zeros of the fraction trimmed."""
    days, rest = divmod(milliseconds, DAY_MS)
    seconds, thousandths = divmod(rest, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    tail = f".{thousandths:03d}"
    return f"{date.fromordinal(days + EPOCH)}T{clock}{tail if fraction == 'fixed' else tail.rstrip('0').rstrip('.')}"


def printed(column: Column, value: int, places: int, fraction: str) -> str:
    """A stored value as a style prints it, without quotes."""
    if column.kind == "timestamp":
        return stamp_text(value, fraction)
    return decimal_text(value, places, places) if column.kind == "price" else str(value)


def unquoted(fields: list[str]) -> list[str]:
    return [text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text for text in fields]


def sample(text: str) -> str:
    """Foreign text for a message: short, and without control characters."""
    return repr("".join(character if character.isprintable() else "?" for character in text.strip()[:80]))

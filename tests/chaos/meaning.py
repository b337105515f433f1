"""What an answer says, read by somebody who has never seen thetabulk: slowly, field by field, and leniently.

Whatever is nonsense here has to be refused there; what means the same here, has to be taken there.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from thetabulk.model import Dataset

Key = tuple[str, ...]
_LONGEST = "2024-08-02T09:30:00.000"
_RIGHTS = {"CALL": "CALL", "PUT": "PUT", "C": "CALL", "P": "PUT"}


@dataclass(frozen=True)
class Meaning:
    """How often each row came, and how often so many rows of each place: a contract and, on a grid, a time. Without a
    grid the time is a value like any other."""

    rows: Counter[tuple[Key, tuple[object, ...]]]
    places: Counter[Key]

    def lacks(self, truth: "Meaning") -> bool:
        return any(place not in self.places for place in truth.places)

    def is_complete(self, truth: "Meaning") -> bool:
        """Every row of the truth, once, and no other; whatever they say."""
        return self.places == truth.places

    def is_the_same(self, truth: "Meaning") -> bool:
        return self.rows == truth.rows


def read(body: bytes, dataset: Dataset, symbol: str, day: date) -> Meaning | None:
    """None for nonsense: what cannot be read, or is of another symbol or day."""
    try:
        header, _, rest = body.decode("utf-8").partition("\n")
        if tuple(_bare(name) for name in header.rstrip("\r").split(",")) != dataset.header:
            return None
        lines = rest.removesuffix("\n").split("\n")
        rows = [_row(line.rstrip("\r").split(","), dataset, symbol, day) for line in lines]
    except (ValueError, KeyError, InvalidOperation):
        return None
    return Meaning(Counter(rows), Counter(place for place, _ in rows))


def _row(texts: list[str], dataset: Dataset, symbol: str, day: date) -> tuple[Key, tuple[object, ...]]:
    fields = dict(zip(dataset.header, map(_bare, texts), strict=True))
    stamp = _moment(fields[dataset.day_column])
    if fields["symbol"] != symbol or stamp.date() != day:
        raise ValueError("another symbol or day")
    strike = _number(fields["strike"])
    if not isinstance(strike, Decimal) or "E" in fields["strike"].upper():
        raise ValueError("a strike that is no number, or not written as one is")
    place = (
        date.fromisoformat(fields["expiration"]).isoformat(), str(strike.normalize()),
        _RIGHTS[fields["right"].upper()], stamp.isoformat() if dataset.interval_ms else "",
    )  # fmt: skip
    return place, tuple(_READERS.get(column.kind, _whole)(fields[column.name]) for column in dataset.columns[4:])


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _moment(text: str) -> datetime:
    """Python alone would take more: `20240802 0930`."""
    moment = datetime.fromisoformat(text.strip(" "))
    if not text.strip(" ").startswith(moment.isoformat(timespec="seconds")) or len(text.strip(" ")) > len(_LONGEST):
        raise ValueError(text)
    return moment


def _plain(text: str) -> str:
    """Python's numbers alone would take more: `1_000`, tabs, and the digits of every script."""
    if not text.isascii() or "_" in text or any(each.isspace() for each in text.strip(" ")):
        raise ValueError(text)
    return text.strip(" ")


def _whole(text: str) -> int:
    return int(_plain(text))


def _number(text: str) -> Decimal | str:
    """NaN by its name, because it equals nothing."""
    value = Decimal(_plain(text))
    return str(value) if value.is_nan() else value


_READERS: dict[str, Callable[[str], object]] = {"timestamp": _moment, "price": _number}

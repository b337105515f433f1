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
_RIGHTS = {"CALL": "CALL", "PUT": "PUT", "C": "CALL", "P": "PUT"}


@dataclass(frozen=True)
class Meaning:
    """How often each row came (contract and time), and what each said the last time."""

    counts: Counter[Key]
    values: dict[Key, tuple[object, ...]]

    def lacks(self, truth: "Meaning") -> bool:
        return any(key not in self.counts for key in truth.counts)

    def is_complete(self, truth: "Meaning") -> bool:
        """Every row of the truth, once, and no other; whatever they say."""
        return self.counts == truth.counts

    def is_the_same(self, truth: "Meaning") -> bool:
        return self.counts == truth.counts and self.values == truth.values


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
    return Meaning(Counter(key for key, _ in rows), dict(rows))


def _row(texts: list[str], dataset: Dataset, symbol: str, day: date) -> tuple[Key, tuple[object, ...]]:
    fields = dict(zip(dataset.header, map(_bare, texts), strict=True))
    stamp = _moment(fields[dataset.day_column])
    if fields["symbol"] != symbol or stamp.date() != day:
        raise ValueError("another symbol or day")
    key = (
        date.fromisoformat(fields["expiration"]).isoformat(), str(_number(fields["strike"]).normalize()),
        _RIGHTS[fields["right"].upper()], stamp.isoformat(),
    )  # fmt: skip
    return key, tuple(_READERS.get(column.kind, _whole)(fields[column.name]) for column in dataset.columns[4:])


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.strip(" "))


def _whole(text: str) -> int:
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    return int(text.strip(" "))


def _number(text: str) -> Decimal | str:
    """NaN by its name, because it equals nothing."""
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    value = Decimal(text.strip(" "))
    return str(value) if value.is_nan() else value


_READERS: dict[str, Callable[[str], object]] = {"timestamp": _moment, "price": _number}

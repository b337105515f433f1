"""Answers without data in this vendor's own words, as first contact has heard them. Pure.

The table in `verdict` knows the documented ones. A Terminal that says the same in other words, or with another status,
is understood as far as the vendor profile goes: by status and by the whole text, dates and symbol aside.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b(?:19|20)\d{6}\b", re.ASCII)
_ROOM_BYTES = 100  # dates and symbols are longer, or shorter, than what stands for them


def plain(text: str, symbol: str) -> str:
    """Without what differs from day to day: dates become `{date}`, the symbol `{symbol}`."""
    text = _DATE.sub("{date}", text.strip())
    return re.sub(rf"\b{re.escape(symbol)}\b", "{symbol}", text) if symbol else text


@dataclass(frozen=True, slots=True)
class Learned:
    """Status and plain text of the answers that mean "no data", and of those that mean "not in your subscription"."""

    empty: frozenset[tuple[int, str]] = frozenset()
    refused: frozenset[tuple[int, str]] = frozenset()
    longest_bytes: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        lengths = [len(text.encode()) + _ROOM_BYTES for status, text in self.empty | self.refused if status == 200]
        object.__setattr__(self, "longest_bytes", max(lengths, default=0))

    @classmethod
    def of(cls, empty: Iterable[tuple[int, str]], refused: Iterable[tuple[int, str]]) -> "Learned":
        return cls(frozenset(empty), frozenset(refused))

    def meaning(self, status: int, text: str, symbol: str) -> str:
        """`empty`, `refused`, or "" for an answer that nobody has learned."""
        if not self.empty and not self.refused:
            return ""
        answer = status, plain(text, symbol)
        return "empty" if answer in self.empty else "refused" if answer in self.refused else ""

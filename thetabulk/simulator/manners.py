"""How another Terminal would say the same: a vendor profile, as `thetabulk doctor --probe` has learned it, served.

    python -m thetabulk.simulator --profile bundle.json

The file is JSON: a bundle (`doctor --probe --bundle FILE`), or its `profile` alone; docs/first-contact.md names every
field. What the profile leaves out (null) is as the simulator does it by itself. This file reads it on its own, and
knows nothing of those who write it: that they can disagree is the point.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from thetabulk.model import Tier
from thetabulk.simulator.instruments import INSTRUMENTS

_STAMPED = ("timestamp", "created", "last_trade")
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Window:
    """The first and last stamp of a kind of day, in milliseconds, for what trades until 16:15 (`late`) or 16:00, if
    asked until `until_ms`."""

    half_day: bool
    late: bool
    until_ms: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class Manners:
    """What is served differently; None and empty mean: as usual. `told` has status and text by what it is about."""

    line_end: bytes | None = None
    final_newline: bool = True
    header_quoted: bool = False
    quoted: frozenset[str] | None = None
    stamps: str | None = None
    order: str | None = None
    windows: tuple[Window, ...] = ()
    unquoted: float = 0.0
    unlisted: float = 0.0
    list_missing: bool = False
    told: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    header_s: float = 0.0
    first_byte_s: float = 0.0
    gzip: bool = False
    tiers: Mapping[str, Tier] = field(default_factory=dict)

    @cached_property
    def prints(self) -> bool:
        """Whether rows are printed otherwise than the line format does it."""
        return any(each is not None for each in (self.line_end, self.quoted, self.stamps)) or self.header_quoted

    def window(self, *, half_day: bool, late: bool, end_ms: int) -> tuple[int, int]:
        """First and last stamp that such a day can have; the whole day where the profile says nothing."""
        fitting = [one for one in self.windows if one.half_day == half_day and one.late == late]
        if not fitting:
            return 0, -1
        far = [one for one in fitting if one.until_ms >= end_ms]
        one = min(far, key=lambda one: one.until_ms) if far else max(fitting, key=lambda one: one.until_ms)
        return one.first_ms, one.last_ms

    def listed(self, lines: Sequence[bytes]) -> list[bytes]:
        """The contract list (`symbol,expiration,strike,right` lines): some that have quotes left out, some added that
        have none."""
        if not self.unquoted and not self.unlisted:
            return list(lines)
        fewer = max(1, round(len(lines) * self.unlisted)) if self.unlisted and lines else 0
        kept = sorted(lines, key=_chance)[fewer:]
        wanted = round(len(kept) * self.unquoted / (1 - self.unquoted)) if self.unquoted else 0
        extra = [_with_strike_beside(line) for line in kept[: max(wanted, 1 if self.unquoted else 0)]]
        return kept + extra

    def answer(self, status: int, day: date | None, symbol: str, before: date) -> tuple[int, str] | None:
        """How this vendor says 472 or 403 about a day; None: as usual."""
        if status == 403:
            found = self.told.get("above")
        elif status == 472:
            about = "before" if day and day < before else "weekend" if day and day.weekday() >= 5 else "holiday"
            found = self.told.get(about) or self.told.get("holiday") or self.told.get("weekend")
        else:
            return None
        if found is None:
            return None
        return found[0], found[1].replace("{date}", day.isoformat() if day else "").replace("{symbol}", symbol)

    def header(self, columns: tuple[str, ...], newline: bytes) -> bytes:
        names = [f'"{name}"' if self.header_quoted else name for name in columns]
        return ",".join(names).encode() + (self.line_end or newline)

    def printed(self, columns: tuple[str, ...], blocks: Iterator[bytes], newline: bytes) -> Iterator[bytes]:
        """The same rows in this vendor's print."""
        end = self.line_end or newline
        for block in blocks:
            rows = (line.split(b",") for line in block.splitlines())
            yield b"".join(b",".join(map(self._field, columns, row)) + end for row in rows)

    def _field(self, column: str, text: bytes) -> bytes:
        was_quoted = text[:1] == b'"'
        bare = text.strip(b'"')
        if self.stamps is not None and column in _STAMPED:
            bare = _stamp(bare, self.stamps)
        quoted = was_quoted if self.quoted is None else column in self.quoted
        return b'"%b"' % bare if quoted else bare

    def ordered(self, columns: tuple[str, ...], blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The rows of an answer in this vendor's order: one moment after the other, or none at all."""
        if self.order not in ("time", "other") or _STAMPED[0] not in columns:
            yield from blocks
            return
        place = columns.index(_STAMPED[0])
        lines = [line for block in blocks for line in block.splitlines(keepends=True)]
        if self.order == "time":
            lines.sort(key=lambda line: line.split(b",", place + 1)[place])
        else:
            lines.sort(key=_chance)
        for start in range(0, len(lines), 1_000):
            yield b"".join(lines[start : start + 1_000])

    def ended(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of an answer, the last of them without its line end where this vendor has none."""
        if self.final_newline:
            yield from pieces
            return
        held = next(pieces, None)
        for piece in pieces:
            assert held is not None
            yield held
            held = piece
        if held is not None:
            yield held.rstrip(b"\r\n")


AS_USUAL = Manners()


def read_manners(path: Path) -> Manners:
    """Of a profile or bundle. Raises OSError, and ValueError for what is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return manners_of(document.get("profile", document))
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{path} is no vendor profile: {error}") from error


def manners_of(profile: Mapping[str, Any]) -> Manners:
    """The manners that a profile's fields describe. ValueError, KeyError, TypeError if they describe none."""
    listed = profile.get("contract_list") or {}
    shares = [float(listed.get(name, 0)) for name in ("unquoted", "unlisted")]
    if not all(0 <= share < 1 for share in shares):
        raise ValueError("a share of the contract list beyond the whole")
    quoted, line_end = profile.get("quoted"), profile.get("line_end")
    return Manners(
        line_end=line_end.encode() if line_end in ("\n", "\r\n") else None,
        final_newline=profile.get("final_newline") is not False,
        header_quoted=profile.get("header_quoted") is True,
        quoted=None if quoted is None else frozenset(quoted),
        stamps=profile.get("stamps"),
        order=profile.get("order"),
        windows=tuple(_window(grid) for grid in profile.get("grids") or ()),
        unquoted=shares[0],
        unlisted=shares[1],
        list_missing=listed.get("relation") == "missing",
        told={one["about"]: (int(one["status"]), str(one["text"])) for one in profile.get("told") or ()},
        header_s=float(profile.get("header_s") or 0),
        first_byte_s=float(profile.get("first_byte_s") or 0),
        gzip=profile.get("compression") == "gzip",
        tiers={asset: Tier.parse(word) for asset, word in (profile.get("tiers") or {}).items()},
    )


def _window(grid: Mapping[str, Any]) -> Window:
    instrument = INSTRUMENTS.get(grid["symbol"])
    late = instrument.late if instrument else True
    until, first, last = (_milliseconds(grid[name]) for name in ("until", "first", "last"))
    return Window(bool(grid["half_day"]), late, until, first, last)


def _milliseconds(clock: str) -> int:
    at = time.fromisoformat(clock)
    return (at.hour * 60 + at.minute) * 60_000


def _stamp(text: bytes, style: str) -> bytes:
    whole, _, fraction = text.partition(b".")
    digits = fraction.ljust(3, b"0")
    if style == "fixed":
        return whole + b"." + digits
    return whole + (b"." + digits).rstrip(b"0").rstrip(b".")


def _chance(line: bytes) -> float:
    return int.from_bytes(blake2b(line.rstrip(), digest_size=6).digest(), "little") / 2**48


def _with_strike_beside(line: bytes) -> bytes:
    """A contract an eighth of a dollar above one that there is: never listed by the exchanges."""
    fields = line.split(b",")
    whole, _, mills = fields[2].strip(b'"').partition(b".")
    return b",".join([*fields[:2], b"%b.%03d" % (whole, (int(mills) + 125) % 1000), *fields[3:]])

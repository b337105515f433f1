"""One checksummed line of JSON. Pure: a record is read back as it was written, or not at all.

    {"kind":"day","v":1,"seq":17,"at":"2026-11-20T12:00:00Z",…,"crc":"9a3c01f2"}

`crc` comes last: CRC-32 in 8 hex digits over the line before `,"crc"`. ASCII only, so that every editor shows the bytes
that were summed, and no reader takes U+2028 for the end of a line.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from thetabulk.errors import UsageError

VERSION = 1
_CRC_MARK = b',"crc":"'
_CRC_LENGTH = len(_CRC_MARK) + 8 + len(b'"}')
_JSON = json.JSONDecoder()  # `loads` looks for white space around it, twice a line
_OURS = {"kind", "v", "seq", "at", "crc"}
_START = re.compile(rb'(?=\{"kind":"[a-z_]+","v":)')  # never inside a string, where quotes are escaped


class DamagedRecord(ValueError):
    """The line is not as it was written."""


class NewerRecord(UsageError):
    """A newer thetabulk wrote it. It may be skipped by a reader; nobody who writes may go on."""


@dataclass(frozen=True, slots=True)
class Record:
    """`seq` counts up through the ledger's life; `at` is aware, UTC, to the second."""

    kind: str
    seq: int
    at: datetime
    payload: dict[str, Any]


def to_line(kind: str, seq: int, at: datetime, payload: dict[str, Any]) -> bytes:
    """The line, with its end. ValueError for a naive time, what JSON cannot say (NaN), a name that every record has."""
    if not _OURS.isdisjoint(payload):
        raise ValueError(f"{', '.join(sorted(_OURS & set(payload)))}: names of every record")
    fields = {"kind": kind, "v": VERSION, "seq": seq, "at": time_text(at), **payload}
    body = json.dumps(fields, separators=(",", ":"), allow_nan=False).encode("ascii")[:-1]
    return b'%s%s%08x"}\n' % (body, _CRC_MARK, crc32(body))


def from_line(line: bytes) -> Record:
    """The record of a line, with or without its end; DamagedRecord or NewerRecord."""
    line = line.removesuffix(b"\n")
    body = line[:-_CRC_LENGTH]
    if not body or line[-_CRC_LENGTH:] != b'%s%08x"}' % (_CRC_MARK, crc32(body)):
        raise DamagedRecord("the checksum does not fit")
    try:
        fields, end = _JSON.raw_decode(line.decode("ascii"))
        if end != len(line):
            raise DamagedRecord("more than one record")
        kind, version, seq, at = fields.pop("kind"), fields.pop("v"), fields.pop("seq"), fields.pop("at")
        del fields["crc"]
        if version > VERSION:
            raise NewerRecord("the ledger was written by a newer thetabulk", hint="update this one")
        return Record(str(kind), int(seq), datetime.fromisoformat(at), fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecord(f"not a record: {error}") from error


def pieces(line: bytes) -> list[bytes]:
    """What may be records in a damaged line: a flip in a line's end makes one of two."""
    found = [piece for piece in _START.split(line) if piece.startswith(b"{")]
    ends = (piece.rfind(_CRC_MARK) + _CRC_LENGTH for piece in found)
    return [piece[:end] for piece, end in zip(found, ends, strict=True)] if len(found) > 1 else [line]


def time_text(at: datetime) -> str:
    """`2026-11-20T12:00:00Z`; ValueError for a naive time, which would be a guess."""
    if at.tzinfo is None:
        raise ValueError(f"{at} says no time zone")
    return f"{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"

"""The ledger as anyone can read it: JSON lines with a checksum. Written from the format's description alone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

Key = tuple[str, str, str, str]
"""Dataset, selection, symbol, day."""


@dataclass(slots=True)
class Lines:
    """What can be read: whole lines in their order, how many are damaged, and the bytes after the last line's end."""

    records: list[dict[str, Any]] = field(default_factory=list)
    damaged: int = 0
    torn_bytes: int = 0

    def days(self) -> dict[Key, dict[str, Any]]:
        """The record that counts for each day: the one with the highest number."""
        newest: dict[Key, dict[str, Any]] = {}
        for record in self.records:
            if record["kind"] == "day":
                key = key_of(record)
                if key not in newest or record["seq"] >= newest[key]["seq"]:
                    newest[key] = record
        return newest

    def saved(self) -> dict[Key, dict[str, Any]]:
        return {key: record for key, record in self.days().items() if record["outcome"] == "saved"}


def key_of(fields: dict[str, Any]) -> Key:
    return fields["dataset"], fields["selection"], fields["symbol"], fields["day"]


def line(fields: dict[str, Any]) -> bytes:
    """A line as the ledger has them, checksum and all."""
    body = json.dumps({name: value for name, value in fields.items() if name != "crc"}, separators=(",", ":")).encode()[
        :-1
    ]
    return b'%s,"crc":"%08x"}\n' % (body, crc32(body))


def read(store: Path) -> Lines:
    """The ledger that counts: this generation, or the one before if there is nothing to be read from it."""
    for name in ("ledger.jsonl", "ledger.jsonl.1"):
        path = store / ".thetabulk" / name
        if path.exists() and (lines := _parsed(path.read_bytes())).records:
            return lines
    return Lines()


def _parsed(content: bytes) -> Lines:
    *whole, tail = content.split(b"\n")
    lines = Lines(torn_bytes=len(tail))
    for record in _records(whole):
        if record is None:
            lines.damaged += 1
        else:
            lines.records.append(record)
    return lines


def _records(whole: list[bytes]) -> Iterator[dict[str, Any] | None]:
    for line in whole:
        body, mark, end = line.rpartition(b',"crc":"')
        if not mark or end != f'{crc32(body):08x}"}}'.encode():
            yield None
        else:
            yield json.loads(line)

"""What commands write: data to stdout, everything else to stderr; nothing of it steers a terminal."""

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from thetabulk.report.units import ascii_only, printable


def tell(lines: Iterable[str]) -> None:
    """Lines of data for people, to stdout."""
    _write(sys.stdout, lines)


def tell_json(document: object) -> None:
    """One document for programs, to stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=True, default=str) + "\n")
    sys.stdout.flush()


def remark(lines: Iterable[str], *, quiet: bool = False) -> None:
    """Lines beside the data, to stderr; nothing if quiet is wanted."""
    if not quiet:
        _write(sys.stderr, lines)


def _write(stream: TextIO, lines: Iterable[str]) -> None:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    plain = str if encoding.replace("-", "").startswith("utf") else ascii_only
    stream.writelines(printable(plain(line)).rstrip() + "\n" for line in lines)
    stream.flush()

"""The vendor's list of contracts per day, kept in the store: asked for once, used by every dataset and by `verify`."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path, PurePosixPath

import zstandard

from thetabulk.errors import BadAnswer
from thetabulk.model import Contract
from thetabulk.store.contracts import parse_contract
from thetabulk.store.scratch import Scratch

_HEADER = ["symbol", "expiration", "strike", "right"]


def parse_list(body: bytes, symbol: str) -> frozenset[Contract]:
    """The contracts of a `list/contracts` answer. Raises BadAnswer if it is no such list, or has no contract."""
    try:
        lines = body.decode("utf-8").split()
    except UnicodeDecodeError as error:
        raise BadAnswer("the contract list is no text", kind="row") from error
    rows = [[field.strip('"') for field in line.split(",")] for line in lines]
    if not rows or rows[0] != _HEADER:
        raise BadAnswer("the contract list has another header", kind="header")
    if any(len(row) != len(_HEADER) or row[0] != symbol for row in rows[1:]):
        raise BadAnswer(f"the contract list has a line that is no contract of {symbol}", kind="row")
    if len(rows) == 1:
        raise BadAnswer("the contract list is empty", kind="empty-body")
    return frozenset(parse_contract(row[1:]) for row in rows[1:])


class ContractLists:
    """Lists below a store's root. `path_of` gives a list's place, `open_part` begins a file."""

    def __init__(
        self, root: Path, path_of: Callable[[str, date], PurePosixPath], open_part: Callable[[], Scratch]
    ) -> None:
        self._root = root
        self._path_of = path_of
        self._open_part = open_part

    def read(self, symbol: str, day: date) -> frozenset[Contract] | None:
        """The kept list; None if there is none, or if it can no longer be read (it is asked for again then)."""
        try:
            body = self.body(symbol, day)
            return None if body is None else parse_list(body, symbol)
        except BadAnswer:
            return None

    def body(self, symbol: str, day: date) -> bytes | None:
        """The kept list as it was received; None if there is none, or if it can no longer be unpacked."""
        try:
            packed = (self._root / self._path_of(symbol, day)).read_bytes()
            return zstandard.ZstdDecompressor().decompress(packed)
        except (FileNotFoundError, zstandard.ZstdError):
            return None

    def keep(self, symbol: str, day: date, body: bytes) -> tuple[frozenset[Contract], str]:
        """Checks and keeps a list as received. Returns its contracts and the sha256 of the body. Raises BadAnswer."""
        listed = parse_list(body, symbol)
        part = self._open_part()
        try:
            part.write(zstandard.ZstdCompressor(level=9, write_checksum=True).compress(body))
            part.commit(self._path_of(symbol, day))
        finally:
            part.abort()
        return listed, hashlib.sha256(body).hexdigest()

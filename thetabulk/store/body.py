"""A stored day's vendor CSV, handed out while it is hashed, so that whoever takes it knows in the end what it was."""

from collections.abc import Iterable, Iterator

import xxhash


class Body:
    """Iterate once over the pieces; then `bytes` and `vendor_xxh3` (32 hex digits) are those of what was handed out."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._digest = xxhash.xxh3_128()
        self.bytes = 0

    @property
    def vendor_xxh3(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._digest.update(piece)
            self.bytes += len(piece)
            yield piece

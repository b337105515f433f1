"""The answers generated last, as ready chunks, up to so many bytes."""

from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator


class ChunkCache:
    """Forgets what has not been asked for the longest. An answer larger than the limit is never kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._answers: OrderedDict[Hashable, tuple[bytes, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Hashable) -> tuple[bytes, ...] | None:
        chunks = self._answers.get(key)
        if chunks is not None:
            self._answers.move_to_end(key)
        return chunks

    def put(self, key: Hashable, chunks: tuple[bytes, ...]) -> None:
        size = _size(chunks)
        if size > self.limit or key in self._answers:
            return
        self._answers[key] = chunks
        self.size += size
        while self.size > self.limit:
            _, oldest = self._answers.popitem(last=False)
            self.size -= _size(oldest)

    def keeping(self, key: Hashable, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """The chunks as they come; once all have been taken they are remembered."""
        kept: list[bytes] = []
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size <= self.limit:
                kept.append(chunk)
            else:
                kept.clear()
            yield chunk
        if kept and size <= self.limit:
            self.put(key, tuple(kept))


def _size(chunks: tuple[bytes, ...]) -> int:
    return sum(map(len, chunks))

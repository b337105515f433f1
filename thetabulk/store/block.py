"""A megabyte of whole lines, with the places of their separators: what `rows` gathers fields and words from."""

from collections.abc import Sequence

import numpy as np

from thetabulk.store import digits
from thetabulk.store.digits import WORD, Ints, Mask, Words

MARGIN = b" " * 64  # words may begin before the first line and end behind the last


class Block:
    """Whole lines, given in pieces. `whole` says which lines have as many fields as there are columns.

    Lines behind the first that has not are left out: it ends the answer, and a megabyte of nothing but line ends would
    take a gigabyte of tables (found with a lying server).
    """

    def __init__(self, pieces: Sequence[bytes | memoryview], columns: int) -> None:
        self.data = b"".join((MARGIN, *pieces, MARGIN))
        self.bytes = np.frombuffer(self.data, dtype=np.uint8)
        self.words: Words = digits.words_over(self.data)
        newline = self.bytes == ord("\n")
        separators = np.flatnonzero(newline | (self.bytes == ord(",")))
        self.count = int(np.count_nonzero(newline))
        self.line_ends: Ints = separators[columns - 1 :: columns]
        if len(separators) == self.count * columns and newline[self.line_ends].all():
            self.whole: Mask = np.ones(self.count, dtype=np.bool_)
            grid = separators.reshape(self.count, columns)
        else:
            self.line_ends = np.flatnonzero(newline)
            last = np.searchsorted(separators, self.line_ends)
            self.whole = np.diff(last, prepend=-1) == columns
            self.count = int(np.argmin(self.whole)) + 1
            self.line_ends, self.whole, last = (
                self.line_ends[: self.count],
                self.whole[: self.count],
                last[: self.count],
            )
            grid = np.full((self.count, columns), len(MARGIN), dtype=np.int64)
            grid[self.whole] = separators[last[self.whole, None] + np.arange(1 - columns, 1)]
        self.line_starts: Ints = np.concatenate(([len(MARGIN)], self.line_ends[:-1] + 1))
        self._ends = np.ascontiguousarray(grid.T)

    def field(self, index: int) -> tuple[Ints, Ints]:
        """Where a column's fields start and end; a carriage return before the line's end belongs to the last one."""
        starts: Ints = self._ends[index - 1] + 1 if index else self.line_starts
        ends: Ints = self._ends[index]
        return starts, ends

    def line(self, row: int) -> bytes:
        return self.data[int(self.line_starts[row]) : int(self.line_ends[row]) + 1]

    def prefixes(self, rows: Ints, columns: int) -> list[bytes]:
        """The first columns of some rows, with the comma behind them."""
        starts, ends = self.line_starts[rows].tolist(), (self._ends[columns - 1][rows] + 1).tolist()
        return [self.data[start:end] for start, end in zip(starts, ends, strict=True)]

    def prefix_heads(self, columns: int) -> Ints:
        """The rows whose first columns differ from those of the row before. May name a row too many, never one too few.

        Prefixes of one length are compared in words, from the front as far as the shortest one goes, the rest from
        the back; together they cover every byte.
        """
        ends = self._ends[columns - 1] + 1
        lengths = ends - self.line_starts
        shortest, longest = int(lengths.min()), int(lengths.max())
        if longest > len(MARGIN) - WORD or not self.whole.all():
            return np.arange(self.count)
        from_front = shortest // WORD
        from_back = -(-(longest - from_front * WORD) // WORD)
        new = np.ones(self.count, dtype=np.bool_)
        new[1:] = lengths[1:] != lengths[:-1]
        for place in (
            *(self.line_starts + WORD * k for k in range(from_front)),
            *(ends - WORD * k for k in range(1, from_back + 1)),
        ):
            word = self.words[place]
            new[1:] |= word[1:] != word[:-1]
        return np.flatnonzero(new)

"""One answer on its way to the drive: hashed, read, checked and written while it streams; committed when it is good.

feed …  every piece of the body, in a worker thread
weigh   the whole body is here: what is there to say about it?
commit  under its final name, or aside if it is to be kept as evidence
abort   nothing of it stays
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import zstandard

from thetabulk.errors import BadAnswer
from thetabulk.model import Contract, Dataset, Shard
from thetabulk.store.evidence import HEAD_BYTES
from thetabulk.store.footer import Footer
from thetabulk.store.habits import NOTHING_LEARNED, Habits
from thetabulk.store.parquet import ParquetWriter
from thetabulk.store.printing import printed_xxh3
from thetabulk.store.rows import Rows
from thetabulk.store.scratch import Committed, Scratch
from thetabulk.store.stored import stored_rows
from thetabulk.store.weighing import Weighed, Weighing

_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Manner:
    """How days are written: the store's format and prices, and the settings that go with them."""

    format: str = "parquet"
    prices: str = "double"
    row_group_rows: int = 524_288
    level: int = 3
    extra_columns: bool = False


class Recording:
    def __init__(
        self, shard: Shard, dataset: Dataset, request: str, known_grids: Mapping[int, str],
        manner: Manner, open_part: Callable[[], Scratch], habits: Habits = NOTHING_LEARNED,
    ) -> None:  # fmt: skip
        self._shard = shard
        self._dataset = dataset
        self._request = request
        self._manner = manner
        self._open_part = open_part
        self._part = open_part()
        self._weighing = Weighing(shard, dataset, known_grids, habits, extra_columns=manner.extra_columns)
        self._writer = self._new_writer() if manner.format == "parquet" else None
        self._zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compressobj()
        self._held = False
        self._parts = 1
        self._opening: bytes | None = None  # of a further part, until its header is all there
        self._part_began = 0
        self.head = b""  # the opening of the body, for a person to look at
        self._last = b""

    def feed(self, data: bytes) -> None:
        """The next piece of the body. Raises BadAnswer as soon as it cannot be the answer to our request."""
        if self._opening is not None:
            data = self._without_header(self._opening + data)
            if not data:
                return
        self._last = data[-1:]
        if len(self.head) < HEAD_BYTES:
            self.head += data[:HEAD_BYTES]
        if self._manner.format == "csv":
            self._part.write(data)
        elif self._manner.format == "csv.zst":
            self._part.write(self._zstd.compress(data))
        self._take(self._weighing.feed(data))

    def next_part(self) -> None:
        """What is fed from here on is another body of the same day: its header has to be that of the first, and goes.
        The day is then the one body that the parts would have been."""
        header = self._weighing.header
        self._check_part()
        if self._last != b"\n":
            self.feed(b"\r\n" if header.endswith("\r\n") else b"\n")
        self._parts += 1
        self._opening = b""
        self._part_began = self._weighing.vendor_bytes

    def _check_part(self) -> None:
        began = self._part_began if self._parts > 1 else len(self._weighing.header.encode())
        if self._opening is None and self._weighing.vendor_bytes <= began:
            raise BadAnswer("a part of the day is a header and nothing else", kind="empty-body")

    def _without_header(self, opening: bytes) -> bytes:
        """What follows the header of a further part; b"" while the header is not all there."""
        header = self._weighing.header.encode()
        if len(opening) < len(header) and header.startswith(opening):
            self._opening = opening
            return b""
        if not opening.startswith(header):
            raise BadAnswer("a part of the day has another header than the first", kind="header")
        self._opening = None
        return opening[len(header) :]

    def weigh(self, listed: frozenset[Contract] | None, earlier_content: str) -> Weighed:
        """The body is whole. Raises BadAnswer if its last line is not, or if there are no rows."""
        if self._opening:
            raise BadAnswer("a part of the day ends in its header", kind="cut")
        if self._parts > 1:
            self._check_part()
        self._take(self._weighing.finish())
        weighed = self._weighing.weigh(listed, earlier_content)
        if self._parts == 1:
            return weighed
        said = (*weighed.findings.remarks, f"asked for in {self._parts} parts, because the whole was too large")
        return replace(weighed, findings=replace(weighed.findings, remarks=said))

    def commit(self, target: PurePosixPath, *, print_again: bool = False) -> Committed:
        """Finishes the file and moves it to `target`, below the store's folder. With `print_again` the whole vendor
        CSV is first printed from the file and compared; BadAnswer kind inexact if it differs."""
        if self._writer is not None:
            self._finish_parquet(self._writer)
        elif self._manner.format == "csv.zst":
            self._part.write(self._zstd.flush())
        if print_again and self._writer is not None:
            self._part.close()
            self._print_again()
        return self._part.commit(target)

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.abandon()
        self._part.abort()

    def _take(self, rows: Rows | None) -> None:
        if rows is None or self._writer is None:
            return
        if not self._weighing.in_order and not self._held:
            self._hold_everything(self._writer)
        self._writer.append(rows, self._weighing.contracts, self._weighing.style)

    def _hold_everything(self, earlier: ParquetWriter) -> None:
        """The rows do not come contract by contract: they are kept in memory and put in order at the end. Row groups
        that are out already are read back."""
        self._held = True
        if not earlier.groups_written:
            earlier.hold()
            return
        contracts, style = self._weighing.contracts, self._weighing.style
        earlier.finish_early(contracts, style)
        self._part.close()
        old, self._part = self._part, self._open_part()
        self._writer = self._new_writer()
        self._writer.hold()
        try:
            with old.reading() as path:
                for rows in stored_rows(path, self._dataset, contracts, style):
                    self._writer.append(rows, contracts, style)
        except ValueError as error:
            raise BadAnswer(f"the rows stored so far cannot be read: {error}", kind="inexact") from error
        finally:
            old.abort()

    def _print_again(self) -> None:
        try:
            with self._part.reading() as path:
                printed = printed_xxh3(path, self._dataset)
        except ValueError as error:
            raise BadAnswer(f"the stored day cannot be read: {error}", kind="inexact") from error
        if printed != self._weighing.vendor_xxh3:
            raise BadAnswer("the stored day does not print back as it was received", kind="inexact")

    def _new_writer(self) -> ParquetWriter:
        manner = self._manner
        return ParquetWriter(
            self._part, self._dataset, prices=manner.prices, row_group_rows=manner.row_group_rows, level=manner.level
        )  # fmt: skip

    def _finish_parquet(self, writer: ParquetWriter) -> None:
        contracts, style = self._weighing.contracts, self._weighing.style
        order = writer.close(contracts, style)
        collection = self._shard.collection
        writer.finish(
            Footer(
                collection.dataset, collection.selection, collection.symbol, self._shard.day.isoformat(),
                self._request, style, self._weighing.vendor_bytes, self._weighing.vendor_xxh3, self._weighing.content,
                self._weighing.rows, len(contracts), self._manner.prices, order,
            )
        )  # fmt: skip

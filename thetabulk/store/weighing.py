"""One answer, read and judged piece by piece, whatever becomes of it: the download and `verify --deep` share this."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import xxhash
import zstandard

from thetabulk.errors import BadAnswer
from thetabulk.model import Contract, Dataset, Proof, Shard
from thetabulk.store.contracts import Contracts
from thetabulk.store.habits import NOTHING_LEARNED, Habits
from thetabulk.store.printing import vendor_csv
from thetabulk.store.rows import RowReader, Rows
from thetabulk.store.stored import contracts_in
from thetabulk.store.style import Style
from thetabulk.store.validate import Check, Fate, Findings, judge

_READ_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Weighed:
    """A whole answer, and what becomes of it."""

    fate: Fate
    proof: Proof
    findings: Findings
    rows: int
    contracts: int
    content: str
    vendor_bytes: int
    vendor_xxh3: str

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.findings.lacking + self.findings.surplus + self.findings.remarks


class Weighing:
    """`feed` every piece of a body, then `weigh`. Both raise BadAnswer if it cannot be the answer to our request."""

    def __init__(
        self, shard: Shard, dataset: Dataset, known_grids: Mapping[int, str], habits: Habits = NOTHING_LEARNED, *,
        extra_columns: bool = False,
    ) -> None:  # fmt: skip
        self._reader = RowReader(dataset, shard.symbol, shard.day, extra_columns=extra_columns)
        self._check = Check(dataset, shard.collection, shard.day, known_grids, habits)
        self._digest = xxhash.xxh3_128()
        self.vendor_bytes = 0

    @property
    def contracts(self) -> Contracts:
        return self._reader.contracts

    @property
    def style(self) -> Style:
        return self._reader.style

    @property
    def header(self) -> str:
        """As received, line end included; "" until it is here."""
        return self._reader.header

    @property
    def in_order(self) -> bool:
        return self._check.in_order

    @property
    def content(self) -> str:
        return self._check.content

    @property
    def rows(self) -> int:
        return self._check.rows

    @property
    def vendor_xxh3(self) -> str:
        return self._digest.hexdigest()

    def feed(self, data: bytes) -> Rows | None:
        """The rows that became complete."""
        self._digest.update(data)
        self.vendor_bytes += len(data)
        return self._counted(self._reader.feed(data))

    def finish(self) -> Rows | None:
        """The last row, if it has no line end."""
        return self._counted(self._reader.finish())

    def weigh(self, listed: frozenset[Contract] | None, earlier_content: str) -> Weighed:
        """The judgement, after `finish`."""
        findings = self._check.findings(self.contracts, self.style, listed)
        fate, proof = judge(findings, self.content, earlier_content)
        return Weighed(
            fate, proof, findings, self.rows, len(self.contracts), self.content, self.vendor_bytes, self.vendor_xxh3
        )

    def _counted(self, rows: Rows | None) -> Rows | None:
        if rows is not None:
            self._check.add(rows, self.contracts)
            self._check.add_content(rows, self.contracts, self.style)
            if self._check.endless:
                raise BadAnswer(f"{self.rows} rows of {len(self.contracts)} contracts: they repeat", kind="oversize")
        return rows


def stored_body(path: Path, dataset: Dataset, file_format: str) -> Iterator[bytes]:
    """The vendor's body back out of a stored file. Raises ValueError for damage that a decoder notices."""
    if file_format == "parquet":
        yield from vendor_csv(path, dataset)
        return
    try:
        with path.open("rb") as file:
            source = zstandard.ZstdDecompressor().stream_reader(file) if file_format == "csv.zst" else file
            while piece := source.read(_READ_BYTES):
                yield piece
    except zstandard.ZstdError as error:
        raise ValueError(f"unreadable: {error}") from error


def weigh_stored(
    pieces: Iterable[bytes], shard: Shard, dataset: Dataset, known_grids: Mapping[int, str],
    listed: frozenset[Contract] | None, habits: Habits = NOTHING_LEARNED,
) -> Weighed:  # fmt: skip
    """The content rules over a stored day's body. Raises ValueError where a stored body breaks them."""
    weighing = Weighing(shard, dataset, known_grids, habits, extra_columns=True)
    try:
        for piece in pieces:
            weighing.feed(piece)
        weighing.finish()
    except BadAnswer as error:
        raise ValueError(str(error)) from error
    return weighing.weigh(listed, "")


def stored_contracts(path: Path, shard: Shard, dataset: Dataset, file_format: str) -> list[Contract]:
    """The contracts of a stored day: from the key columns of a Parquet file, from every row of a CSV file."""
    if file_format == "parquet":
        return contracts_in(path)
    weighing = Weighing(shard, dataset, {}, extra_columns=True)
    for piece in stored_body(path, dataset, file_format):
        weighing.feed(piece)
    weighing.finish()
    return weighing.contracts.listed

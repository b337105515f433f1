"""From blocks to what goes over the wire: a header, chunks of about a megabyte, JSON if it was asked for, wounds."""

from collections.abc import Iterator
from datetime import date

from thetabulk.simulator.answers import Blocks, Library
from thetabulk.simulator.cache import ChunkCache
from thetabulk.simulator.damage import Wound, damaged, damaged_columns
from thetabulk.simulator.lines import ndjson
from thetabulk.simulator.queries import Query

CHUNK_BYTES = 1 << 20


def chunks(library: Library, query: Query, first: date, wounds: list[Wound], cache: ChunkCache) -> Iterator[bytes]:
    """The answer to a query from `first` on, in pieces; no piece at all where there are no data.

    Answers that are told as they are, or restated, are kept in the cache.
    """
    variant = int(any(wound.fault.name == "restate" for wound in wounds))
    key = (query, first, variant, library.today)
    cached = all(wound.fault.name == "restate" for wound in wounds)
    known = cache.get(key) if cached else None
    if known is not None:
        return iter(known)
    blocks: Blocks = library.blocks(query, first, variant=variant)
    columns = query.endpoint.columns
    for wound in wounds:
        blocks, columns = damaged(blocks, wound), damaged_columns(columns, wound.fault)
    lines = library.manners.ordered(columns, (block for _, block in blocks))
    if query.json:
        lines = (ndjson(columns, query.endpoint.numeric, block) for block in lines)
    pieces = _joined(b"", lines) if query.json else _printed(library, columns, lines)
    return cache.keeping(key, pieces) if cached else pieces


def _printed(library: Library, columns: tuple[str, ...], lines: Iterator[bytes]) -> Iterator[bytes]:
    """CSV, as the line format prints it, or as a vendor profile says."""
    manners, newline = library.manners, library.lines.newline
    if manners.prints:
        lines = manners.printed(columns, lines, newline)
    header = manners.header(columns, newline) if manners.prints else library.lines.header(columns)
    return manners.ended(_joined(header, lines))


def expected_bytes(library: Library, query: Query, first: date) -> int:
    """About how long an answer will be, from its first block; so that a share of it can be found while it is sent."""
    block = next(library.blocks(query, first), (None, b""))[1]
    contracts = library.contracts(query, first) if query.endpoint.counted else 1
    return len(block) * contracts


def _joined(header: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    first = next(lines, None)
    if first is None:
        return
    parts, size = [header, first], len(header) + len(first)
    for line in lines:
        if size >= CHUNK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
        parts.append(line)
        size += len(line)
    yield b"".join(parts)

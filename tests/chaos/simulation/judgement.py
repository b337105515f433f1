"""What a run left in the store, against what the vendor has; read as anyone can read it, not as thetabulk does."""

from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet
import zstandard

from tests.chaos import ledger_lines
from tests.chaos.simulation.run import World
from tests.chaos.simulation.truth import SYMBOL

BEYOND = {"vendor": "empty", "tier": "refused"}
_SUFFIXES = (".parquet", ".csv", ".csv.zst")
Record = dict[str, Any]
Row = tuple[str, ...]


def lies(world: World) -> list[str]:
    """Whatever has happened, and however the run has ended: nothing in the store says what is not so."""
    lines = ledger_lines.read(world.store)
    found = [text for record in lines.days().values() if (text := _lie(world, record))]
    found += [text for boundary in boundaries(lines) if (text := _false_boundary(world, boundary))]
    return found + [f"{lines.damaged} damaged lines in the ledger"] * bool(lines.damaged)


def unfinished(world: World) -> list[str]:
    """The days that have not ended as they have to, in fair weather, and what is left lying about."""
    lines = ledger_lines.read(world.store)
    known = {date.fromisoformat(record["day"]): record for record in lines.days().values()}
    found = [text for day in world.truth.kinds if (text := _wrong_end(world, lines, known.get(day), day))]
    saved = {day for day, record in known.items() if record["outcome"] == "saved"}
    found += [
        f"{day} has a file, and is not saved" for day in world.truth.kinds if files(world, day) and day not in saved
    ]
    return found + [f"left behind: {path.name}" for path in (world.store / ".thetabulk/tmp").iterdir()]


def expected_code(world: World) -> int:
    """Of a run in fair weather."""
    ends = {world.truth.ends_as(day) for day in world.truth.kinds}
    return 3 if "incomplete" in ends else 7 if "refused" in ends else 0


def boundaries(lines: ledger_lines.Lines) -> list[Record]:
    """Of each kind the newest, unless it says that there is none any more."""
    newest = {record["boundary"]: record for record in lines.records if record["kind"] == "boundary"}
    return [record for record in newest.values() if record["day"]]


def files(world: World, day: date) -> list[Path]:
    """Wherever they lie, but not what is put aside."""
    data = world.store.glob(f"option/**/{SYMBOL}-{day}.*")
    return [path for path in data if path.name.endswith(_SUFFIXES)]


def rows(path: Path) -> list[Row]:
    """What is in a file, row by row in any order; numbers as shortly as they can be said."""
    if path.suffix == ".parquet":
        columns = pyarrow.parquet.read_table(path, partitioning=None).drop(["_raw"]).to_pydict()
        return sorted(zip(*([_said(value) for value in column] for column in columns.values()), strict=True))
    content = path.read_bytes()
    return vendor_rows(
        zstandard.ZstdDecompressor().decompressobj().decompress(content) if path.suffix == ".zst" else content
    )


def vendor_rows(body: bytes) -> list[Row]:
    """Of the vendor's CSV; the symbol stands in a Parquet file's path."""
    return sorted(tuple(_fields(line.decode())) for line in body.splitlines()[1:])


def _fields(line: str) -> Iterator[str]:
    for number, text in enumerate(line.split(",")[1:]):
        bare = text.strip('"')
        yield bare if number in (0, 2, 3) else _said(float(bare))  # expiration, right and time stamp are no numbers


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return f"{value:.10g}" if isinstance(value, float) else f"{value}"


def _lie(world: World, record: Record) -> str:
    day, outcome = date.fromisoformat(record["day"]), record["outcome"]
    kind = world.truth.kind(day)
    if outcome in ("empty", "refused") and kind != outcome:
        return f"{day} is called {outcome}, and is {kind}"
    return _false_saved(world, day, record) if outcome == "saved" else ""


def _false_saved(world: World, day: date, record: Record) -> str:
    found = files(world, day)
    if len(found) != 1:
        return f"{day} is called saved, and there are {len(found)} files"
    if sha256(found[0].read_bytes()).hexdigest() != record["sha256"]:
        return f"{day} is called saved, and its file is another one"
    there, truly, proof = rows(found[0]), vendor_rows(world.truth.body(day, 2)), record["proof"]
    if there == truly and (proof != "full" or world.truth.ends_as(day) == "saved"):
        return ""
    if proof == "no-contract-list" and set(there) < set(truly):
        return ""  # a cut between two contracts shows in nothing else, and nobody calls this day proven
    return f"{day} ({world.truth.kind(day)}) is saved with proof {proof}, and is not what the vendor has"


def _false_boundary(world: World, boundary: Record) -> str:
    older = [day for day in world.truth.kinds if day.isoformat() < boundary["day"]]
    wrong = [day for day in older if world.truth.kind(day) != BEYOND[boundary["boundary"]]]
    return f"a boundary at {boundary['day']}, and {min(wrong)} is {world.truth.kind(min(wrong))}" if wrong else ""


def _wrong_end(world: World, lines: ledger_lines.Lines, record: Record | None, day: date) -> str:
    wanted = world.truth.ends_as(day)
    if record is None:
        kinds = [BEYOND[one["boundary"]] for one in boundaries(lines) if day.isoformat() < one["day"]]
        return "" if wanted in kinds else f"{day} is {wanted}, and nothing is recorded of it"
    ended = record["outcome"]
    if ended == "saved" and record["proof"] != "full":
        ended = record["proof"]
    if ended == "failed":
        kept = (world.store / record["kept"]).exists() if record.get("kept") else False
        ended = record["error"]["kind"] if kept else f"failed ({record['error']})"
    return "" if ended == wanted else f"{day} is {wanted}, and has ended as {ended}"

"""A store as files, read without thetabulk: its hashes, and what its ledger says."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def data_files(store: Path) -> dict[str, str]:
    """Path and sha256 of every data file."""
    files = (path for path in store.rglob("*-20??-??-??.*") if ".thetabulk" not in path.parts)
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def ledger(store: Path) -> list[Entry]:
    """Every line of the ledger, checked: JSON, its checksum, numbers that grow."""
    text = (store / ".thetabulk" / "ledger.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n"), "a torn line was left"
    entries = []
    for line in text.splitlines():
        before, _, crc = line.rpartition(',"crc":"')
        assert crc == f'{zlib.crc32(before.encode()):08x}"}}', line
        entries.append(json.loads(line))
    numbers = [entry["seq"] for entry in entries]
    assert numbers == sorted(set(numbers)), "the numbers of the lines do not grow"
    return entries


def days(store: Path) -> dict[str, Entry]:
    """The last word about every day, of a store with one collection."""
    return {entry["day"]: entry for entry in ledger(store) if entry["kind"] == "day"}


def outcomes(store: Path) -> dict[str, str]:
    return {day: entry["outcome"] for day, entry in sorted(days(store).items())}


def boundaries(store: Path) -> list[Entry]:
    """Every boundary record, also those that a later one revokes."""
    return [entry for entry in ledger(store) if entry["kind"] == "boundary"]


def assert_consistent(store: Path, *, stopped_now: bool = False) -> None:
    """Every saved day has its file with the recorded hash, no file is without a record, no scratch is left.

    `stopped_now`: a file may have come into its place and not into the ledger; the next run takes it as it is.
    """
    saved = {entry["day"]: entry["sha256"] for entry in days(store).values() if entry["outcome"] == "saved"}
    files = {Path(name).name.split(".")[0][-10:]: sha256 for name, sha256 in data_files(store).items()}
    assert saved.items() <= files.items() if stopped_now else saved == files
    assert list((store / ".thetabulk" / "tmp").iterdir()) == []

"""Knows every byte that was served, and judges a store from the outside.

It has its own idea of the ledger's lines and of where a day's file lies, hashes files by itself, and imports nothing of
the part of thetabulk that is judged. Its verdict is a list of sentences, one for each broken promise; [] is innocence.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import xxhash

from tests.chaos import ledger_lines, vendor
from tests.chaos.ledger_lines import Key

_INSIDE = re.compile(
    r"(ledger\.jsonl(\.1|\.new|\.damaged|\.before-rebuild-\w+(\.new)?)?|reserve|lock(\.json)?|(verified|mirror)\.json(\.new)?)"
)
"""Files that may lie directly in `.thetabulk`."""

_COLUMNS = ("bid_size", "bid_exchange", "bid", "bid_condition", "ask_size", "ask_exchange", "ask", "ask_condition")


@dataclass(frozen=True, slots=True)
class Damage:
    """The contents of damaged files, and the records that are not true, of a store that is to be mended."""

    contents: frozenset[str]
    claims: frozenset[Key]


NO_DAMAGE = Damage(frozenset(), frozenset())


class Oracle:
    """`days` are those that were asked for; `undisturbed` is a store that no fault has touched."""

    def __init__(self, undisturbed: Path, days: Iterable[date], symbol: str = "QQQ") -> None:
        self.keys = {("option/quote/1m", "", symbol, day.isoformat()): day for day in days}
        self._good = {name: digest(undisturbed / name) for name in final_names(undisturbed)}
        self._against_the_vendor(undisturbed, symbol)

    def _against_the_vendor(self, undisturbed: Path, symbol: str) -> None:
        """The store that all others are compared with holds what was served, to the last byte."""
        saved = ledger_lines.read(undisturbed).saved()
        assert set(saved) == set(self.keys), "the undisturbed run is not complete"
        for key, day in self.keys.items():
            served = vendor.body(symbol, day)
            assert printed(undisturbed / file_of(key), symbol) == served, f"{day} is not what was served"
            assert saved[key]["vendor_bytes"] == len(served)
            assert saved[key]["vendor_xxh3"] == xxhash.xxh3_128_hexdigest(served)

    def judge(self, store: Path, told: Iterable[Key] = ()) -> list[str]:
        """Whatever has happened, this holds (I1 to I4). `told` are days that somebody was told to be saved."""
        if not store.is_dir():
            return [f"lost: {key[3]}, told as saved" for key in told]
        saved = ledger_lines.read(store).saved()
        found = [f"lost: {key[3]} was told as saved, the ledger does not know it" for key in told if key not in saved]
        for key, record in saved.items():
            found += self._false_claim(store, key, record)
        for name in final_names(store):
            if name not in self._good:
                found.append(f"stray: {name} is no file of these days")
            elif digest(store / name) != self._good[name]:
                found.append(f"torn: {name} is under its final name, and is not what was served")
        return found + self._strays(store)

    def unclaimed(self, store: Path) -> set[str]:
        """Files under final names that no record speaks of."""
        lines = ledger_lines.read(store)
        claimed = {str(file_of(key)) for key in lines.saved()}
        for record in lines.records:
            if record["kind"] == "contracts":
                day = record["day"]
                claimed.add(f".thetabulk/contracts/{record['symbol']}/{day[:4]}/{day}.csv.zst")
        return set(final_names(store)) - claimed

    def kept(self, store: Path) -> set[Key]:
        """The days whose files lie there as they were served, whatever the ledger says."""
        return {key for key in self.keys if _digest_of(store / file_of(key)) == self._good[str(file_of(key))]}

    def damage_in(self, store: Path) -> "Damage":
        """What is wrong with a store before a command is to mend it."""
        saved = ledger_lines.read(store).saved()
        files = {store / file_of(key) for key in self.keys}
        bad = {digest(file) for file in files if file.is_file()} - set(self._good.values())
        return Damage(frozenset(bad), frozenset(key for key in saved if self._false_claim(store, key, saved[key])))

    def judge_mending(self, store: Path, told: Iterable[Key], damage: "Damage") -> list[str]:
        """The same while damage is mended: what was bad may still be, but nothing else, and it is kept as evidence."""
        names = [f"{key[2]}-{key[3]}.parquet" for key in damage.claims]
        found = [one for one in self.judge(store, told) if not any(name in one for name in names)]
        files = {name: digest(store / name) for name in final_names(store)}
        for key in damage.claims:
            held = files.get(str(file_of(key)))
            if held not in (None, self._good[str(file_of(key))], *damage.contents):
                found.append(f"torn: {key[3]} is neither what was served nor what was found there")
        kept = {digest(path) for path in store.rglob("*") if path.is_file()}
        return found + [f"evidence is gone: {one[:8]}" for one in damage.contents - kept]

    def judge_whole(self, store: Path, told: Iterable[Key] = ()) -> list[str]:
        """After a run that came to its end: everything is there, once, byte for byte, and nothing else."""
        found = self.judge(store, told)
        lines = ledger_lines.read(store)
        found += [f"lost: {key[3]} is not saved at the end" for key in self.keys if key not in lines.saved()]
        missing = set(self._good) - set(final_names(store))
        found += [f"lost: {name} is missing at the end" for name in sorted(missing)]
        found += [f"left behind: {part.name}" for part in (store / ".thetabulk/tmp").iterdir()]
        if lines.torn_bytes:
            found.append("the ledger still ends in a torn line")
        return found

    def _false_claim(self, store: Path, key: Key, record: dict[str, Any]) -> list[str]:
        path = store / file_of(key)
        if key not in self.keys:
            return [f"false saved: {key[3]} was never asked for"]
        if not path.is_file():
            return [f"false saved: {path.name}, and there is no file"]
        if digest(path) != record["sha256"] or path.stat().st_size != record["bytes"]:
            return [f"false saved: {path.name}, and the file is another"]
        return []

    def _strays(self, store: Path) -> list[str]:
        """Files of no known purpose, and good ones among those put aside as damaged. A folder that the file system
        itself cannot list any more (exFAT has no journal) hides its files from us as well."""
        found = []
        listed = (Path(folder) / name for folder, _, names in os.walk(store) for name in names)
        for path in listed:
            if not path.is_file():
                continue
            where = path.relative_to(store).parts
            if where[:2] == (".thetabulk", "quarantine"):
                if digest(path) in self._good.values():
                    found.append(f"put aside although good: {path.relative_to(store)}")
            elif where[0] == ".thetabulk":
                if len(where) == 2 and not _INSIDE.fullmatch(where[1]):
                    found.append(f"stray: {path.relative_to(store)}")
            elif where[0] != "option" and path.name not in ("thetabulk.json", "thetabulk.json.new"):
                found.append(f"stray: {path.relative_to(store)}")
        return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_of(path: Path) -> str:
    return digest(path) if path.is_file() else ""


def file_of(key: Key) -> Path:
    """Where a day's file lies, by the description of the store's layout."""
    dataset, selection, symbol, day = key
    folder = f"{dataset}~{selection}" if selection else dataset
    return Path(folder, f"symbol={symbol}", f"year={day[:4]}", f"{symbol}-{day}.parquet")


def final_names(store: Path) -> list[str]:
    """Everything that lies where finished files lie: days, and the vendor's lists of contracts."""
    places = (store / "option", store / ".thetabulk" / "contracts")
    return [str(path.relative_to(store)) for place in places for path in sorted(place.rglob("*")) if path.is_file()]


def told_saved(out: Path) -> set[Key]:
    """The days that `--json` has told as saved."""
    return told_in(out.read_bytes()) if out.exists() else set()


def told_in(said: bytes) -> set[Key]:
    """The same, of what was said so far. The last line may be torn: then nobody has read it."""
    told = set()
    for line in said.split(b"\n")[:-1]:
        event = json.loads(line)
        if event.get("event") == "shard_finished" and event["outcome"] == "saved":
            told.add(ledger_lines.key_of(event))
    return told


def printed(file: Path, symbol: str) -> bytes:
    """The vendor's CSV, printed from a file by a printer of the oracle's own."""
    table = pyarrow.parquet.ParquetFile(file).read()
    lines = [",".join(("symbol", "expiration", "strike", "right", "timestamp", *_COLUMNS))]
    for row in table.to_pylist():
        stamp: datetime = row["timestamp"]
        fields = [f'"{symbol}"', f'"{row["expiration"]}"', f"{row['strike']:.3f}", f'"{row["right"]}"']
        fields.append(stamp.isoformat(timespec="milliseconds"))
        fields += [f"{row[name]:.2f}" if name in ("bid", "ask") else str(row[name]) for name in _COLUMNS]
        lines.append(",".join(fields))
    return "\n".join(lines).encode() + b"\n"

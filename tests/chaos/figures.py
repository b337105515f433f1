"""What the runs have found, in numbers, for docs/promises.md: one entry a promise and tier, the last run's."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("figures.json")


@dataclass(frozen=True, slots=True)
class Figure:
    """`count` is how often it was tried, `violations` how often the promise was broken."""

    name: str
    tier: str
    count: int
    violations: int
    seed: int
    date: str
    unit: str


def summed(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts of one promise, from several lanes, added up; by name. The seed is the first part's."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        known = found.setdefault((entry["name"], entry["tier"]), {**entry, "count": 0, "violations": 0})
        known["count"] += entry["count"]
        known["violations"] += entry["violations"]
    return [found[key] for key in sorted(found)]


def merge(entries: list[dict[str, Any]], path: Path = FILE) -> None:
    """Replaces the entries of the same name and tier, and leaves the others."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kept = {(entry["name"], entry["tier"]): entry for entry in [*old, *summed(entries)]}
    path.write_text(json.dumps([kept[key] for key in sorted(kept)], indent=1) + "\n", encoding="utf-8")


class Figures:
    """Gathers the figures of a session."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        self.entries: list[dict[str, Any]] = []

    def add(self, name: str, count: int, violations: int, seed: int, unit: str = "") -> None:
        today = datetime.now(UTC).date().isoformat()
        self.entries.append(asdict(Figure(name, self._tier, count, violations, seed, today, unit)))

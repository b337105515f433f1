"""The commands that are swept, each with a store in the state that makes it do all that it can."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.bench import Bench, Ran
from tests.chaos.oracle import final_names


def _nothing(_: Bench, __: Path) -> None:
    """No store yet: it is made, too."""


def _superseded_lines(bench: Bench, store: Path) -> None:
    """A whole store whose files were touched again and again: more than half of its ledger counts no longer."""
    for minute in range(1, 5):
        assert bench.download(store, conditions=("one_identity",)).wait().code == 0
        for name in final_names(store):
            if name.startswith("option"):
                os.utime(store / name, (1_700_000_000 + 60 * minute, 1_700_000_000 + 60 * minute))


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` makes the store, or not; `does` is a part of a path that only the command's own work touches."""

    name: str
    does: str
    prepare: Callable[[Bench, Path], None]
    start: Callable[..., Ran]
    conditions: tuple[str, ...] = ()


def _download(bench: Bench, store: Path, **how: Any) -> Ran:
    return bench.download(store, **how)


SCENARIOS = [
    Scenario("download", "year=2024", _nothing, _download),
    Scenario("compaction", "ledger.jsonl.new", _superseded_lines, _download, ("early_compaction",)),
]
